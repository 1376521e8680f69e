import { describe, expect, it } from "vitest";

import { Picker } from "../../../src/editor/render/picker";
import { SHOWN, ShapeStore } from "../../../src/editor/render/store";
import { packed } from "./packed";
import { randomly } from "./random";

describe("picker", () => {
  it("finds what looking through all of them finds, whatever has changed since the index was built", () => {
    const random = randomly(19);
    const store = new ShapeStore();
    const picker = new Picker(store);
    const live = new Set<number>();
    const put = (slot: number): void => {
      const [x, y, width, height] = [random(0, 4000), random(0, 3000), random(1, 200), random(1, 200)];
      store.put(packed(slot, [x, y, x + width, y, x + width, y + height], { flags: random(0, 1) < 0.9 ? SHOWN : 0 }));
      picker.touch(slot);
      live.add(slot);
    };
    for (let slot = 0; slot < 500; slot++) put(slot);
    for (let round = 0; round < 200; round++) {
      if (round % 60 === 30) picker.rebuild();
      const slot = Math.floor(random(0, 520));
      if (random(0, 1) < 0.4 && live.has(slot)) {
        store.remove(slot);
        picker.touch(slot);
        live.delete(slot);
      } else put(slot);
      const [x, y] = [random(-50, 4000), random(-50, 3000)];
      const area = { x1: x, y1: y, x2: x + random(0, 600), y2: y + random(0, 600) };
      const expected = [...live].filter((one) => store.seen(one, area)).sort((a, b) => a - b);
      expect(picker.search(area).sort((a, b) => a - b)).toEqual(expected);
    }
    picker.destroy();
  });

  it("stops looking when there is enough", () => {
    const store = new ShapeStore();
    const picker = new Picker(store);
    for (let slot = 0; slot < 300; slot++) store.put(packed(slot, [slot, 0, slot + 5, 0, slot + 5, 5]));
    const area = { x1: 0, y1: 0, x2: 400, y2: 9 };
    // Before there is an index, and with one.
    for (const begin of [() => picker.renew(), () => picker.rebuild()]) {
      begin();
      expect(picker.search(area, 40)).toHaveLength(41);
      expect(picker.search(area)).toHaveLength(300);
    }
    picker.destroy();
  });
});
