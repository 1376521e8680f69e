import type { Mask } from "../../geometry/types";
import type { Bounds } from "../shape";
import { crossings } from "./crossing";

/** What a run of points is; stored before its number of points and its coordinates. */
export const OPEN = 0;
export const CLOSED = 1;
export const DOT = 2;
export const HIDDEN_DOT = 3;

/** How a shape is drawn, as bits. */
export const SHOWN = 1;
export const DASHED = 2;
export const FILLED = 4;
export const CROSSED = 8;
export const SELECTED = 16;
/** On the overlay for now, and therefore not among the static shapes. */
export const LIFTED = 32;

const RANKS = 2 ** 30;
const SLOTS = 2 ** 20;

/** One shape as it travels to where it is drawn. */
export interface Packed {
  slot: number;
  /** Runs one after the other: `[kind, points, x, y, …]`. */
  block: Float32Array;
  /** Where it is, or null where it has no place in the image. */
  box: Bounds | null;
  /** `0xRRGGBB`. */
  color: number;
  flags: number;
  /** What is higher is drawn above: see `orderOf`. */
  order: number;
  /** Two letters for its label, or nothing. */
  code: string;
  mask: Mask | null;
}

/** Many shapes one after the other, in arrays that can be handed to a worker. */
export interface Batch {
  slots: Uint32Array;
  sizes: Uint32Array;
  points: Float32Array;
  boxes: Float64Array;
  colors: Uint32Array;
  flags: Uint8Array;
  orders: Float64Array;
  /** By slot, only where there is one. */
  codes: [number, string][];
  masks: [number, Mask][];
}

/** Rejected shapes lie lowest, predictions highest; within a rank, what came later is above. */
export const orderOf = (rank: number, sequence: number): number => rank * RANKS + sequence;

/**
 * The shapes of an image in flat arrays, by slot; one copy where they are picked and one where
 * they are drawn. A slot that is given up may be put to use again.
 */
export class ShapeStore {
  /** Slots up to here may be in use. */
  length = 0;
  points = new Float32Array(1024);
  starts = new Uint32Array(64);
  sizes = new Uint32Array(64);
  /** Four to a slot: x1, y1, x2, y2. */
  boxes = new Float64Array(256);
  colors = new Uint32Array(64);
  flags = new Uint8Array(64);
  private orders = new Float64Array(64);
  private readonly codes = new Map<number, string>();
  private readonly masks = new Map<number, Mask>();
  private readonly crossed = new Map<number, readonly number[]>();
  private end = 0;
  private wasted = 0;
  private sorted: Uint32Array | null = null;

  put(shape: Packed): void {
    const { slot, block, box } = shape;
    this.reserve(slot);
    this.place(slot, block);
    this.boxes.set(box ? [box.x1, box.y1, box.x2, box.y2] : [NaN, NaN, NaN, NaN], slot * 4);
    this.colors[slot] = shape.color;
    this.flags[slot] = shape.flags;
    if (this.orders[slot] !== shape.order) this.sorted = null;
    this.orders[slot] = shape.order;
    keep(this.codes, slot, shape.code || null);
    keep(this.masks, slot, shape.mask);
    this.crossed.delete(slot);
  }

  remove(slot: number): void {
    this.wasted += this.sizes[slot];
    this.sizes[slot] = 0;
    this.flags[slot] = 0;
    this.orders[slot] = 0;
    this.boxes.fill(NaN, slot * 4, slot * 4 + 4);
    this.codes.delete(slot);
    this.masks.delete(slot);
    this.crossed.delete(slot);
    this.sorted = null;
  }

  clear(): void {
    Object.assign(this, new ShapeStore());
  }

  /** Copy shapes out. */
  batch(slots: Uint32Array): Batch {
    const sizes = Uint32Array.from(slots, (slot) => this.sizes[slot]);
    const points = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
    const boxes = new Float64Array(slots.length * 4);
    let at = 0;
    slots.forEach((slot, n) => {
      points.set(this.points.subarray(this.starts[slot], this.starts[slot] + this.sizes[slot]), at);
      boxes.set(this.boxes.subarray(slot * 4, slot * 4 + 4), n * 4);
      at += this.sizes[slot];
    });
    return {
      slots, sizes, points, boxes,
      colors: Uint32Array.from(slots, (slot) => this.colors[slot]),
      flags: Uint8Array.from(slots, (slot) => this.flags[slot]),
      orders: Float64Array.from(slots, (slot) => this.orders[slot]),
      codes: [...slots].flatMap((slot): [number, string][] => (this.codes.has(slot) ? [[slot, this.code(slot)]] : [])),
      masks: [...slots].flatMap((slot): [number, Mask][] => (this.masks.has(slot) ? [[slot, this.masks.get(slot)!]] : [])),
    };
  }

