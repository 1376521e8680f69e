import { useState } from "preact/hooks";

import { projects } from "../../api/client";
import type { Label } from "../../api/types";
import { useAct } from "../../app/use";
import { Button, Fault, Select } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";

/** Delete a label; one in use asks whether to merge it or to delete its annotations. */
export function RemoveLabel(props: { projectId: number; label: Label; others: Label[]; onClose: () => void }) {
  const { projectId, label, others, onClose } = props;
  const [into, setInto] = useState(String(others[0]?.id ?? ""));
  const { busy, problem, run } = useAct();
  const inUse = problem?.status === 409;
  const remove = (how: Parameters<typeof projects.removeLabel>[2]): void =>
    run(async () => {
      await projects.removeLabel(projectId, label.id, how);
      onClose();
    });
  return (
    <Dialog title={`Delete the label ${label.name}?`} onClose={onClose}>
      <Fault problem={problem} />
      {inUse ? (
        <>
          {others.length > 0 && (
            <div class="actions">
              <Select bare label="Merge into" value={into} options={others.map((one) => [String(one.id), one.name])} onPick={setInto} />
              <Button kind="primary" disabled={busy} onClick={() => remove({ merge_into: Number(into) })}>
                Merge
              </Button>
            </div>
          )}
          <div class="actions">
            <Button disabled={busy} onClick={() => remove({ annotations: "delete" })}>
              Delete its annotations
            </Button>
            <Button onClick={onClose}>Cancel</Button>
          </div>
        </>
      ) : (
        <div class="actions">
          <Button kind="primary" disabled={busy} onClick={() => remove({})}>
            Delete
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      )}
    </Dialog>
  );
}
