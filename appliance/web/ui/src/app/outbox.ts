import { computed, signal } from "@preact/signals";

import { complete, images } from "../api/client";
import { type Problem, toProblem } from "../api/problem";
import type { ImageAnnotations, NewComment, Task, Thread } from "../api/types";
import { ImageDocument } from "../editor/document";
import { type Intent, Journal, type Kept, type Remark } from "../editor/journal";
import { type Parcel, Post } from "../editor/post";
import { type Outcome, Saver } from "../editor/saver";
import { Errand } from "./errand";
import { Presence } from "./presence";
import { RemarkParcel } from "./remark";

export type Standing = "saved" | "waiting" | "saving" | "offline" | "refused" | "signed-out";

/** Work of an earlier page that the box has no place for: the image or the project is gone. */
export interface Stranded {
  kept: Kept;
  problem: Problem;
}

const SWEEP_MS = 30_000;
/** A page that says it goes still holds its lock for a moment. */
const AFTER_GONE_MS = 1_000;

/**
 * All that one user did and the box has not answered: of every image, whatever page is open.
 *
 * Each page sends its own work. What a page left behind is adopted by the next one of the same
 * user on the same box, and sent from there even if nobody opens the image again.
 */
export class Outbox {
  /** Changes on any image that the box does not have. */
  readonly unsent = signal(0);
  /** Submissions and skips the box has not answered. */
  readonly intents = signal<readonly Intent[]>([]);
  /** Those it refused, until somebody looked at them. */
  readonly returned = signal<readonly Intent[]>([]);
  readonly stranded = signal<readonly Stranded[]>([]);
  /** Comments the box has not answered, or has refused, in their order. */
  readonly remarks = signal<readonly Remark[]>([]);
  /** The thread of the comment the box took last. */
  readonly said = signal<Thread | null>(null);
  readonly unsaid = computed(() => this.remarks.value.filter((one) => one.refusal === null).length);
  readonly standing = computed((): Standing => {
    const nothing = this.unsent.value === 0 && this.intents.value.length === 0 && this.unsaid.value === 0;
    if (nothing) return "saved";
    if (this.post.signedOut.value) return "signed-out";
    if (this.post.offline.value) return "offline";
    if (this.post.busy.value) return "saving";
    return this.post.waiting.value > 0 ? "waiting" : "refused";
  });
  readonly post = new Post();
  readonly journal: Journal;
  private readonly userId: number;
  private readonly presence = new Presence();
  private readonly savers = new Map<number, Saver>();
  private readonly orphans = new Map<Kept, Parcel>();
  private readonly errands = new Map<number, Errand>();
  private readonly stops: (() => void)[] = [];
  private shown: number | null = null;
  private sweeping: Promise<void> | null = null;

  constructor(boxId: string, userId: number) {
    this.userId = userId;
    this.journal = new Journal(boxId, userId);
  }

  /** Begin with what earlier pages left. */
  async open(): Promise<void> {
    await this.journal.open();
    const listen = (target: EventTarget, kind: string, act: () => void): void => {
      target.addEventListener(kind, act);
      this.stops.push(() => target.removeEventListener(kind, act));
    };
    listen(window, "online", () => this.retry());
    listen(window, "pagehide", () => this.leave());
    const timer = setInterval(() => void this.sweep(), SWEEP_MS);
    this.stops.push(() => clearInterval(timer));
    this.presence.onGone = () => void setTimeout(() => void this.sweep(), AFTER_GONE_MS);
    await this.sweep();
  }

  /** Leave all to the journal: signed out, or somebody else is. */
  close(): void {
    for (const stop of this.stops) stop();
    this.post.close();
    this.presence.close();
    this.journal.close();
  }

  /** The way to the box may be free again. */
  retry(): void {
    void this.post.now();
    if (this.shown !== null) void this.savers.get(this.shown)?.catchUp();
  }

  /** Try to send everything now; true when nothing is left. */
  async flush(): Promise<boolean> {
    await this.post.now();
    if (this.post.waiting.value > 0 && !this.post.offline.value) await this.post.now();
    return this.unsent.value === 0 && this.intents.value.length === 0 && this.unsaid.value === 0;
  }

