import { useState } from "preact/hooks";

import { machine } from "../../api/client";
import type { ProjectRow, Snapshot } from "../../api/types";
import { noteJob } from "../../app/jobs";
import { useAct } from "../../app/use";
import { Button, Fault, Field, Select } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";

/** Name a snapshot and say what goes in. */
export function SnapshotDialog(props: { project: ProjectRow; onClose: () => void }) {
  const { project, onClose } = props;
  const [name, setName] = useState("");
  const [contents, setContents] = useState<Snapshot["contents"]>("approved");
  const { busy, problem, run } = useAct();
  return (
    <Dialog title="Make a snapshot" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            noteJob(await machine.snapshot(project.id, { name: name.trim(), contents }));
            onClose();
          });
        }}
      >
        <Field label="Name" required autofocus maxLength={200} value={name} onText={setName} fault={problem?.field === "name" ? problem.message : null} />
        <Select
          label="Contents"
          value={contents}
          options={[
            ["approved", `Images that are done (${project.states.done}): ground truth`],
            ["everything", "All images with drafts and predictions: no ground truth"],
          ]}
          onPick={(value) => setContents(value as Snapshot["contents"])}
        />
        {problem?.field !== "name" && <Fault problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || name.trim() === ""}>
            Make snapshot
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
