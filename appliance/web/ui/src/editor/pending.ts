import type { Annotation, Diff, Draft } from "../api/types";
import { type Change, type ImageDocument, isPrediction } from "./document";
import { newId } from "./ids";

/** One annotation that the box does not hold as it is here; null where it is not there. */
export interface Unsent {
  after: Annotation | null;
  /** What the box holds of it as far as is known, or, `onTop`, what the diff under way will leave. */
  base: Annotation | null;
  onTop: boolean;
}

/** A diff that was sent and not answered: it goes out again as it is. */
export interface Underway {
  diff: Diff;
  sent: ReadonlyMap<string, Unsent>;
}

/** An annotation two people changed at once: theirs stands, ours beside it as `copyId`. */
export interface Conflict {
  id: string;
  ours: Annotation | null;
  theirs: Annotation | null;
  copyId: string | null;
}

/** The box takes 10,000 of a kind in one diff; half of it keeps the answer quick. */
const MOST = 5_000;

export const draft = (annotation: Annotation): Draft => ({
  id: annotation.id,
  label_id: annotation.label_id,
  geometry: annotation.geometry,
  attributes: annotation.attributes,
  rejected: annotation.status === "rejected",
  untouched: isPrediction(annotation),
});

/** Equal as JSON values, whatever the order of the keys. */
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), b as Record<string, unknown>];
  return left.length === Object.keys(b).length && left.every(([key, value]) => equal(value, right[key]));
}

/** The same to a person: status, author and revision are the box's business. */
export function same(a: Annotation | null, b: Annotation | null): boolean {
  return a === b || (a !== null && b !== null && equal(draft(a), { ...draft(b), id: a.id }));
}

/** What of one image the box does not have yet. Each step costs what changed, not what is there. */
export class Pending {
  readonly document: ImageDocument;
  /** Changed since the diff under way was made. */
  readonly dirty = new Map<string, Unsent>();
  /** Of those, what the box refused: it waits to be changed. */
  readonly refused = new Set<string>();
  underway: Underway | null = null;

  constructor(document: ImageDocument) {
    this.document = document;
  }

  /** Ids whose present version the box does not have. */
  get ids(): Set<string> {
    return new Set([...this.dirty.keys(), ...(this.underway?.sent.keys() ?? [])]);
  }

  get size(): number {
    let n = this.dirty.size;
    for (const id of this.underway?.sent.keys() ?? []) if (!this.dirty.has(id)) n++;
    return n;
  }

  /** True when there is something that the box has not refused. */
  get sendable(): boolean {
    return this.underway !== null || this.dirty.size > this.refused.size;
  }

  /** The image as the box has it, as far as is known. */
  get held(): Annotation[] {
    const held = new Map(this.document.all.map((one) => [one.id, one]));
    for (const [id, { base }] of [...this.dirty, ...(this.underway?.sent ?? [])]) {
      if (base) held.set(id, base);
      else held.delete(id);
    }
    return [...held.values()];
  }

  /** Take in what a person changed; returns what is unsent of it now, null where nothing is left. */
  note(change: Change): Map<string, Unsent | null> {
    const rows = new Map<string, Unsent | null>();
    for (const [id, { before, after }] of change) {
      this.refused.delete(id);
      const unsent = { ...(this.dirty.get(id) ?? this.unchanged(id, before)), after };
      const undone = same(unsent.after, unsent.base);
      if (undone) this.dirty.delete(id);
      else this.dirty.set(id, unsent);
      rows.set(id, undone ? null : unsent);
    }
    return rows;
  }

  /** Make the next diff; null when there is nothing to send. */
  take(): Underway | null {
    const diff: Required<Diff> = { diff_id: newId(), revision: this.document.revision, added: [], changed: [], removed: [] };
    const sent = new Map<string, Unsent>();
    for (const [id, unsent] of this.dirty) {
      if (this.refused.has(id)) continue;
      if (!unsent.after) diff.removed.push(id);
      else if (unsent.base) diff.changed.push(draft(unsent.after));
      else diff.added.push(draft(unsent.after));
      sent.set(id, unsent);
      if (sent.size === MOST) break;
    }
    if (sent.size === 0) return null;
    for (const id of sent.keys()) this.dirty.delete(id);
    this.underway = { diff, sent };
    return this.underway;
  }

  /** The box has the diff under way. */
  settle(): void {
    for (const [id, { after }] of this.underway?.sent ?? []) {
      const later = this.dirty.get(id);
      if (later) this.dirty.set(id, { ...later, base: after, onTop: false });
    }
    this.underway = null;
  }

  /** The box does not take the diff under way: what was in it waits again. */
  back(): void {
    for (const [id, unsent] of this.underway?.sent ?? []) if (!this.dirty.has(id)) this.dirty.set(id, unsent);
    this.drop();
  }

  /** The diff under way went elsewhere: only what was changed since then is unsent. */
  drop(): void {
    for (const [id, unsent] of this.underway?.sent ?? []) {
      const later = this.dirty.get(id);
      if (!later) continue;
      const whole = { ...unsent, after: later.after };
      if (same(whole.after, whole.base)) this.dirty.delete(id);
      else this.dirty.set(id, whole);
    }
    this.underway = null;
  }

  /**
   * Take the box's present state. What nobody else touched stays as it is here; where both did,
   * theirs stands and the conflict is returned. Only without a diff under way.
   */
  merge(revision: number, annotations: readonly Annotation[]): Conflict[] {
    const there = new Map(annotations.map((annotation) => [annotation.id, annotation]));
    const conflicts: Conflict[] = [];
    for (const [id, unsent] of [...this.dirty]) {
      const theirs = there.get(id) ?? null;
      if (same(theirs, unsent.base)) {
        this.dirty.set(id, { ...unsent, base: theirs });
        continue;
      }
      this.dirty.delete(id);
      this.refused.delete(id);
      if (!same(theirs, unsent.after)) conflicts.push({ id, ours: unsent.after, theirs, copyId: worthKeeping(unsent.after) ? newId() : null });
    }
    this.document.rebase(revision, annotations, new Set(this.dirty.keys()));
    return conflicts;
  }

  /** Put back what an earlier page left unsent onto what the box holds; the caller merges afterwards. */
  restore(unsent: ReadonlyMap<string, Unsent>, underway: Underway | null): void {
    this.underway = underway;
    for (const [id, one] of unsent) this.dirty.set(id, one);
    const now = new Map([...(underway?.sent ?? []), ...unsent]);
    const put = [...now.values()].flatMap(({ after }) => after ?? []);
    const gone = [...now].flatMap(([id, { after }]) => (after ? [] : [id]));
    const change = this.document.change(put, gone);
    if (change.size > 0) this.document.apply(change, "server");
  }

  private unchanged(id: string, before: Annotation | null): Unsent {
    const sent = this.underway?.sent.get(id);
    return sent ? { after: null, base: sent.after, onTop: true } : { after: null, base: before, onTop: false };
  }
}

/** A verdict on a prediction is no shape of its own that could stand beside another. */
const worthKeeping = (ours: Annotation | null): ours is Annotation =>
  ours !== null && ours.status !== "rejected" && !isPrediction(ours);

/** Our version of each conflict as an annotation of its own. */
export function copies(conflicts: readonly Conflict[]): Annotation[] {
  return conflicts.flatMap(({ ours, copyId }) =>
    ours && copyId ? [{ ...ours, id: copyId, source: "manual" as const, confidence: null, model_id: null }] : [],
  );
}
