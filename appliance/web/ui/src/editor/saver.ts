import type { Problem} from "../api/problem";
import { toProblem } from "../api/problem";
import type { Annotation, Diff, Draft, Saved, WireAnnotation } from "../api/types";
import { type ImageDocument, isPrediction } from "./document";
import { newId } from "./ids";

export type SaveState = "saved" | "waiting" | "saving" | "offline" | "refused";

interface Options {
  send: (diff: Diff, keepalive: boolean) => Promise<Saved>;
  complete: (wire: WireAnnotation) => Annotation;
  onState: (state: SaveState, problem: Problem | null) => void;
  /** Both versions of an annotation that somebody else changed are kept; says how many. */
  onConflict: (count: number) => void;
  /** Somebody else's change was passed over while ours was under way: `refresh` with what the box holds. */
  onBehind?: () => void;
  later?: (run: () => void, delayMs: number) => void;
}

const DELAY_MS = 400;
const RETRY_MS = 2_000;

const draft = (annotation: Annotation): Draft => ({
  id: annotation.id,
  label_id: annotation.label_id,
  geometry: annotation.geometry,
  attributes: annotation.attributes,
  rejected: annotation.status === "rejected",
  untouched: isPrediction(annotation),
});

/**
 * Send what a person changed, within a second, as diffs.
 *
 * A diff that got no answer is sent again with the same id, so that nothing is doubled. `base`
 * is what the box holds as far as is known; a diff is the difference to it.
 */
export class Saver {
  private readonly document: ImageDocument;
  private readonly options: Options;
  private readonly base: Map<string, Annotation>;
  private dirty = new Set<string>();
  private underway: { diff: Diff; sent: ReadonlyMap<string, Annotation | null> } | null = null;
  private running: Promise<void> | null = null;
  private stopped = false;
  private behind = false;

  constructor(document: ImageDocument, options: Options) {
    this.document = document;
    this.options = options;
    this.base = new Map(document.all.map((annotation) => [annotation.id, annotation]));
    document.listen((change, source) => {
      if (source !== "person") return;
      for (const id of change.keys()) this.dirty.add(id);
      this.plan(DELAY_MS);
      this.tell("waiting");
    });
  }

  /** Ids whose present version the box does not have yet. */
  get unsent(): ReadonlySet<string> {
    return new Set([...this.dirty, ...(this.underway?.sent.keys() ?? [])]);
  }

  /** Send all there is and wait for the answers. Rejects with the problem when they say no. */
  async flush(): Promise<void> {
    while (this.unsent.size > 0) {
      await this.run();
      if (this.lastProblem) throw this.lastProblem;
    }
  }

  /** Send what is left while the page goes away. */
  leave(): void {
    const diff = this.underway?.diff ?? this.take();
    if (diff) this.options.send(diff, true).catch(() => undefined);
    this.stopped = true;
  }

  /** Take what somebody else saved; what is not sent yet stays as it is here. */
  refresh(revision: number, annotations: readonly Annotation[]): void {
    if (this.underway) {
      this.behind = true;
      return;
    }
    if (revision < this.document.revision || (revision === this.document.revision && !this.behind)) return;
    this.behind = false;
    this.base.clear();
    for (const annotation of annotations) this.base.set(annotation.id, annotation);
    this.document.rebase(revision, annotations, this.unsent);
  }

  private lastProblem: Problem | null = null;

  private tell(state: SaveState, problem: Problem | null = null): void {
    this.lastProblem = problem;
    this.options.onState(state, problem);
  }

  private plan(delayMs: number): void {
    const later = this.options.later ?? ((run, ms) => void setTimeout(run, ms));
    later(() => {
      if (!this.stopped && this.unsent.size > 0) void this.run();
    }, delayMs);
  }

  private run(): Promise<void> {
    this.running ??= this.sendOnce().finally(() => (this.running = null));
    return this.running;
  }

  /** Make the next diff out of what is dirty; null when nothing differs. */
  private take(): Diff | null {
    const diff: Required<Diff> = { diff_id: newId(), revision: this.document.revision, added: [], changed: [], removed: [] };
    const sent = new Map<string, Annotation | null>();
    for (const id of this.dirty) {
      const [before, after] = [this.base.get(id) ?? null, this.document.get(id)];
      if (before === after) continue;
      if (!after) diff.removed.push(id);
      else if (before) diff.changed.push(draft(after));
      else diff.added.push(draft(after));
      sent.set(id, after);
    }
    this.dirty = new Set();
    if (sent.size === 0) return null;
    this.underway = { diff, sent };
    return diff;
  }

  private async sendOnce(): Promise<void> {
    const diff = this.underway?.diff ?? this.take();
    if (!diff || !this.underway) {
      this.tell("saved");
      return;
    }
    this.tell("saving");
    try {
      const saved = await this.options.send(diff, false);
      this.settle(saved.revision);
    } catch (error) {
      this.fail(toProblem(error));
    }
  }

  private settle(revision: number): void {
    for (const [id, after] of this.underway?.sent ?? []) {
      if (after) this.base.set(id, after);
      else this.base.delete(id);
    }
    this.underway = null;
    // Every change is one revision: a gap is what others saved and this page has not seen.
    this.behind ||= revision > this.document.revision + 1;
    this.document.revision = Math.max(this.document.revision, revision);
    if (this.dirty.size > 0) this.plan(DELAY_MS);
    this.tell(this.dirty.size > 0 ? "waiting" : "saved");
    if (this.behind) this.options.onBehind?.();
  }

  private fail(problem: Problem): void {
    if (problem.code === "stale-revision") {
      this.resolve(problem);
      return;
    }
    if (problem.transient || problem.status === 401) {
      this.tell("offline", problem);
      this.plan(RETRY_MS);
      return;
    }
    // The box will never take this diff: the changes stay here until they are changed again.
    for (const id of this.underway?.sent.keys() ?? []) this.dirty.add(id);
    this.underway = null;
    this.tell("refused", problem);
  }

  /** Somebody changed the same annotations first: theirs stand, ours stand beside them. */
  private resolve(problem: Problem): void {
    const facts = problem.details as unknown as { revision: number; conflicts: string[]; annotations: WireAnnotation[] };
    const theirs = facts.annotations.map(this.options.complete);
    const sent = this.underway?.sent ?? new Map<string, Annotation | null>();
    const collided = new Set(facts.conflicts);
    const copies = facts.conflicts.flatMap((id) => {
      const ours = sent.get(id);
      return ours ? [{ ...ours, id: newId(), source: "manual" as const }] : [];
    });
    this.underway = null;
    for (const id of sent.keys()) if (!collided.has(id)) this.dirty.add(id);
    for (const id of collided) this.dirty.delete(id);
    this.base.clear();
    for (const annotation of theirs) this.base.set(annotation.id, annotation);
    this.document.rebase(facts.revision, theirs, this.dirty);
    this.options.onConflict(collided.size);
    if (copies.length > 0) this.document.apply(this.document.change(copies), "person");
    else if (this.dirty.size > 0) this.plan(0);
    else this.tell("saved");
  }
}
