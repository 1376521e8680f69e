import { signal } from "@preact/signals";

import { images } from "../api/client";
import type { EventStream } from "../api/events";
import { type Problem, toProblem } from "../api/problem";
import type { Image, ServerEvent } from "../api/types";
import { askedOf, followsWork, type ImageFilter, keyOf } from "./image-filter";

const AT_ONCE = 200;
const KEPT = 10_000;
const GATHER_MS = 300;
const KINDS = ["image.added", "image.deleted", "task.changed", "annotations.changed", "comment.changed", "resync"];

/** What the list asks the box; tests bring their own. */
export interface ImageSource {
  /** The ids of all images that match, or of those behind one in the order by age. */
  ids(filter: ImageFilter, after?: number): Promise<Int32Array>;
  rows(ids: readonly number[]): Promise<Image[]>;
}

const fromBox = (projectId: number): ImageSource => ({
  ids: (filter, after) => images.ids(projectId, { ...askedOf(filter), sort: filter.sort, after }),
  rows: (ids) => images.some(projectId, ids),
});

/**
 * The images of a project under a filter: the ids of all of them, which come at once, and the rows
 * of those somebody looks at. So the scrollbar is true, and any place is one request away.
 */
export class ImageList {
  readonly ids = signal<Int32Array | null>(null);
  /** Grows whenever a row came or changed. */
  readonly told = signal(0);
  readonly problem = signal<Problem | null>(null);
  readonly projectId: number;
  readonly filter: ImageFilter;
  /** Where the grid was scrolled to, so that coming back finds the same place. */
  scrollTop = 0;
  private readonly source: ImageSource;
  private readonly known = new Map<number, Image>();
  private readonly stale = new Set<number>();
  private wanted: readonly number[] = [];
  private asking = false;
  private loading: Promise<void> | null = null;
  private again = false;

  constructor(projectId: number, filter: ImageFilter, source: ImageSource = fromBox(projectId)) {
    this.projectId = projectId;
    this.filter = filter;
    this.source = source;
  }

  /** The number of images, null until it is known. */
  get total(): number | null {
    return this.ids.value?.length ?? null;
  }

  /** Load the ids unless they are there. */
  start(): Promise<void> {
    return this.ids.value === null ? this.reload() : Promise.resolve();
  }

  /** Load the ids again; what shows stays until then, and calls meanwhile make one more. */
  reload(): Promise<void> {
    if (this.loading) {
      this.again = true;
      return this.loading;
    }
    this.loading = this.load().finally(() => {
      this.loading = null;
      if (this.again) {
        this.again = false;
        void this.reload();
      }
    });
    return this.loading;
  }

  at(index: number): Image | undefined {
    const id = this.ids.value?.[index];
    return id === undefined ? undefined : this.known.get(id);
  }

  row(id: number): Image | undefined {
    return this.known.get(id);
  }

  indexOf(id: number): number {
    return this.ids.value?.indexOf(id) ?? -1;
  }

  /** See to it that the rows of these places come, those in sight at last; what flew by is never asked for. */
  want(from: number, to: number): void {
    const ids = this.ids.value;
    if (!ids) return;
    this.wanted = [...ids.subarray(Math.max(0, from), to)];
    if (!this.asking) void this.ask();
  }

  /** Keep up with what happens in the project until the returned function is called. */
  follow(events: Pick<EventStream, "on">): () => void {
    let gathered: ServerEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = async (): Promise<void> => {
      const burst = gathered;
      gathered = [];
      await this.take(burst);
      timer = undefined;
      if (gathered.length > 0) soon();
    };
    const soon = (): void => {
      timer ??= setTimeout(() => void flush(), GATHER_MS);
    };
    const stops = KINDS.map((kind) =>
      events.on(kind, (event) => {
        if (event.project_id !== this.projectId && kind !== "resync") return;
        gathered.push(event);
        soon();
      }),
    );
    stops.push(events.on("reached", () => this.problem.value?.transient && void this.mend()));
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }

