import { signal } from "@preact/signals-core";

import { type Problem, toProblem } from "../api/problem";
import type { Annotation, Diff, ImageAnnotations, Saved, WireAnnotation } from "../api/types";
import type { ImageDocument } from "./document";
import type { Keeper, Kept, Place } from "./journal";
import { type Conflict, copies, Pending, type Underway } from "./pending";

export type SaveState = "saved" | "waiting" | "saving" | "offline" | "refused";
/** `later`: the box cannot be reached; `again`: there is more to send; `stuck`: this image alone has to wait. */
export type Outcome = "done" | "again" | "later" | "stuck" | "signed-out";

/** How one image's diffs reach the box. */
export interface Carrier {
  send: (diff: Diff, keepalive: boolean) => Promise<Saved>;
  /** Hand in a diff that the box does not take into the image any more. */
  late: (diff: Diff) => Promise<unknown>;
  read: () => Promise<ImageAnnotations>;
  complete: (wire: WireAnnotation) => Annotation;
}

interface Options extends Carrier {
  place: Place;
  keeper: Keeper;
  /** There is something to send. */
  onWork: () => void;
  /** How much is unsent may have changed. */
  onCount?: () => void;
}

const CULPRIT = /^(added|changed)\.(\d+)(\.|$)/;
/** A page that goes away may send this many bytes after it. Source: Fetch standard, keepalive: 64 KiB in all. */
const KEEPALIVE_BYTES = 60_000;

/**
 * Send what a person changed on one image, as diffs; whoever made it calls `push` when it is time.
 *
 * Every change is kept by the journal at once. A diff that got no answer is sent again as it was,
 * with the same id, so that nothing is doubled.
 */
export class Saver {
  readonly state = signal<SaveState>("saved");
  /** Why the box refused what it refused. */
  readonly problem = signal<Problem | null>(null);
  /** Shapes that two people changed at once, until somebody chose. */
  readonly conflicts = signal<readonly Conflict[]>([]);
  /** Changes that came when the image was in review or done: kept at the box for a reviewer. */
  readonly late = signal(0);
  readonly document: ImageDocument;
  private readonly options: Options;
  private place: Place;
  private readonly pending: Pending;
  private running: Promise<Outcome> | null = null;
  /** The box holds more than this page has seen. */
  private behind = false;
  /** The newest revision somebody told of. */
  private heard = 0;
  private reading: Promise<void> | null = null;
  /** Counts doubts: one that comes while the box is read may be newer than its answer. */
  private doubts = 0;

  constructor(document: ImageDocument, options: Options) {
    this.document = document;
    this.options = options;
    this.place = options.place;
    this.pending = new Pending(document);
    document.listen((change, source) => {
      if (source !== "person") return;
      options.keeper.note(this.place, this.pending.note(change));
      this.tell();
      if (this.pending.sendable) options.onWork();
    });
  }

  /** Ids whose present version the box does not have yet. */
  get unsent(): ReadonlySet<string> {
    return this.pending.ids;
  }

  get unsentCount(): number {
    return this.pending.size;
  }

  /** The image without what is unsent of it: what a later page can put the journal's work onto. */
  get held(): Omit<ImageAnnotations, "late"> {
    return { image_id: this.document.imageId, revision: this.document.revision, annotations: this.pending.held };
  }

  /** Send the next diff and take in the answer; never rejects. */
  push(): Promise<Outcome> {
    this.running ??= this.sendOnce().finally(() => {
      this.running = null;
      if (this.state.value === "saving") this.tell();
    });
    return this.running;
  }

  /** Send all there is and wait for the answers. Rejects with the problem when they say no. */
  async flush(): Promise<void> {
    while (this.pending.size > 0) {
      const outcome = await this.push();
      if (outcome === "done" && this.pending.size === 0) return;
      if ((outcome !== "done" && outcome !== "again") || !this.pending.sendable) throw this.problem.value ?? toProblem("not sent");
    }
  }

  /** Send what is left while the page goes away; whatever comes of it, the journal has it. */
  leave(): void {
    const parcel = this.pending.underway ?? this.take();
    if (parcel && JSON.stringify(parcel.diff).length < KEEPALIVE_BYTES)
      this.options.send(parcel.diff, true).catch(() => undefined);
  }

  /** Go on with what an earlier page left of this image. Only while nothing else is unsent. */
  restore(kept: Kept): void {
    const [revision, present] = [this.document.revision, this.document.all];
    this.place = kept.place;
    this.pending.restore(kept.unsent, kept.underway);
    if (kept.underway) {
      // What was changed on top of it is compared with the box's state once it is answered.
      this.behind = true;
      this.document.revision = Math.min(revision, kept.underway.diff.revision);
    } else this.merge(revision, present);
    this.settled();
  }

  /** Learn that the box is at a revision; `catchUp` asks for what others did. */
  hear(revision: number): void {
    this.heard = Math.max(this.heard, revision);
  }

  /** Others may have done something unheard: ask. */
  doubt(): Promise<void> {
    this.behind = true;
    this.doubts++;
    return this.catchUp();
  }