  /** Take in what another store has copied out. */
  take(batch: Batch): void {
    const [codes, masks] = [new Map(batch.codes), new Map(batch.masks)];
    let at = 0;
    batch.slots.forEach((slot, n) => {
      const [x1, y1, x2, y2] = batch.boxes.subarray(n * 4, n * 4 + 4);
      this.put({
        slot,
        block: batch.points.subarray(at, at + batch.sizes[n]),
        box: Number.isNaN(x1) ? null : { x1, y1, x2, y2 },
        color: batch.colors[n],
        flags: batch.flags[n],
        order: batch.orders[n],
        code: codes.get(slot) ?? "",
        mask: masks.get(slot) ?? null,
      });
      at += batch.sizes[n];
    });
  }

  code(slot: number): string {
    return this.codes.get(slot) ?? "";
  }

  mask(slot: number): Mask | null {
    return this.masks.get(slot) ?? null;
  }

  /** Where the outline of a shape crosses itself, as `[x, y, …]`; worked out when it is first asked for. */
  crossings(slot: number): readonly number[] {
    const known = this.crossed.get(slot);
    if (known) return known;
    const rings: Float32Array[] = [];
    const end = this.starts[slot] + this.sizes[slot];
    for (let at = this.starts[slot]; at < end; at += 2 + this.points[at + 1] * 2) {
      if (this.points[at] === CLOSED) rings.push(this.points.subarray(at + 2, at + 2 + this.points[at + 1] * 2));
    }
    const found = crossings(rings);
    this.crossed.set(slot, found);
    return found;
  }

  order(slot: number): number {
    return this.orders[slot];
  }

  box(slot: number): Bounds {
    const { boxes } = this;
    return { x1: boxes[slot * 4], y1: boxes[slot * 4 + 1], x2: boxes[slot * 4 + 2], y2: boxes[slot * 4 + 3] };
  }

  /** True when the shape is to be seen and touches the area, edges included. */
  seen(slot: number, area: Bounds): boolean {
    const { boxes } = this;
    const at = slot * 4;
    return (
      (this.flags[slot] & SHOWN) !== 0 &&
      boxes[at] <= area.x2 && boxes[at + 2] >= area.x1 && boxes[at + 1] <= area.y2 && boxes[at + 3] >= area.y1
    );
  }

  /** Slots in use from the bottom up. */
  get drawn(): Uint32Array {
    if (this.sorted) return this.sorted;
    const keys = new Float64Array(this.length);
    let count = 0;
    for (let slot = 0; slot < this.length; slot++) {
      if (this.orders[slot] !== 0) keys[count++] = this.orders[slot] * SLOTS + slot;
    }
    this.sorted = Uint32Array.from(keys.subarray(0, count).sort(), (key) => key % SLOTS);
    return this.sorted;
  }

  private reserve(slot: number): void {
    this.length = Math.max(this.length, slot + 1);
    if (slot < this.flags.length) return;
    const room = Math.max(slot + 1, this.flags.length * 2);
    this.starts = grown(this.starts, new Uint32Array(room));
    this.sizes = grown(this.sizes, new Uint32Array(room));
    this.boxes = grown(this.boxes, new Float64Array(room * 4));
    this.colors = grown(this.colors, new Uint32Array(room));
    this.flags = grown(this.flags, new Uint8Array(room));
    this.orders = grown(this.orders, new Float64Array(room));
  }

  /** Points go where the slot's were if they fit there, else to the end. */
  private place(slot: number, block: Float32Array): void {
    if (block.length > this.sizes[slot]) {
      this.wasted += this.sizes[slot];
      this.sizes[slot] = 0;
      if (this.end + block.length > this.points.length) this.makeRoom(block.length);
      this.starts[slot] = this.end;
      this.end += block.length;
    } else this.wasted += this.sizes[slot] - block.length;
    this.sizes[slot] = block.length;
    this.points.set(block, this.starts[slot]);
  }

  /** Close the gaps when they are most of it, else double. */
  private makeRoom(more: number): void {
    const used = this.end - this.wasted + more;
    const room = this.wasted * 2 > this.end ? Math.max(this.points.length, used * 2) : Math.max(this.points.length * 2, used * 2);
    const points = new Float32Array(room);
    let end = 0;
    for (let slot = 0; slot < this.length; slot++) {
      points.set(this.points.subarray(this.starts[slot], this.starts[slot] + this.sizes[slot]), end);
      this.starts[slot] = end;
      end += this.sizes[slot];
    }
    this.points = points;
    this.end = end;
    this.wasted = 0;
  }
}

function grown<A extends Uint32Array | Uint8Array | Float64Array>(old: A, to: A): A {
  to.set(old);
  return to;
}

function keep<V>(map: Map<number, V>, slot: number, value: V | null): void {
  if (value === null) map.delete(slot);
  else map.set(slot, value);
}
