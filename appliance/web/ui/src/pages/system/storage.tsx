import { useState } from "preact/hooks";

import { http, projects } from "../../api/client";
import { type LargeFile, type StorageUse, system } from "../../api/system";
import { useAct, useEvents, useLoad } from "../../app/use";
import { Button, Fault } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { bytes, counted, when } from "../../parts/words";
import { Chore } from "./chore";
import { SystemFrame } from "./frame";
import { byAge, byKind, byProject, type Line } from "./space";
import { DiskBar, Sizes } from "./space-table";

type View = "kind" | "project" | "age";
const VIEWS: readonly (readonly [View, string])[] = [
  ["kind", "By kind"],
  ["project", "By project"],
  ["age", "By age"],
];

/** What takes the space, what is large, and what can go. */
export function Storage() {
  const loaded = useLoad(system.storage, []);
  const names = useLoad(projects.list, []);
  useEvents(["storage.measured", "export.deleted", "job.changed"], null, loaded.reload);
  const use = loaded.value;
  const known = new Map((names.value ?? []).map((one) => [one.id, one.name]));
  const about =
    use && (use.measured.at_ms === null ? "not measured yet" : `measured ${when(use.measured.at_ms)}, a stored file counts once`);
  return (
    <SystemFrame title="Storage" about={about} actions={<Chore kind="measure" word="Measure now" primary />}>
      <Fault problem={loaded.problem} retry={loaded.reload} />
      {use && (
        <>
          <Space use={use} names={known} />
          <Freeing use={use} />
          <Largest use={use} names={known} reload={loaded.reload} />
        </>
      )}
    </SystemFrame>
  );
}

function Space({ use, names }: { use: StorageUse; names: ReadonlyMap<number, string> }) {
  const [view, setView] = useState<View>("kind");
  const lines: Record<View, () => Line[]> = {
    kind: () => byKind(use),
    project: () => byProject(use, names),
    age: () => byAge(use),
  };
  return (
    <section aria-label="What takes the space">
      <DiskBar use={use} />
      <div class="choice" role="group" aria-label="Split">
        {VIEWS.map(([key, word]) => (
          <button key={key} aria-pressed={view === key} onClick={() => setView(key)}>
            {word}
          </button>
        ))}
      </div>
      <p class="note-line second small">
        {view === "project" && "A picture that several projects have counts for the one that had it first."}
        {view === "age" && "By when the file came to the box."}
      </p>
      <Sizes lines={lines[view]()} label={`Space ${view === "kind" ? "by kind" : view === "project" ? "by project" : "by age"}`} />
    </section>
  );
}

function Freeing({ use }: { use: StorageUse }) {
  const cache = use.measured.cache.reduce((n, one) => n + one.bytes, 0);
  const waiting = use.measured.kinds.find((one) => one.key === "waiting");
  const archives = use.measured.kinds.find((one) => one.key === "archives");
  return (
    <section aria-label="What can go">
      <header>
        <h2>What can go</h2>
      </header>
      <table class="rows">
        <tbody>
          <tr>
            <td>
              <b>Cache</b>
              <span class="second small">Thumbnails, renditions and tiles are made again when somebody looks; up to {bytes(use.cache_limit_bytes)} are kept.</span>
            </td>
            <td class="number nowrap">{bytes(cache)}</td>
            <td class="number nowrap">
              <Chore kind="clear-cache" word="Empty the cache" disabled={cache === 0} />
            </td>
          </tr>
          <tr>
            <td>
              <b>Files nobody refers to</b>
              <span class="second small">
                Of deleted images, exports and models{archives ? ", and archives whose import is over" : ""}. Each stays {counted(Math.round(use.grace_s / 3600), "hour")} in case it is needed again.
              </span>
            </td>
            <td class="number nowrap">{bytes((waiting?.bytes ?? 0) + (archives?.bytes ?? 0))}</td>
            <td class="number nowrap">
              <Chore kind="collect" word="Collect now" />
            </td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

interface LargestProps {
  use: StorageUse;
  names: ReadonlyMap<number, string>;
  reload: () => void;
}

function Largest({ use, names, reload }: LargestProps) {
  const [deleting, setDeleting] = useState<LargeFile | null>(null);
  if (use.measured.largest.length === 0) return null;
  return (
    <section aria-label="Largest files">
      <header>
        <h2>Largest files</h2>
        <span class="second">{counted(use.measured.largest.length, "file")}</span>
      </header>
      <table class="rows">
        <thead>
          <tr>
            <th>Name</th>
            <th>Kind</th>
            <th class="wide-only">Project</th>
            <th class="wide-only">Hash</th>
            <th class="number wide-only">Came</th>
            <th class="number">Size</th>
            <th aria-label="Actions" />
          </tr>
        </thead>
        <tbody>
          {use.measured.largest.map((one) => (
            <tr key={one.sha256}>
              <td class="cut">{one.kind === "pictures" ? <a class="link" href={`/projects/${one.project_id}/images/${one.owner_id}`}>{one.name}</a> : one.name}</td>
              <td class="second">{one.kind}</td>
              <td class="second wide-only">{names.get(one.project_id)}</td>
              <td class="mono second wide-only">{one.sha256.slice(0, 12)}</td>
              <td class="number second nowrap wide-only">{when(one.created_at_ms)}</td>
              <td class="number nowrap">{bytes(one.bytes)}</td>
              <td class="number nowrap">
                {one.kind === "exports" && (
                  <Button kind="quiet" onClick={() => setDeleting(one)}>
                    Delete
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {deleting && <DeleteExport file={deleting} onClose={() => setDeleting(null)} onDone={reload} />}
    </section>
  );
}

function DeleteExport({ file, onClose, onDone }: { file: LargeFile; onClose: () => void; onDone: () => void }) {
  const { busy, problem, run } = useAct();
  const remove = async (): Promise<void> => {
    await http.delete(`/api/projects/${file.project_id}/exports/${file.owner_id}`);
    onDone();
    onClose();
  };
  return (
    <Dialog title={`Delete ${file.name}?`} onClose={onClose}>
      <p>Its archive of {bytes(file.bytes)} goes. The snapshot stays, and the same export can be made from it again.</p>
      <Fault problem={problem} />
      <div class="actions">
        <Button kind="primary" disabled={busy} onClick={() => run(remove)}>
          Delete
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </Dialog>
  );
}
