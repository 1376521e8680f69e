import { describe, expect, it } from "vitest";

import { orderOf, ShapeStore } from "../../../src/editor/render/store";
import { packed } from "./packed";
import { randomly } from "./random";

const pointsOf = (store: ShapeStore, slot: number): number[] =>
  [...store.points.subarray(store.starts[slot] + 2, store.starts[slot] + store.sizes[slot])];

describe("shape store", () => {
  it("keeps every shape's points through growth, moves, removals and gaps", () => {
    const random = randomly(3);
    const store = new ShapeStore();
    const kept = new Map<number, number[]>();
    for (let n = 0; n < 3000; n++) {
      const slot = Math.floor(random(0, 150));
      if (kept.has(slot) && random(0, 1) < 0.3) {
        store.remove(slot);
        kept.delete(slot);
        continue;
      }
      const points = Array.from({ length: 2 * Math.floor(random(3, 40)) }, () => Math.round(random(0, 4000)));
      store.put(packed(slot, points));
      kept.set(slot, points);
    }
    expect([...store.drawn].sort((a, b) => a - b)).toEqual([...kept.keys()].sort((a, b) => a - b));
    for (const [slot, points] of kept) expect(pointsOf(store, slot)).toEqual(points);
    expect(store.points.length).toBeLessThan(150 * 80 * 8);
  });

  it("draws by rank, then by what came later", () => {
    const store = new ShapeStore();
    const square = [0, 0, 9, 0, 9, 9];
    store.put(packed(0, square, { order: orderOf(3, 1) }));
    store.put(packed(1, square, { order: orderOf(1, 2) }));
    store.put(packed(2, square, { order: orderOf(2, 4) }));
    store.put(packed(3, square, { order: orderOf(2, 3) }));
    expect([...store.drawn]).toEqual([1, 3, 2, 0]);
    store.put(packed(0, square, { order: orderOf(1, 1) }));
    expect([...store.drawn]).toEqual([0, 1, 3, 2]);
  });

  it("hands shapes over whole", () => {
    const [store, copy] = [new ShapeStore(), new ShapeStore()];
    const mask = { type: "mask", size: [3, 4], counts: "426" } as { type: "mask"; size: [number, number]; counts: string };
    store.put(packed(4, [1, 2, 3, 4, 5, 7], { code: "AB" }));
    store.put(packed(9, [], { block: new Float32Array(0), box: { x1: 1, y1: 1, x2: 2, y2: 3 }, mask }));
    store.put(packed(11, [], { block: new Float32Array(0), box: null }));
    copy.take(store.batch(new Uint32Array([4, 9, 11])));
    expect(pointsOf(copy, 4)).toEqual([1, 2, 3, 4, 5, 7]);
    expect([copy.code(4), copy.code(9), copy.mask(4), copy.mask(9)]).toEqual(["AB", "", null, mask]);
    expect(copy.box(9)).toEqual({ x1: 1, y1: 1, x2: 2, y2: 3 });
    expect(copy.seen(4, { x1: 5, y1: 7, x2: 9, y2: 9 })).toBe(true);
    expect(copy.seen(11, { x1: 0, y1: 0, x2: 9, y2: 9 })).toBe(false);
  });

  it("says where an outline crosses itself, anew when it changes", () => {
    const store = new ShapeStore();
    store.put(packed(0, [0, 0, 10, 10, 10, 0, 0, 10]));
    expect(store.crossings(0)).toEqual([5, 5]);
    store.put(packed(0, [0, 0, 10, 0, 10, 10, 0, 10]));
    expect(store.crossings(0)).toEqual([]);
  });
});
