import { signal, type Signal } from "@preact/signals";

import type { ImageSelection, ServerFilter } from "../../api/types";

interface Listed {
  ids: Signal<Int32Array | null>;
}

/** What is focused and selected in a list of images: by id, so that it holds when the list changes. */
export class Picking {
  readonly focusedId = signal<number | null>(null);
  /** All that match, also those that come later. */
  readonly all = signal(false);
  readonly some = signal<ReadonlySet<number>>(new Set());
  private readonly list: Listed;
  private anchor: number | null = null;
  private base: ReadonlySet<number> = new Set();

  constructor(list: Listed) {
    this.list = list;
  }

  get count(): number {
    return this.all.value ? (this.list.ids.value?.length ?? 0) : this.some.value.size;
  }

  /** The place of the focused image, -1 for none. */
  get focused(): number {
    return this.focusedId.value === null ? -1 : (this.list.ids.value?.indexOf(this.focusedId.value) ?? -1);
  }

  has(id: number): boolean {
    return this.all.value || this.some.value.has(id);
  }

  focus(index: number): void {
    this.focusedId.value = this.list.ids.value?.[index] ?? null;
  }

  /** Go from the focused image; with `extend` all between the anchor and there is selected. */
  move(by: number, extend = false): void {
    const ids = this.list.ids.value;
    if (!ids || ids.length === 0) return;
    const from = this.focused;
    if (extend && this.anchor === null) this.mark(from);
    const start = from === -1 && Number.isFinite(by) ? -by : from;
    const to = Math.max(0, Math.min(ids.length - 1, start + by));
    this.focus(to);
    if (extend) this.extendTo(to);
    else this.anchor = null;
  }

  toggle(index: number): void {
    const id = this.list.ids.value?.[index];
    if (id === undefined) return;
    const next = this.chosen();
    if (!next.delete(id)) next.add(id);
    this.choose(next);
    this.mark(index);
  }

  /** Select from the anchor, which the last single selection set, up to here. */
  extendTo(index: number): void {
    const ids = this.list.ids.value;
    if (!ids) return;
    if (this.anchor === null) this.mark(index);
    const anchor = Math.max(0, this.anchor === null ? index : ids.indexOf(this.anchor));
    const next = new Set(this.base);
    for (const id of ids.subarray(Math.min(anchor, index), Math.max(anchor, index) + 1)) next.add(id);
    this.choose(next);
  }

  selectAll(): void {
    this.all.value = this.list.ids.value !== null && this.list.ids.value.length > 0;
    this.some.value = new Set();
    this.anchor = null;
  }

  clear(): void {
    this.choose(new Set());
    this.anchor = null;
    this.base = new Set();
  }

  /** What a change to many images is for. */
  selection(filter: ServerFilter): ImageSelection {
    return this.all.value ? { filter } : { ids: [...this.some.value] };
  }

  private chosen(): Set<number> {
    return new Set(this.all.value ? this.list.ids.value : this.some.value);
  }

  private choose(next: ReadonlySet<number>): void {
    this.all.value = false;
    this.some.value = next;
  }

  private mark(index: number): void {
    this.anchor = this.list.ids.value?.[index] ?? null;
    this.base = this.chosen();
  }
}