  /** The saver of an image, with what is unsent of it put onto what the box holds. */
  saver(projectId: number, present: ImageAnnotations): Saver {
    this.shown = present.image_id;
    const known = this.savers.get(present.image_id);
    if (known) {
      known.refresh(present.revision, present.annotations);
      void known.catchUp();
      return known;
    }
    const saver = this.made(projectId, present);
    const kept = [...this.orphans.keys()].find(({ place }) => place.imageId === present.image_id);
    if (kept) this.restore(saver, kept);
    return saver;
  }

  /** Let go of an image that is not shown any more; what is unsent stays. */
  release(imageId: number): boolean {
    const saver = this.savers.get(imageId);
    if (imageId === this.shown || (saver && (saver.unsentCount > 0 || saver.conflicts.value.length > 0))) return false;
    return this.savers.delete(imageId);
  }

  /** Somebody saved an image. */
  hear(imageId: number, revision: number): void {
    const saver = this.savers.get(imageId);
    saver?.hear(revision);
    if (imageId === this.shown) void saver?.catchUp();
  }

  /** Read the image that is shown again. */
  doubt(): void {
    if (this.shown !== null) void this.savers.get(this.shown)?.doubt();
  }

  /** Submit or skip a task once its changes are there; resolves when the box has taken it. */
  hand(facts: Omit<Intent, "at" | "refusal">): Promise<Task | null> {
    return new Promise((resolve, reject) => {
      const before = this.intents.value.at(-1)?.at ?? 0;
      this.carry({ ...facts, at: Math.max(Date.now(), before + 1), refusal: null }, resolve, reject);
      this.retry();
    });
  }

  /** Say something about an image; out of reach of the box it is said later. */
  say(projectId: number, imageId: number, comment: NewComment): void {
    const before = this.remarks.value.at(-1)?.at ?? 0;
    this.utter({ projectId, imageId, comment, at: Math.max(Date.now(), before + 1), refusal: null });
    this.retry();
  }

  /** Give up a comment that the box refused. */
  unsay({ comment }: Remark): void {
    this.journal.unremark(this.presence.page, comment.key);
    this.remarks.value = this.remarks.value.filter((one) => one.comment.key !== comment.key);
  }

  /** Somebody looked at what the box refused. */
  dismiss(intent: Intent): void {
    this.journal.fulfil(this.presence.page, intent.taskId);
    this.returned.value = this.returned.value.filter((one) => one !== intent);
  }

  /** Give up work that has no place any more. */
  discard(one: Stranded): void {
    this.journal.replace(one.kept.place, new Map(), null);
    this.stranded.value = this.stranded.value.filter((other) => other !== one);
    this.orphans.delete(one.kept);
    this.count();
  }

  /** Take over what pages left that are gone. */
  sweep(): Promise<void> {
    this.sweeping ??= this.adopt()
      .catch(() => undefined)
      .finally(() => (this.sweeping = null));
    return this.sweeping;
  }

  private async adopt(): Promise<void> {
    const { kept, intents, remarks } = await this.journal.adopt(this.presence.page, await this.presence.alive());
    for (const one of kept) {
      const parcel: Parcel = { push: () => this.deliver(one) };
      this.orphans.set(one, parcel);
      this.post.add(parcel);
    }
    for (const intent of intents) {
      if (intent.refusal !== null) this.returned.value = [...this.returned.value, intent];
      else this.carry(intent);
    }
    for (const remark of remarks) this.utter(remark);
    this.count();
    if (kept.length + intents.length + remarks.length > 0) this.retry();
  }

  private carry(intent: Intent, resolve?: (task: Task | null) => void, reject?: (problem: Problem) => void): void {
    const old = this.errands.get(intent.taskId);
    if (old) this.finish(old);
    const errand: Errand = new Errand(intent, {
      userId: this.userId,
      before: () => this.deliverAll(intent.imageId),
      saver: () => this.savers.get(intent.imageId),
      done: (task) => {
        this.journal.fulfil(this.presence.page, intent.taskId);
        this.finish(errand);
        resolve?.(task);
      },
      refused: (problem) => {
        const refused = { ...intent, refusal: problem.message };
        this.journal.intend(this.presence.page, refused);
        this.finish(errand);
        this.returned.value = [...this.returned.value.filter((one) => one.taskId !== intent.taskId), refused];
        reject?.(problem);
      },
    });
    this.returned.value = this.returned.value.filter((one) => one.taskId !== intent.taskId);
    this.errands.set(intent.taskId, errand);
    this.intents.value = [...this.intents.value, intent];
    this.journal.intend(this.presence.page, intent);
    this.post.add(errand);
  }

