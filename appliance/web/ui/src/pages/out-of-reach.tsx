import { useEffect, useState } from "preact/hooks";

import { type Recalled, recall } from "../app/recall";
import { loadSession, openAgain } from "../app/session";
import { Journal, type Tally } from "../editor/journal";
import { Button } from "../parts/controls";
import { counted } from "../parts/words";
import { Gate } from "./gate";

const ASK_AGAIN_MS = 2_000;

/** What this page waits with, of the person who was here last. */
interface Left extends Tally {
  last: Recalled;
}

async function leftHere(): Promise<Left | null> {
  const last = await recall.last();
  if (!last) return null;
  const journal = new Journal(last.session.box.id, last.session.user.id);
  await journal.open();
  const tally = await journal.tally();
  journal.close();
  return { last, ...tally };
}

export function leftWords({ changes, intents, remarks }: Tally): string {
  const parts = [changes > 0 && counted(changes, "change"), intents > 0 && counted(intents, "submission"), remarks > 0 && counted(remarks, "comment")].filter(Boolean);
  if (parts.length === 0) return "Everything that was done here is on the box.";
  return `${parts.join(" and ")} kept on this device: they go out by themselves when the box is back.`;
}

/** The console is there and the box is not: what is kept, and that it goes on by itself. */
export function OutOfReach() {
  const [left, setLeft] = useState<Left | null>(null);
  useEffect(() => {
    leftHere().then(setLeft, () => undefined);
    const again = (): void => void loadSession();
    const timer = setInterval(again, ASK_AGAIN_MS);
    addEventListener("online", again);
    return () => {
      clearInterval(timer);
      removeEventListener("online", again);
    };
  }, []);
  return (
    <Gate title="The box is out of reach">
      <p role="status">{left && leftWords(left)}</p>
      <p class="second">Check that it is on and on the same network. This page goes on by itself when it answers.</p>
      {left && (
        <p>
          <Button icon="back" onClick={() => openAgain(left.last)}>
            Go on with {left.last.name}
          </Button>
        </p>
      )}
    </Gate>
  );
}
