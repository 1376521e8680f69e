import type { Annotation } from "../api/types";
import { same } from "./same";

export type AnnotationState = "prediction" | "drawn" | "accepted" | "approved" | "rejected";
export const STATES: readonly AnnotationState[] = ["prediction", "drawn", "accepted", "approved", "rejected"];

/** How an annotation stands, in the words of the object list. */
export function stateOf(annotation: Annotation): AnnotationState {
  if (annotation.status === "rejected") return "rejected";
  if (annotation.status === "approved") return "approved";
  if (annotation.source !== "model") return "drawn";
  return annotation.author_id === null ? "prediction" : "accepted";
}

export const isPrediction = (annotation: Annotation): boolean => stateOf(annotation) === "prediction";

/** What one step did to each annotation it touched; null where it was not there. */
export type Change = ReadonlyMap<string, { before: Annotation | null; after: Annotation | null }>;

export function invert(change: Change): Change {
  return new Map([...change].map(([id, { before, after }]) => [id, { before: after, after: before }]));
}

/** Two steps as one; what they bring back to where it was is left out. */
export function compose(first: Change, second: Change): Change {
  const whole = new Map(first);
  for (const [id, { before, after }] of second) {
    const from = first.has(id) ? (first.get(id)?.before ?? null) : before;
    if (from === after) whole.delete(id);
    else whole.set(id, { before: from, after });
  }
  return whole;
}

export type ChangeSource = "person" | "server";
type Listener = (change: Change, source: ChangeSource) => void;

/** The annotations of one image. Every change is a diff with its source; order is drawing order. */
export class ImageDocument {
  readonly imageId: number;
  revision: number;
  private readonly records = new Map<string, Annotation>();
  private readonly listeners = new Set<Listener>();
  private list: readonly Annotation[] | null = null;

  constructor(imageId: number, revision: number, annotations: readonly Annotation[]) {
    this.imageId = imageId;
    this.revision = revision;
    for (const annotation of annotations) this.records.set(annotation.id, annotation);
  }

  /** All annotations in drawing order; the same array until something changes. */
  get all(): readonly Annotation[] {
    this.list ??= [...this.records.values()];
    return this.list;
  }

  get size(): number {
    return this.records.size;
  }

  get(id: string): Annotation | null {
    return this.records.get(id) ?? null;
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Make the change that puts `after` where the present record of each id is. */
  change(after: readonly Annotation[], removed: readonly string[] = []): Change {
    const change = new Map<string, { before: Annotation | null; after: Annotation | null }>();
    for (const annotation of after) change.set(annotation.id, { before: this.get(annotation.id), after: annotation });
    for (const id of removed) if (this.get(id)) change.set(id, { before: this.get(id), after: null });
    return change;
  }

  apply(change: Change, source: ChangeSource): void {
    this.list = null;
    for (const [id, { after }] of change) {
      if (after) this.records.set(id, after);
      else this.records.delete(id);
    }
    for (const listener of [...this.listeners]) listener(change, source);
  }

  /** Take the server's present state, except for annotations the caller still has to send. */
  rebase(revision: number, annotations: readonly Annotation[], unsent: ReadonlySet<string>): void {
    this.revision = revision;
    const there = new Set(annotations.map((annotation) => annotation.id));
    const gone = [...this.records.keys()].filter((id) => !there.has(id) && !unsent.has(id));
    const news = annotations.filter((theirs) => !unsent.has(theirs.id) && !this.renumbered(theirs));
    const change = this.change(news, gone);
    if (change.size > 0) this.apply(change, "server");
  }

  /** Take the revision of a record that is otherwise the same here; nobody needs to hear of that. */
  private renumbered(theirs: Annotation): boolean {
    const ours = this.records.get(theirs.id);
    if (!ours || !same({ ...ours, revision: theirs.revision }, theirs)) return false;
    if (ours.revision !== theirs.revision) {
      this.records.set(ours.id, { ...ours, revision: theirs.revision });
      this.list = null;
    }
    return true;
  }
}
