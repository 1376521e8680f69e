import { useState } from "preact/hooks";

import { Button, Field } from "../parts/controls";
import { Dialog } from "../parts/dialog";

const REASONS = ["too dark or blurred", "not for this project", "a duplicate", "unsure, somebody should decide"];

/** Why an image is put aside: a digit says it at once, or words of one's own. Admins and reviewers read it. */
export function SkipDialog({ onSkip, onClose }: { onSkip: (reason: string) => void; onClose: () => void }) {
  const [own, setOwn] = useState("");
  return (
    <Dialog title="Skip this image because" onClose={onClose}>
      <form
        class="skip"
        onKeyDown={(event) => {
          const reason = event.target instanceof HTMLInputElement ? undefined : REASONS[Number(event.key) - 1];
          event.stopPropagation();
          if (reason) onSkip(reason);
        }}
        onSubmit={(event) => {
          event.preventDefault();
          if (own.trim()) onSkip(own.trim());
        }}
      >
        {REASONS.map((reason, i) => (
          <button key={reason} type="button" class="button quiet" autofocus={i === 0} onClick={() => onSkip(reason)}>
            <kbd>{i + 1}</kbd>
            {reason}
          </button>
        ))}
        <Field label="Another reason" maxLength={500} value={own} onText={setOwn} />
        <div class="actions">
          <Button kind="primary" type="submit" disabled={!own.trim()}>
            Skip
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
