import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";

import { images } from "../api/client";
import type { Problem } from "../api/problem";
import type { Task } from "../api/types";
import { afterFrame } from "../app/after-frame";
import { calm } from "../app/calm";
import { filterOf, searchOf } from "../app/image-filter";
import type { ImageList } from "../app/image-list";
import { go, place } from "../app/router";
import { events } from "../app/session";
import type { WorkQueue } from "../app/work-queue";

/** A way through a project: which image is on the bench, and which come before and after it. */
export interface Walk {
  readonly kind: "queue" | "browse";
  readonly imageId: ReadonlySignal<number | null>;
  readonly task: ReadonlySignal<Task | null>;
  /** Images to be decoded ahead, the nearest first. */
  readonly ahead: ReadonlySignal<readonly number[]>;
  /** False until it is known whether there is anything. */
  readonly known: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<Problem | null>;
  readonly canNext: ReadonlySignal<boolean>;
  readonly canPrevious: ReadonlySignal<boolean>;
  start(): void;
  next(): void;
  previous(): void;
  /** Go on from an image that was handed in. */
  advance(): void;
  /** Put an image on the bench again. */
  back(task: Task): void;
  /** The box has heard that this task was handed in. */
  told(task: Task): void;
  /** Look at what is ahead, as after an answer of the box. */
  settle(): Promise<void>;
  /** Tasks changed: ask what there is. */
  refresh(): void;
  stop(): void;
}

/** Through the queue: what is on the bench and the next two are leased. */
export class QueueWalk implements Walk {
  readonly kind = "queue";
  readonly queue: WorkQueue;
  readonly task;
  readonly known;
  readonly problem;
  readonly imageId = computed(() => this.queue.current.value?.image_id ?? null);
  readonly ahead = computed(() => [...this.queue.ahead.value.slice(0, 2), ...this.queue.past.value.slice(-1)].map((task) => task.image_id));
  readonly canNext = computed(() => this.queue.ahead.value.length > 0);
  readonly canPrevious = computed(() => this.queue.past.value.length > 0);

  private stopMending: () => void = () => undefined;

  constructor(queue: WorkQueue) {
    this.queue = queue;
    this.task = queue.current;
    this.known = queue.known;
    this.problem = queue.problem;
  }

  start(): void {
    this.stop();
    this.stopMending = events.on("reached", () => void this.queue.mend());
    void this.queue.start();
  }

  next(): void {
    if (this.queue.next()) void this.queue.settle();
  }

  previous(): void {
    if (this.queue.previous()) void this.queue.settle();
  }

  advance(): void {
    this.queue.advance();
  }

  back(task: Task): void {
    this.queue.back(task);
  }

  told(task: Task): void {
    this.queue.told(task);
  }

  settle(): Promise<void> {
    return this.queue.settle();
  }

  refresh(): void {
    if (!this.queue.current.value) void this.queue.refresh();
  }

  stop(): void {
    this.stopMending();
  }
}

const AHEAD = [1, 2, -1];
/** So many images before and after the present one are in the strip. */
export const SHOWN = { before: 4, after: 12 };

/** Through the images as the grid's filter has them; leases nothing. */
export class BrowseWalk implements Walk {
  readonly kind = "browse";
  readonly list: ImageList;
  readonly task = signal<Task | null>(null);
  readonly known = signal(true);
  readonly problem;
  readonly imageId = computed(() => Number(place.value.query.get("image")) || null);
  readonly index = computed(() => (this.imageId.value === null || !this.list.ids.value ? -1 : this.list.indexOf(this.imageId.value)));
  readonly ahead = computed(() => (this.index.value < 0 ? [] : AHEAD.flatMap((by) => this.list.ids.value?.[this.index.value + by] ?? [])));
  readonly canNext = computed(() => this.index.value >= 0 && this.index.value < (this.list.total ?? 0) - 1);
  readonly canPrevious = computed(() => this.index.value > 0);
  private readonly projectId: number;
  private readonly stops: (() => void)[];
  private stopped = false;

  constructor(projectId: number, list: ImageList) {
    this.projectId = projectId;
    this.list = list;
    this.problem = list.problem;
    this.stops = [
      list.follow(events),
      events.on("reached", () => this.look(this.imageId.peek())),
      effect(() => {
        const at = this.index.value;
        if (at >= 0) list.want(at - SHOWN.before, at + SHOWN.after);
      }),
      effect(() => this.look(this.imageId.value)),
      () => (this.stopped = true),
    ];
  }

  start(): void {
    void calm.then(() => this.list.start());
  }

  next(): void {
    this.step(1);
  }

  previous(): void {
    this.step(-1);
  }

  advance(): void {
    this.step(1);
  }

  back(task: Task): void {
    this.show(task.image_id);
    this.task.value = task;
  }

  told(): void {
    return;
  }

  async settle(): Promise<void> {
    this.look(this.imageId.value);
  }

  refresh(): void {
    this.look(this.imageId.value);
  }

  stop(): void {
    for (const stop of this.stops) stop();
  }

  show(imageId: number): void {
    const query = new URLSearchParams(place.value.query);
    query.set("image", String(imageId));
    query.delete("select");
    go(`${place.value.path}?${query}`, "replace");
  }

  private step(by: number): void {
    const to = this.index.value === -1 ? undefined : this.list.ids.value?.[this.index.value + by];
    if (to !== undefined) this.show(to);
  }

  private look(imageId: number | null): void {
    if (imageId === null) return;
    if (this.task.peek()?.image_id !== imageId) this.task.value = null;
    afterFrame(() => {
      if (this.stopped || this.imageId.peek() !== imageId) return;
      images.get(this.projectId, imageId).then(
        ({ task }) => {
          if (this.imageId.peek() === imageId) this.task.value = task;
        },
        () => undefined,
      );
    });
  }
}

/** The grid with the filter of this address. */
export function gridAddress(projectId: number): string {
  return `/projects/${projectId}/images${searchOf(filterOf(place.value.query))}`;
}
