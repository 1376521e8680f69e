import Flatbush from "flatbush";

import type { Bounds } from "../shape";
import { SHOWN, type ShapeStore } from "./store";

/** Fewer changes than this are looked through one by one for good. */
const REBUILD_FROM = 64;
const IDLE_MS = 300;

/**
 * Finds shapes by their bounds: an index of what was there when it was built, and one by one
 * what has changed since, until there is time to build it anew.
 */
export class Picker {
  private readonly store: ShapeStore;
  private index: Flatbush | null = null;
  private indexed: Uint32Array = new Uint32Array(0);
  private readonly dirty = new Set<number>();
  private timer = 0;

  constructor(store: ShapeStore) {
    this.store = store;
  }

  destroy(): void {
    clearTimeout(this.timer);
    this.index = null;
  }

  /** A shape came, changed its place or went. */
  touch(slot: number): void {
    this.dirty.add(slot);
    if (this.dirty.size < REBUILD_FROM || this.timer) return;
    this.timer = setTimeout(() => this.rebuild(), IDLE_MS) as unknown as number;
  }

  /** All shapes are others: they are looked through one by one until there is time to build the index. */
  renew(): void {
    this.clear();
    this.timer = setTimeout(() => this.rebuild(), IDLE_MS) as unknown as number;
  }

  clear(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.index = null;
    this.dirty.clear();
  }

  rebuild(): void {
    this.clear();
    const { store } = this;
    this.indexed = store.drawn.filter((slot) => !Number.isNaN(store.boxes[slot * 4]));
    if (this.indexed.length === 0) return;
    const index = new Flatbush(this.indexed.length);
    for (const slot of this.indexed) index.add(...store.boxes.subarray(slot * 4, slot * 4 + 4) as unknown as [number, number, number, number]);
    index.finish();
    this.index = index;
  }

  /** Slots of the shapes to be seen that touch an area, no more than about `most` of them. */
  search(area: Bounds, most = Infinity): number[] {
    const { store, index, indexed, dirty } = this;
    const found: number[] = [];
    if (!index) {
      for (let slot = 0; slot < store.length && found.length <= most; slot++) if (store.seen(slot, area)) found.push(slot);
      return found;
    }
    for (const slot of dirty) if (found.length <= most && store.seen(slot, area)) found.push(slot);
    index.collides(area.x1, area.y1, area.x2, area.y2, (at) => {
      const slot = indexed[at];
      if ((store.flags[slot] & SHOWN) !== 0 && !dirty.has(slot)) found.push(slot);
      return found.length > most;
    });
    return found;
  }
}
