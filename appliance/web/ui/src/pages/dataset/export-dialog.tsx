import { useState } from "preact/hooks";

import { machine } from "../../api/client";
import type { JsonObject, ProjectRow, Snapshot } from "../../api/types";
import { noteJob } from "../../app/jobs";
import { useAct, useLoad } from "../../app/use";
import { Button, Fault, Select } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { counted } from "../../parts/words";

export const FORMATS: readonly (readonly [string, string])[] = [
  ["coco", "COCO JSON"],
  ["yolo", "YOLO"],
];
const TASKS: readonly (readonly [string, string])[] = [
  ["auto", "Outlines where there are any, else boxes"],
  ["detect", "Boxes"],
  ["segment", "Outlines"],
];

/** Choose a snapshot and a format; without a snapshot one is made of what is approved. */
export function ExportDialog(props: { project: ProjectRow; snapshot?: Snapshot; onClose: () => void }) {
  const { project, snapshot, onClose } = props;
  const known = useLoad(() => machine.snapshots(project.id), [project.id]);
  const [format, setFormat] = useState(FORMATS[0][0]);
  const [picked, setPicked] = useState(snapshot ? String(snapshot.id) : "");
  const [pictures, setPictures] = useState(true);
  const [splits, setSplits] = useState(false);
  const [task, setTask] = useState("auto");
  const { busy, problem, run } = useAct();
  const sources: (readonly [string, string])[] = [
    ["", "New one of what is done"],
    ...(known.value ?? []).map((one) => [String(one.id), `${one.name}, ${counted(one.images, "image")}`] as const),
  ];
  const start = async (): Promise<void> => {
    const options: JsonObject = format === "coco" ? { pictures, splits } : { pictures, task };
    noteJob(await machine.export(project.id, { format, snapshot_id: picked ? Number(picked) : undefined, options }));
    onClose();
  };
  return (
    <Dialog title="Export" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(start);
        }}
      >
        <Select label="Snapshot" value={picked} options={sources} onPick={setPicked} />
        <Select label="Format" value={format} options={FORMATS} onPick={setFormat} />
        {format === "yolo" && <Select label="Shapes" value={task} options={TASKS} onPick={setTask} />}
        <label class="line">
          <input type="checkbox" checked={pictures} onChange={(event) => setPictures(event.currentTarget.checked)} />
          Pictures in the archive, too
        </label>
        {format === "coco" && (
          <label class="line">
            <input type="checkbox" checked={splits} onChange={(event) => setSplits(event.currentTarget.checked)} />
            A file each for train, val and test
          </label>
        )}
        <Fault problem={problem ?? known.problem} />
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy}>
            Export
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
        <p class="second small">It runs on the box; the status line and this page say how far it is.</p>
      </form>
    </Dialog>
  );
}
