import type { Annotation } from "../api/types";
import type { Change, ImageDocument } from "./document";
import { same } from "./same";

/** What an undo or a redo does, and what it had to leave alone. */
export interface Replay {
  readonly change: Change;
  /** Annotations that somebody else changed since: theirs stands, in whole or in the fields they changed. */
  readonly theirs: readonly string[];
  /** Annotations that somebody else deleted since: they stay away. */
  readonly gone: readonly string[];
}

/** What a person changes; the rest of the fields says whose work it is, and follows. */
const CONTENT = ["label_id", "geometry", "attributes"] as const;
const STANDING = ["status", "source", "author_id", "confidence", "model_id"] as const;

/**
 * Fit a step to a document that others may have changed since.
 *
 * An annotation the step adds appears unless its id is taken; one the step deletes goes unless
 * somebody changed it; of one the step changes, each field goes to its new value where it still
 * has the old one, and it stands as the step has it (drawn, accepted, a prediction again) where
 * nothing of somebody else's is left in it. So an undo never overwrites what others did, and one
 * that nobody interfered with is exact.
 */
export function replayed(document: ImageDocument, step: Change): Replay {
  const change = new Map<string, { before: Annotation | null; after: Annotation | null }>();
  const [theirs, gone]: [string[], string[]] = [[], []];
  for (const [id, { before: from, after: to }] of step) {
    const now = document.get(id);
    const { next, whole } = one(now, from, to);
    if (next !== now) change.set(id, { before: now, after: next });
    if (!whole) (now ? theirs : gone).push(id);
  }
  return { change, theirs, gone };
}

type Record = Annotation | null;

/** What becomes of one annotation, and whether that is all the step asked for. */
function one(now: Record, from: Record, to: Record): { next: Record; whole: boolean } {
  if (now === from) return { next: to, whole: true };
  if (!now) return { next: null, whole: to === null };
  if (!from) return { next: now, whole: false };
  if (!to) return unchanged(now, from) ? { next: null, whole: true } : { next: now, whole: false };
  return merged(now, from, to);
}

const unchanged = (a: Annotation, b: Annotation): boolean => [...CONTENT, ...STANDING].every((field) => same(a[field], b[field]));

function merged(now: Annotation, from: Annotation, to: Annotation): { next: Annotation; whole: boolean } {
  const free = CONTENT.filter((field) => same(now[field], from[field]));
  const next = { ...now, ...Object.fromEntries(free.map((field) => [field, to[field]])) };
  const whole = CONTENT.every((field) => same(next[field], to[field])) && STANDING.every((field) => now[field] === from[field]);
  if (whole) return { next: now.revision === to.revision ? to : { ...to, revision: now.revision }, whole };
  return { next: unchanged(next, now) ? now : next, whole };
}