  /** Bring the list up to date with a burst of events: at most one request, whatever their number. */
  async take(burst: readonly ServerEvent[]): Promise<void> {
    const of = (kind: string): ServerEvent[] => burst.filter((event) => event.kind === kind);
    const changed = [...of("task.changed"), ...of("annotations.changed"), ...of("comment.changed")].flatMap(imagesOf);
    for (const id of changed) if (this.known.has(id)) this.stale.add(id);
    const gone = new Set(of("image.deleted").flatMap(imagesOf));
    if (gone.size > 0) this.drop(gone);
    if (changed.length > 0) this.told.value++;
    if (of("resync").length > 0 || (changed.length > 0 && followsWork(this.filter))) {
      for (const id of this.known.keys()) this.stale.add(id);
      await this.reload();
    } else if (of("image.added").length > 0) await this.append();
  }

  /** The box is back: ask for what it did not answer. */
  private async mend(): Promise<void> {
    await (this.ids.value ? this.append() : this.reload());
    if (!this.asking) await this.ask();
  }

  private async load(): Promise<void> {
    try {
      this.ids.value = await this.source.ids(this.filter);
      this.problem.value = null;
    } catch (error) {
      this.problem.value = toProblem(error);
    }
  }

  /** Ask for what came since; in the order of names it can be anywhere. */
  private async append(): Promise<void> {
    const ids = this.ids.value;
    if (!ids || ids.length === 0 || this.filter.sort === "name" || this.loading) return this.reload();
    const newest = this.filter.sort === "newest";
    try {
      const fresh = await this.source.ids({ ...this.filter, sort: "oldest" }, newest ? ids[0] : ids[ids.length - 1]);
      if (this.ids.value !== ids) return await this.reload();
      this.problem.value = null;
      if (fresh.length > 0) this.ids.value = newest ? joined(fresh.reverse(), ids) : joined(ids, fresh);
    } catch (error) {
      this.problem.value = toProblem(error);
    }
  }

  private drop(gone: ReadonlySet<number>): void {
    for (const id of gone) this.known.delete(id);
    if (this.ids.value?.some((id) => gone.has(id))) this.ids.value = this.ids.value.filter((id) => !gone.has(id));
  }

  private async ask(): Promise<void> {
    this.asking = true;
    try {
      for (let missing = this.missing(); missing.length > 0; missing = this.missing()) {
        const found = await this.source.rows(missing);
        this.keep(missing, found);
        this.problem.value = null;
      }
    } catch (error) {
      this.problem.value = toProblem(error);
    } finally {
      this.asking = false;
    }
  }

  private missing(): number[] {
    return this.wanted.filter((id) => !this.known.has(id) || this.stale.has(id)).slice(0, AT_ONCE);
  }

  private keep(asked: readonly number[], found: readonly Image[]): void {
    for (const image of found) {
      this.known.delete(image.id);
      this.known.set(image.id, image);
    }
    for (const id of asked) this.stale.delete(id);
    const there = new Set(found.map((image) => image.id));
    const gone = asked.filter((id) => !there.has(id));
    if (gone.length > 0) {
      this.wanted = this.wanted.filter((id) => !gone.includes(id));
      this.drop(new Set(gone));
    }
    for (const id of this.known.keys()) {
      if (this.known.size <= KEPT) break;
      this.known.delete(id);
    }
    this.told.value++;
  }
}

function imagesOf(event: ServerEvent): number[] {
  const { image_id: one, image_ids: many } = event.data;
  return Array.isArray(many) ? many.map(Number) : typeof one === "number" ? [one] : [];
}

function joined(first: Int32Array, second: Int32Array): Int32Array {
  const both = new Int32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

let current: ImageList | null = null;

/** The list of a project under a filter; the one already loaded when it is the same. */
export function imageList(projectId: number, filter: ImageFilter): ImageList {
  if (current?.projectId !== projectId || keyOf(current.filter) !== keyOf(filter))
    current = new ImageList(projectId, filter);
  return current;
}
