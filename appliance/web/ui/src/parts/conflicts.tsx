import { history, type Revision } from "../api/history";
import type { Choice, Desk } from "../app/desk";
import { me } from "../app/session";
import { useLoad } from "../app/use";
import type { Conflict } from "../editor/pending";
import { Button } from "./controls";
import { count } from "./words";

/** Who made the other version: by name, this person on another page, or nobody knows. */
export function otherSide({ ours, theirs }: Conflict, revisions: readonly Revision[], myId: number | null): string {
  const since = ours?.revision ?? 0;
  const made = theirs
    ? revisions.filter((one) => one.revision === theirs.revision)
    : revisions.filter((one) => one.revision > since && one.removed > 0 && one.author_id !== myId);
  const [first, ...others] = new Set(made.map((one) => (one.author_id === myId ? "You, on another page," : (one.author ?? "Somebody else"))));
  return first === undefined || others.length > 0 ? "Somebody else" : first;
}

/** "Ada changed this object while you did: both versions are here." */
export function conflictWords({ ours, theirs, copyId }: Conflict, who: string): string {
  if (!theirs) return `${who} deleted this object while you changed it: your version is here.`;
  if (!ours) return `${who} changed this object while you deleted it: the changed one is here.`;
  if (!copyId) return `${who} changed this object while you judged it: the changed one is here.`;
  return `${who} changed this object while you did: both versions are here.`;
}

/** What there is to choose between, with the words for it. */
export function choices({ ours, theirs, copyId }: Conflict): readonly [Choice, string][] {
  if (!theirs) return [["mine", "Keep mine"], ["theirs", "Delete it"]];
  if (!ours) return [["theirs", "Keep theirs"], ["mine", "Delete it"]];
  const one: [Choice, string][] = [["mine", "Keep mine"], ["theirs", "Keep theirs"]];
  return copyId ? [["both", "Keep both"], ...one] : one;
}

/** Shapes that somebody else changed at the same time: both versions are there until one is chosen. */
export function Conflicts({ desk, onShow }: { desk: Desk; onShow?: (id: string) => void }) {
  const conflicts = desk.saver.conflicts.value;
  const first = conflicts[0];
  return first ? <Open key={first.id} desk={desk} first={first} more={conflicts.length - 1} onShow={onShow} /> : null;
}

interface Props {
  desk: Desk;
  first: Conflict;
  more: number;
  onShow?: (id: string) => void;
}

function Open({ desk, first, more, onShow }: Props) {
  const made = useLoad(async () => (await history.ofImage(desk.projectId, desk.imageId, null)).items, [desk, first]);
  if (!made.value && !made.problem) return null;
  const who = otherSide(first, made.value ?? [], me.value?.id ?? null);
  return (
    <div class="problem" role="alert">
      <p>
        {conflictWords(first, who)}
        {more > 0 && ` ${count(more)} more after this one.`}
      </p>
      {onShow && (
        <Button kind="quiet" onClick={() => onShow(first.copyId ?? first.id)}>
          Show
        </Button>
      )}
      {choices(first).map(([choice, word]) => (
        <Button key={choice} kind="quiet" onClick={() => desk.choose(first, choice)}>
          {word}
        </Button>
      ))}
    </div>
  );
}
