import { computed, signal } from "@preact/signals";

import { comments } from "../api/client";
import { type Problem, toProblem } from "../api/problem";
import type { Annotation, Pin, Thread } from "../api/types";
import { outbox } from "../app/session";
import { newId } from "../editor/ids";
import type { Remark } from "../editor/journal";
import { bounds } from "../editor/shape";
import { contains } from "../geometry";

/** A thread as it is shown: what the box holds of it and what is on its way. */
export interface Talked {
  key: string;
  number: number;
  /** Null while the box does not have it. */
  thread: Thread | null;
  pending: readonly Remark[];
  annotationId: string | null;
  x: number | null;
  y: number | null;
}

export type Standing = "open" | "answered" | "resolved" | "unsent";

export function standingOf({ thread }: Talked): Standing {
  if (!thread) return "unsent";
  if (thread.resolved_at_ms !== null) return "resolved";
  return thread.answered ? "answered" : "open";
}

/** What is said about the image on the bench. */
export class Talk {
  /** The key of the thread that is open. */
  readonly open = signal<string | null>(null);
  /** Where the thread that is being written will be; its pin is null for the image as a whole. */
  readonly begun = signal<{ pin: Pin | null } | null>(null);
  /** The next press on the picture says where. */
  readonly placing = signal(false);
  readonly problem = signal<Problem | null>(null);
  private readonly threads = signal<readonly Thread[]>([]);
  private readonly image = signal<{ projectId: number; imageId: number } | null>(null);
  private turn = 0;

  readonly list = computed((): readonly Talked[] => {
    const imageId = this.image.value?.imageId;
    const pending = (outbox.value?.remarks.value ?? []).filter((one) => one.imageId === imageId);
    const known = this.threads.value;
    const there = new Set(known.flatMap((thread) => thread.comments.map((comment) => comment.key)));
    const waiting = pending.filter((one) => !there.has(one.comment.key));
    const found = known.map((thread): Talked => ({
      ...placed(thread), key: thread.key, number: thread.number, thread,
      pending: waiting.filter((one) => one.comment.reply_to === thread.key),
    }));
    const last = found.at(-1)?.number ?? 0;
    const fresh = waiting.filter((one) => !one.comment.reply_to).map(({ comment }, i): Talked => ({
      key: comment.key, number: last + 1 + i, thread: null, annotationId: comment.pin?.annotation_id ?? null,
      x: comment.pin?.x ?? null, y: comment.pin?.y ?? null,
      pending: waiting.filter((one) => one.comment.key === comment.key || one.comment.reply_to === comment.key),
    }));
    return [...found, ...fresh];
  });
  readonly waiting = computed(() => this.list.value.filter((one) => standingOf(one) !== "resolved"));
  readonly unread = computed(() => this.threads.value.reduce((n, thread) => n + thread.unread, 0));

  /** Turn to an image: what was being written on another one goes. What is said of it comes by `reload`. */
  show(projectId: number, imageId: number | null): void {
    const now = this.image.peek();
    if (now?.projectId === projectId && now.imageId === imageId) return;
    this.turn++;
    this.threads.value = [];
    this.open.value = null;
    this.begun.value = null;
    this.placing.value = false;
    this.problem.value = null;
    this.image.value = imageId === null ? null : { projectId, imageId };
  }

  async reload(): Promise<void> {
    const [at, turn] = [this.image.peek(), this.turn];
    if (!at) return;
    try {
      const found = await comments.of(at.projectId, at.imageId);
      if (turn === this.turn) this.threads.value = found;
    } catch (error) {
      const problem = toProblem(error);
      if (turn === this.turn && !problem.transient) this.problem.value = problem;
    }
  }

  /** Take in a thread as the box has answered it. */
  take(thread: Thread | null): void {
    if (!thread || thread.image_id !== this.image.peek()?.imageId) return;
    const others = this.threads.peek().filter((one) => one.id !== thread.id);
    const kept = thread.comments.some((comment) => comment.deleted_at_ms === null) ? [thread] : [];
    this.threads.value = [...others, ...kept].sort((a, b) => a.number - b.number);
  }

  /** Begin a thread; what is written so far goes with it. */
  begin(pin: Pin | null): void {
    this.placing.value = false;
    this.open.value = null;
    this.begun.value = { pin };
  }

  /** Say something: a reply, or what was begun. */
  say(text: string, replyTo: Talked | null): void {
    const at = this.image.peek();
    if (!at || !outbox.value) return;
    const pin = this.begun.peek()?.pin ?? null;
    const key = newId();
    outbox.value.say(at.projectId, at.imageId, { key, text, ...(replyTo ? { reply_to: replyTo.key } : pin ? { pin } : {}) });
    if (replyTo) return;
    this.begun.value = null;
    this.open.value = key;
  }

  /** Open a thread, or close it; what is in it is read by that. */
  toggle(key: string): void {
    this.begun.value = null;
    this.open.value = this.open.peek() === key ? null : key;
    if (this.open.peek() !== null) this.read(key);
  }

  /** Leave what is being placed or written; false when that is nothing. */
  leave(): boolean {
    const busy = this.placing.peek() || this.begun.peek() !== null;
    this.placing.value = false;
    this.begun.value = null;
    return busy;
  }

  /** The next pin that waits for an answer, around the end; null where none does. */
  next(): Talked | null {
    const waiting = this.list.peek().filter((one) => standingOf(one) === "open" && one.x !== null);
    const now = this.list.peek().find((one) => one.key === this.open.peek())?.number ?? 0;
    const found = waiting.find((one) => one.number > now) ?? waiting[0] ?? null;
    if (found) {
      this.begun.value = null;
      this.open.value = found.key;
      this.read(found.key);
    }
    return found;
  }

  /** Run a change to a thread and take in what comes back. */
  async act(change: (projectId: number) => Promise<Thread | undefined>): Promise<void> {
    const at = this.image.peek();
    if (!at) return;
    this.problem.value = null;
    try {
      const thread = await change(at.projectId);
      if (thread) this.take(thread);
      else await this.reload();
    } catch (error) {
      this.problem.value = toProblem(error);
    }
  }

  private read(key: string): void {
    const [at, thread] = [this.image.peek(), this.threads.peek().find((one) => one.key === key)];
    if (!at || !thread || thread.unread === 0) return;
    this.take({ ...thread, unread: 0 });
    comments.read(at.projectId, at.imageId, thread.id).catch(() => undefined);
  }
}

function placed({ annotation_id: annotationId, gone, x, y }: Thread): Pick<Talked, "annotationId" | "x" | "y"> {
  return { annotationId: gone ? null : annotationId, x, y };
}

/** Where a pin stands: at the top of its annotation as it is now, else where it was put; null for none. */
export function placeOf({ annotationId, x, y }: Talked, annotation: Annotation | null | undefined): { x: number; y: number } | null {
  const box = annotationId !== null && annotation ? bounds(annotation.geometry) : null;
  if (box) return { x: (box.x1 + box.x2) / 2, y: box.y1 };
  return x === null || y === null ? null : { x, y };
}

/** The smallest annotation under a point. */
export function under(annotations: readonly Annotation[], x: number, y: number): Annotation | null {
  let [found, least] = [null as Annotation | null, Infinity];
  for (const one of annotations) {
    const box = bounds(one.geometry);
    if (!box || x < box.x1 || x > box.x2 || y < box.y1 || y > box.y2) continue;
    const size = (box.x2 - box.x1) * (box.y2 - box.y1);
    if (size < least && contains(one.geometry, x, y)) [found, least] = [one, size];
  }
  return found;
}
