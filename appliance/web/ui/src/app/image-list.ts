import { signal } from "@preact/signals";

import { images } from "../api/client";
import { type Problem, toProblem } from "../api/problem";
import type { Image, Page, TaskState } from "../api/types";

const PAGE = 500;

export interface Filter {
  projectId: number;
  state: TaskState | null;
  label: number | null;
}

type LoadPage = (filter: Filter, after: string | null, limit: number) => Promise<Page<Image>>;

const fromBox: LoadPage = (filter, after, limit) =>
  images.page(filter.projectId, { state: filter.state, label: filter.label, after, limit });

/** The images of a project under a filter, loaded from the top as far as somebody looked. */
export class ImageList {
  readonly items = signal<readonly Image[]>([]);
  readonly complete = signal(false);
  readonly problem = signal<Problem | null>(null);
  readonly filter: Filter;
  /** Where the grid was scrolled to, so that coming back finds the same place. */
  scrollTop = 0;
  private readonly load: LoadPage;
  private next: string | null = null;
  private wanted = 0;
  private running: Promise<void> | null = null;
  private generation = 0;

  constructor(filter: Filter, load: LoadPage = fromBox) {
    this.filter = filter;
    this.load = load;
  }

  /** Load until `count` images are there or the list ends. */
  ensure(count: number): Promise<void> {
    this.wanted = Math.max(this.wanted, count);
    this.running ??= this.run().finally(() => (this.running = null));
    return this.running;
  }

  /** Load again what was loaded, as after images came or went; what shows stays until then. */
  async reload(): Promise<void> {
    const generation = ++this.generation;
    const target = Math.max(PAGE, this.items.value.length);
    const fresh: Image[] = [];
    let after: string | null = null;
    try {
      do {
        const page: Page<Image> = await this.load(this.filter, after, PAGE);
        if (generation !== this.generation) return;
        fresh.push(...page.items);
        after = page.next ?? null;
      } while (after !== null && fresh.length < target);
    } catch (error) {
      this.problem.value = toProblem(error);
      return;
    }
    // What `run` asked for meanwhile continues the old list: it has to ask again.
    this.generation++;
    this.next = after;
    this.problem.value = null;
    this.items.value = fresh;
    this.complete.value = after === null;
  }

  indexOf(imageId: number): number {
    return this.items.value.findIndex((image) => image.id === imageId);
  }

  private async run(): Promise<void> {
    while (!this.complete.value && this.items.value.length < this.wanted) {
      const generation = this.generation;
      try {
        const page = await this.load(this.filter, this.next, PAGE);
        if (generation !== this.generation) continue;
        this.next = page.next ?? null;
        this.items.value = [...this.items.value, ...page.items];
        this.complete.value = this.next === null;
        this.problem.value = null;
      } catch (error) {
        this.problem.value = toProblem(error);
        return;
      }
    }
  }
}

let current: ImageList | null = null;

/** The list for a filter; the one already loaded when the filter is the same. */
export function imageList(filter: Filter): ImageList {
  const same =
    current !== null &&
    current.filter.projectId === filter.projectId &&
    current.filter.state === filter.state &&
    current.filter.label === filter.label;
  if (!same || current === null) current = new ImageList(filter);
  return current;
}
