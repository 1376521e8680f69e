import { type Scrubbing, system } from "../../api/system";
import { loadFaults } from "../../app/damage";
import { useEvents, useLoad } from "../../app/use";
import { Empty, Fault } from "../../parts/controls";
import { StateMark } from "../../parts/marks";
import { bytes, count, counted, when } from "../../parts/words";
import { Chore, underWay } from "./chore";
import { Find } from "./find";
import { SystemFrame } from "./frame";
import { Owners } from "./owners";

/** Are the stored files what they were: when they were last read, and what is damaged. */
export function StoredFiles() {
  const loaded = useLoad(system.scrub, []);
  useEvents(["job.changed", "damage.found"], null, () => {
    loaded.reload();
    void loadFaults().catch(() => undefined);
  });
  const found = loaded.value;
  const about = found && `${counted(found.files, "file")}, ${bytes(found.bytes)}`;
  return (
    <SystemFrame title="Stored files" about={about} actions={<Chore kind="scrub" word="Read all files now" primary />}>
      <Fault problem={loaded.problem} retry={loaded.reload} />
      {found && (
        <>
          <Readings found={found} />
          {found.damage.length > 0 && <DamageTable found={found} />}
          <Find />
        </>
      )}
    </SystemFrame>
  );
}

function Readings({ found }: { found: Scrubbing }) {
  const { finished, every_s } = found;
  const days = Math.round(every_s / 86_400);
  const running = underWay("scrub");
  if (!finished && !running) {
    return (
      <Empty>
        No reading was finished yet. It compares every stored file with its hash, at the lowest priority{days > 0 ? `, and starts by itself every ${counted(days, "day")}` : ""}.
      </Empty>
    );
  }
  return (
    <section aria-label="Readings">
      <dl class="facts readings">
        {finished && (
          <>
            <dt>Last finished</dt>
            <dd>{when(finished.finished_at_ms ?? 0)}</dd>
            <dt>Read then</dt>
            <dd>
              {counted(finished.files, "file")}, {bytes(finished.bytes)}
            </dd>
            <dt>Found then</dt>
            <dd>{finished.faults === 0 ? "no fault" : counted(finished.faults, "fault")}</dd>
          </>
        )}
        <dt>By itself</dt>
        <dd>{days > 0 ? `every ${counted(days, "day")}` : "never"}</dd>
      </dl>
      <p class="note-line second small">
        Every file is read from the disk at the lowest priority and compared with its hash. What does not match is put aside, so that nobody is served it.
      </p>
    </section>
  );
}

function DamageTable({ found }: { found: Scrubbing }) {
  return (
    <section aria-label="Damaged files">
      <header>
        <h2>Damaged files</h2>
        <span class="second">
          {found.faults > found.damage.length ? `the first ${count(found.damage.length)} of ${count(found.faults)}` : count(found.faults)}
        </span>
      </header>
      <p class="advice">
        <StateMark well={false} />
        Send the same picture again to its project, or put the file back from a backup and read all files again. A disk that does this may be failing.
      </p>
      <table class="rows">
        <thead>
          <tr>
            <th>File</th>
            <th>State</th>
            <th>Belongs to</th>
            <th class="number">Found</th>
          </tr>
        </thead>
        <tbody>
          {found.damage.map((one) => (
            <tr key={one.sha256}>
              <td class="mono">{one.sha256.slice(0, 16)}</td>
              <td>
                <span class="state">
                  <StateMark well={false} />
                  {one.fault === "missing" ? "missing" : "damaged, put aside"}
                </span>
              </td>
              <td>
                <Owners owners={one.owners} />
              </td>
              <td class="number second nowrap">{when(one.found_at_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
