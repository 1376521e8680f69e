import { signal } from "@preact/signals";

import { Button } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { counted } from "../parts/words";
import { outbox, signOut } from "./session";

/** How long signing out waits for what is still on its way. */
const PATIENCE_MS = 2_000;

const asking = signal(false);

/** Sign out, or ask first while something is not on the box yet. */
export async function askToSignOut(): Promise<void> {
  const patience = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), PATIENCE_MS));
  const nothingLeft = outbox.value ? await Promise.race([outbox.value.flush(), patience]) : true;
  if (nothingLeft) await signOut();
  else asking.value = true;
}

export function SignOutWarning() {
  const box = outbox.value;
  if (!asking.value || !box) return null;
  const [changes, intents, said] = [box.unsent.value, box.intents.value.length, box.unsaid.value];
  const left = [changes > 0 && counted(changes, "change"), intents > 0 && counted(intents, "submission"), said > 0 && counted(said, "comment")].filter(Boolean).join(" and ");
  const one = changes + intents + said === 1;
  const kept = box.journal.durable.value;
  const close = (): void => void (asking.value = false);
  return (
    <Dialog title="Sign out" onClose={close}>
      <p>
        {left ? `${left} not on the box yet. ` : "Everything is on the box by now. "}
        {left && (kept ? `${one ? "It" : "All of it"} stays on this device, unseen by others, and goes out when you sign in here again.` : "This browser keeps nothing: signing out loses it.")}
      </p>
      <footer class="actions">
        <Button
          onClick={() => {
            close();
            void signOut();
          }}
        >
          {!left ? "Sign out" : `Sign out and ${kept ? "keep" : "lose"} ${one ? "it" : "them"}`}
        </Button>
        <Button kind="primary" onClick={close}>
          Stay
        </Button>
      </footer>
    </Dialog>
  );
}
