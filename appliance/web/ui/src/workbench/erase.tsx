import { useState } from "preact/hooks";

import { history } from "../api/history";
import { go } from "../app/router";
import { useAct, useLoad } from "../app/use";
import { Button, Fault, Field } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { counted } from "../parts/words";

interface Props {
  projectId: number;
  imageId: number;
  name: string;
  onClose: () => void;
}

/** Erase an image for good: what goes is said, and its name typed, before it does. */
export function Erase({ projectId, imageId, name, onClose }: Props) {
  const seen = useLoad(() => history.purgePreview(projectId, imageId), [projectId, imageId]);
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const [withSnapshots, setWithSnapshots] = useState(false);
  const { busy, problem, run } = useAct();
  const what = seen.value;
  const held = what?.snapshots ?? [];
  const ready = typed === name && reason.trim().length >= 3 && (held.length === 0 || withSnapshots);
  const erase = (): void =>
    run(async () => {
      await history.purge(projectId, imageId, { confirm: typed, reason: reason.trim(), delete_snapshots: withSnapshots });
      onClose();
      go(`/projects/${projectId}/images`);
    });
  return (
    <Dialog title="Erase this image for good?" onClose={onClose}>
      <Fault problem={seen.problem ?? problem} />
      {what && (
        <>
          <p>
            Its file, {counted(what.annotations, "annotation")}, {counted(what.revisions, "revision")} of history
            {what.threads > 0 && `, ${counted(what.threads, "thread")} of comments`} and every copy go at once. There is no way back. The audit log keeps that it
            happened, who did it and why.
          </p>
          {what.shared && <p class="second">The file itself stays: another project has the same picture.</p>}
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (ready && !busy) erase();
            }}
          >
            {held.length > 0 && (
              <label class="check">
                <input type="checkbox" checked={withSnapshots} onChange={(event) => setWithSnapshots(event.currentTarget.checked)} />
                Delete {counted(held.length, "snapshot")} that hold it, with their exports: {held.map((one) => one.name).join(", ")}
              </label>
            )}
            <Field label={`Type ${name}`} value={typed} onText={setTyped} mono autocomplete="off" />
            <Field label="Why" value={reason} onText={setReason} maxLength={500} />
            <div class="actions">
              <Button kind="primary" type="submit" disabled={!ready || busy}>
                Erase for good
              </Button>
              <Button onClick={onClose}>Keep it</Button>
            </div>
          </form>
        </>
      )}
    </Dialog>
  );
}