  /** Ask for what others did, if they did anything; whoever asks meanwhile waits for the same answer. */
  catchUp(): Promise<void> {
    this.reading ??= this.readOn().finally(() => (this.reading = null));
    return this.reading;
  }

  private async readOn(): Promise<void> {
    for (;;) {
      const { heard, doubts } = this;
      const missing = this.behind || heard > this.document.revision;
      if (!missing || this.pending.underway) return;
      this.behind = true;
      try {
        const now = await this.options.read();
        this.refresh(now.revision, now.annotations);
      } catch {
        // Asked for again with the next answer or event.
        return;
      }
      if (doubts !== this.doubts) this.behind = true;
      else if (heard === this.heard) return;
    }
  }

  /** Take what somebody else saved; what is not sent yet stays as it is here. */
  refresh(revision: number, annotations: readonly Annotation[]): void {
    if (this.pending.underway) {
      this.behind = true;
      return;
    }
    if (revision < this.document.revision || (revision === this.document.revision && !this.behind)) return;
    this.behind = false;
    this.merge(revision, annotations);
    this.settled();
  }

  /** Somebody chose between the versions of a conflict. */
  chosen(conflict: Conflict): void {
    this.conflicts.value = this.conflicts.value.filter((one) => one !== conflict);
  }

  private tell(state?: SaveState, problem: Problem | null = null): void {
    const { size, sendable } = this.pending;
    this.problem.value = problem ?? (size > 0 ? this.problem.value : null);
    this.state.value = state ?? (size === 0 ? "saved" : sendable ? "waiting" : "refused");
    this.options.onCount?.();
  }

  /** Write down what is left unsent after an answer or a merge. */
  private settled(): void {
    this.options.keeper.replace(this.place, this.pending.dirty, this.pending.underway);
    this.tell();
    if (this.pending.sendable) this.options.onWork();
  }

  private take(): Underway | null {
    const parcel = this.pending.take();
    if (parcel) this.options.keeper.replace(this.place, this.pending.dirty, parcel);
    return parcel;
  }

  private async sendOnce(): Promise<Outcome> {
    const parcel = this.pending.underway ?? this.take();
    if (!parcel) {
      this.tell();
      return "done";
    }
    this.tell("saving");
    try {
      const saved = await this.options.send(parcel.diff, false);
      await this.answered(saved.revision);
    } catch (error) {
      return await this.fail(parcel, toProblem(error));
    }
    return this.pending.sendable ? "again" : "done";
  }

  private async answered(revision: number): Promise<void> {
    this.pending.settle();
    // Every change is one revision: a gap is what others saved and this page has not seen. Until it
    // has, its diffs stand on the old revision, so that they cannot pass over what is in the gap.
    this.behind ||= revision > this.document.revision + 1;
    if (!this.behind) this.document.revision = Math.max(this.document.revision, revision);
    this.settled();
    await this.catchUp();
  }

  private async fail(parcel: Underway, problem: Problem): Promise<Outcome> {
    if (problem.code === "stale-revision") {
      this.collide(problem);
      return "again";
    }
    if (problem.status === 401) {
      this.tell("offline", problem);
      return "signed-out";
    }
    if (problem.transient) {
      this.tell("offline", problem);
      return "later";
    }
    if (problem.status >= 500) {
      this.tell("refused", problem);
      return "stuck";
    }
    if (problem.code === "conflict" || problem.code === "forbidden") return this.handInLate(parcel, problem);
    return this.refuse(parcel, problem);
  }

  /** Somebody changed the same annotations first: theirs stand, ours stand beside them. */
  private collide(problem: Problem): void {
    const facts = problem.details as unknown as { revision: number; annotations: WireAnnotation[] };
    this.pending.back();
    this.behind = false;
    this.merge(facts.revision, facts.annotations.map(this.options.complete));
    this.settled();
  }

  private merge(revision: number, annotations: readonly Annotation[]): void {
    const conflicts = this.pending.merge(revision, annotations);
    if (conflicts.length === 0) return;
    this.conflicts.value = [...this.conflicts.value, ...conflicts];
    this.document.apply(this.document.change(copies(conflicts)), "person");
  }

  /** The image is in review or somebody else's by now: the box keeps the work beside it. */
  private async handInLate(parcel: Underway, why: Problem): Promise<Outcome> {
    try {
      await this.options.late(parcel.diff);
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status === 401) return "signed-out";
      return problem.transient ? "later" : this.refuse(parcel, why);
    }
    this.late.value += parcel.sent.size;
    this.pending.drop();
    this.behind = true;
    this.settled();
    await this.catchUp();
    return this.pending.sendable ? "again" : "done";
  }

  /** The box will never take this: what is to blame stays here until it is changed, the rest goes on. */
  private refuse(parcel: Underway, problem: Problem): Outcome {
    const at = CULPRIT.exec(problem.field ?? "");
    const list = at?.[1] === "added" ? parcel.diff.added : parcel.diff.changed;
    const culprit = at ? list?.[Number(at[2])]?.id : undefined;
    this.pending.back();
    for (const id of culprit ? [culprit] : parcel.sent.keys()) if (this.pending.dirty.has(id)) this.pending.refused.add(id);
    this.problem.value = problem;
    this.settled();
    return this.pending.sendable ? "again" : "done";
  }
}
