import type { Outbox } from "../app/outbox";
import { counted } from "./words";

/** What of all this person's work the box does not have yet, in words. */
export function saveWords(outbox: Outbox, revision: number | null): string {
  const changes = counted(outbox.unsent.value, "change");
  const intents = outbox.intents.value.length;
  const said = outbox.unsaid.value;
  const others = [intents > 0 && counted(intents, "submission"), said > 0 && counted(said, "comment")].filter(Boolean);
  const kept = `${[changes, ...others].join(" and ")} kept`;
  switch (outbox.standing.value) {
    case "saved":
      return revision === null ? "Saved" : `Saved, revision ${revision}`;
    case "waiting":
    case "saving":
      return outbox.unsent.value > 0 ? `Saving ${changes}` : `Sending ${others.join(" and ")}`;
    case "offline":
      return `Offline · ${kept}`;
    case "signed-out":
      return `Signed out · ${kept}`;
    case "refused":
      return `Not saved · ${kept} here`;
  }
}

/** The part of the status line that tells how safe the work is. */
export function SaveLine({ outbox, revision }: { outbox: Outbox | null; revision: number | null }) {
  if (!outbox) return null;
  return (
    <>
      {!outbox.journal.durable.value && (
        <span class="fault" role="alert">
          This browser keeps nothing: do not close the page while changes are unsaved.
        </span>
      )}
      <span role="status">{saveWords(outbox, revision)}</span>
    </>
  );
}