  private utter(remark: Remark): void {
    this.journal.remark(this.presence.page, remark);
    this.remarks.value = [...this.remarks.value, remark];
    if (remark.refusal !== null) return;
    const parcel: RemarkParcel = new RemarkParcel(remark, {
      done: (thread) => {
        this.said.value = thread;
        this.post.drop(parcel);
        this.unsay(remark);
      },
      refused: (problem) => {
        const refused = { ...remark, refusal: problem.message };
        this.journal.remark(this.presence.page, refused);
        this.post.drop(parcel);
        this.remarks.value = this.remarks.value.map((one) => (one === remark ? refused : one));
      },
    });
    this.post.add(parcel);
  }

  private finish(errand: Errand): void {
    this.post.drop(errand);
    this.errands.delete(errand.intent.taskId);
    this.intents.value = this.intents.value.filter((one) => one !== errand.intent);
  }

  /** Send what an earlier page left, without anybody looking at the image. */
  private async deliver(kept: Kept): Promise<Outcome> {
    if (!this.orphans.has(kept)) return "done";
    const { projectId, imageId } = kept.place;
    try {
      const saver = await this.saverOf(projectId, imageId);
      if (this.orphans.has(kept) && saver.unsentCount > 0) {
        const outcome = await saver.push();
        if (outcome !== "done" || saver.unsentCount > 0) return outcome === "done" ? "stuck" : outcome;
      }
      // Somebody opened the image while this waited: the work is in its saver already.
      if (this.orphans.has(kept)) this.restore(saver, kept);
      return await saver.push();
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status === 401) return "signed-out";
      if (problem.transient || problem.status >= 500) return problem.transient ? "later" : "stuck";
      this.stranded.value = [...this.stranded.value, { kept, problem }];
      return "done";
    }
  }

  /** Send all there is of one image. */
  private async deliverAll(imageId: number): Promise<Outcome> {
    for (const kept of [...this.orphans.keys()]) {
      if (kept.place.imageId !== imageId || this.stranded.value.some((one) => one.kept === kept)) continue;
      const outcome = await this.deliver(kept);
      if (outcome !== "done") return outcome;
    }
    const saver = this.savers.get(imageId);
    return saver && saver.unsentCount > 0 ? saver.push() : "done";
  }

  /** The one saver of an image: two of them would overwrite each other's rows in the journal. */
  private async saverOf(projectId: number, imageId: number): Promise<Saver> {
    const known = this.savers.get(imageId);
    if (known) return known;
    const present = await images.annotations(projectId, imageId);
    // The image may have been opened while the box was asked.
    return this.savers.get(imageId) ?? this.made(projectId, present);
  }

  private restore(saver: Saver, kept: Kept): void {
    const parcel = this.orphans.get(kept);
    this.orphans.delete(kept);
    if (parcel) this.post.drop(parcel);
    saver.restore(kept);
    this.count();
  }

  private made(projectId: number, present: ImageAnnotations): Saver {
    const imageId = present.image_id;
    const saver: Saver = new Saver(new ImageDocument(imageId, present.revision, present.annotations), {
      place: { projectId, imageId, lane: this.presence.page },
      keeper: this.journal,
      send: (diff, keepalive) => images.save(projectId, imageId, diff, keepalive),
      late: (diff) => images.late(projectId, imageId, diff),
      read: () => images.annotations(projectId, imageId),
      complete,
      onWork: () => this.post.add(saver),
      onCount: () => this.count(),
    });
    this.savers.set(imageId, saver);
    return saver;
  }

  private count(): void {
    let n = 0;
    for (const saver of this.savers.values()) n += saver.unsentCount;
    for (const { unsent, underway } of this.orphans.keys()) n += new Set([...unsent.keys(), ...(underway?.sent.keys() ?? [])]).size;
    this.unsent.value = n;
  }

  private leave(): void {
    for (const saver of this.savers.values()) saver.leave();
    this.presence.leave();
  }
}
