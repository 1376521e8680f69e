import type { Choice, Desk } from "../app/desk";
import { Button } from "./controls";
import { counted } from "./words";

const CHOICES: readonly [Choice, string][] = [
  ["both", "Keep both"],
  ["mine", "Keep mine"],
  ["theirs", "Keep theirs"],
];

/** Shapes that somebody else changed at the same time: both versions are there until one is chosen. */
export function Conflicts({ desk, onShow }: { desk: Desk; onShow?: (id: string) => void }) {
  const conflicts = desk.saver.conflicts.value;
  const first = conflicts[0];
  if (!first) return null;
  return (
    <div class="problem" role="alert">
      <p>
        {counted(conflicts.length, "object")} changed by somebody else meanwhile: both versions are here.
        {!first.theirs && " They deleted this one."}
        {!first.ours && " You deleted this one."}
      </p>
      {onShow && (
        <Button kind="quiet" onClick={() => onShow(first.copyId ?? first.id)}>
          Show
        </Button>
      )}
      {CHOICES.map(([choice, word]) => (
        <Button key={choice} kind="quiet" onClick={() => desk.choose(first, choice)}>
          {word}
        </Button>
      ))}
    </div>
  );
}
