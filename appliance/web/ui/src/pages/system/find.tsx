import { useState } from "preact/hooks";

import { system } from "../../api/system";
import { useLoad } from "../../app/use";
import { Fault, Field } from "../../parts/controls";
import { bytes, when } from "../../parts/words";
import { Owners } from "./owners";

const HASH = /^[0-9a-f]{4,64}$/;

/** What a stored file belongs to, by its hash: as a log, a manifest or a job's note names it. */
export function Find() {
  const [text, setText] = useState("");
  const prefix = text.trim().toLowerCase();
  const fits = HASH.test(prefix);
  const found = useLoad(() => (fits ? system.blobs(prefix) : Promise.resolve([])), [fits ? prefix : ""]);
  return (
    <section aria-label="Find a file">
      <header>
        <h2>Find a file</h2>
      </header>
      <div class="find">
        <Field label="Hash, or its first digits" mono value={text} maxLength={64} onText={setText} fault={prefix && !/^[0-9a-f]*$/.test(prefix) ? "A hash has the digits 0 to 9 and a to f." : null} />
      </div>
      <Fault problem={found.problem} retry={found.reload} />
      {fits && found.value?.length === 0 && <p class="second">No stored file has a hash that begins like this.</p>}
      {fits && (found.value ?? []).length > 0 && (
        <table class="rows">
          <thead>
            <tr>
              <th>Hash</th>
              <th>Belongs to</th>
              <th class="number">Came</th>
              <th class="number">Size</th>
            </tr>
          </thead>
          <tbody>
            {(found.value ?? []).map((one) => (
              <tr key={one.sha256}>
                <td class="mono cut" title={one.sha256}>
                  {one.sha256.slice(0, 24)}
                </td>
                <td>
                  <Owners owners={one.owners} />
                </td>
                <td class="number second nowrap">{when(one.created_at_ms)}</td>
                <td class="number nowrap">{bytes(one.stored_bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
