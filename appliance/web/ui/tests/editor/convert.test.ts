import { describe, expect, it } from "vitest";

import { copied, copy, fitted, propagated } from "../../src/editor/clips";
import { ImageDocument } from "../../src/editor/document";
import { Editor } from "../../src/editor/editor";
import { area, bounds, check, contains, type Mask, type Polygon } from "../../src/geometry";
import { crossing, firstCrossing } from "../../src/geometry/crossings";
import { filled } from "../../src/geometry/fill";
import { encodeMask } from "../../src/geometry/mask";
import { outline } from "../../src/geometry/outline";
import { simplified } from "../../src/geometry/simplify";
import { drawn, LABELS, SIZE } from "./tools/_scene";
import { square } from "./tools/_masks";

function noise(seed: number, width: number, height: number): Mask {
  let state = seed;
  const pixels = Uint8Array.from({ length: width * height }, () => {
    state = (state * 48271) % 2147483647;
    return state % 5 < 3 ? 1 : 0;
  });
  return encodeMask(pixels, height, width);
}

describe("outline and fill", () => {
  it("are exact inverses on random masks, with holes and pixels that meet at corners", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const [width, height] = [1 + (seed % 13), 1 + ((seed * 7) % 11)];
      const mask = noise(seed * 31, width, height);
      const polygon = outline(mask, 0);
      if (area(mask) === 0) expect(polygon).toBeNull();
      else {
        expect(filled(polygon!, width, height), `seed ${seed}`).toEqual(mask);
        expect(check(polygon!, width, height)).toBeNull();
        expect(area(polygon!)).toBe(area(mask));
      }
    }
  });

  it("give a hole to the part around it", () => {
    const ring: Polygon = { type: "polygon", parts: [[[10, 10, 60, 10, 60, 60, 10, 60], [20, 20, 50, 20, 50, 50, 20, 50]], [[30, 30, 40, 30, 40, 40, 30, 40]]] };
    const back = outline(filled(ring, 100, 80)!, 1)!;
    expect(back.parts.map((part) => part.length).sort()).toEqual([1, 2]);
    expect(area(back)).toBe(area(ring));
    expect([contains(back, 15, 15), contains(back, 25, 25), contains(back, 35, 35)]).toEqual([true, false, true]);
  });

  it("saves vertices within the tolerance", () => {
    const circle = Array.from({ length: 90 }, (_, i) => [50 + 30 * Math.cos(i * 0.0698), 50 + 30 * Math.sin(i * 0.0698)]).flat();
    const polygon = outline(filled({ type: "polygon", parts: [[circle]] }, 100, 100)!, 1)!;
    expect(polygon.parts[0]![0]!.length / 2).toBeLessThan(40);
    expect(Math.abs(area(polygon) - Math.PI * 900) / (Math.PI * 900)).toBeLessThan(0.04);
    expect(simplified([0, 0, 5, 0.1, 10, 0], 1, false)).toEqual([0, 0, 10, 0]);
    expect(simplified([0, 0, 5, 3, 10, 0], 1, false)).toEqual([0, 0, 5, 3, 10, 0]);
  });

  it("find where rings cross themselves, and not where they only touch", () => {
    expect(firstCrossing([[0, 0, 10, 10, 10, 0, 0, 10]])).toEqual([5, 5]);
    expect(firstCrossing([[0, 0, 10, 0, 10, 10, 0, 10]])).toBeNull();
    expect(crossing([0, 0], [10, 0], [5, 0], [5, 9])).toBeNull();
  });
});

describe("commands", () => {
  it("turn a mask into a polygon and back, and thin a polygon, a step each", () => {
    const document = new ImageDocument(9, 3, [drawn("m", square(SIZE, 20, 30, 12))]);
    const editor = new Editor(document, SIZE, 2);
    editor.convert(["m"], "polygon");
    expect(bounds(document.get("m")!.geometry)).toEqual([20, 30, 32, 42]);
    editor.convert(["m"], "mask");
    expect(document.get("m")?.geometry).toEqual(square(SIZE, 20, 30, 12));
    editor.undo();
    editor.reshape("m", { type: "polygon", parts: [[[10, 10, 50, 10.2, 90, 10, 90, 60]]] });
    editor.simplify(["m"], 1);
    expect(document.get("m")?.geometry).toEqual({ type: "polygon", parts: [[[10, 10, 90, 10, 90, 60]]] });
  });

  it("duplicates beside, sets attributes and toggles tags", () => {
    const document = new ImageDocument(9, 3, [drawn("b", { type: "box", x1: 10, y1: 10, x2: 195, y2: 30 })]);
    const editor = new Editor(document, SIZE, 2);
    const [copyId] = editor.duplicate(["b"]);
    expect(document.get(copyId!)?.geometry).toEqual({ type: "box", x1: 15, y1: 22, x2: 200, y2: 42 });
    editor.setAttributes(["b"], { age: 3 });
    editor.setAttributes(["b"], { age: null, name: "x" });
    expect(document.get("b")?.attributes).toEqual({ name: "x" });
    editor.toggleTag(2);
    expect(document.size).toBe(3);
    editor.toggleTag(2);
    expect(document.size).toBe(2);
  });
});

describe("clipboard", () => {
  function storage(): Storage {
    const held = new Map<string, string>();
    return { getItem: (key: string) => held.get(key) ?? null, setItem: (key: string, value: string) => void held.set(key, value) } as Storage;
  }

  it("keeps the place, clamps to a smaller image and finds labels by name", () => {
    const kept = storage();
    copy([drawn("a", { type: "box", x1: 150, y1: 70, x2: 190, y2: 95 }), drawn("t", { type: "tag" }, { label_id: 2 })], LABELS, kept);
    expect(copied(LABELS, SIZE, kept)[0]?.geometry).toEqual({ type: "box", x1: 150, y1: 70, x2: 190, y2: 95 });
    const renamed = LABELS.slice(0, 1).map((label) => ({ ...label, id: 77 }));
    expect(copied(renamed, { width: 100, height: 80 }, kept)).toEqual([
      { label_id: 77, geometry: { type: "box", x1: 60, y1: 55, x2: 100, y2: 80 }, attributes: {} },
    ]);
  });

  it("cuts what is larger than the image, and resizes masks", () => {
    expect(fitted({ type: "box", x1: 10, y1: 10, x2: 190, y2: 20 }, { width: 100, height: 80 })).toEqual({ type: "box", x1: 10, y1: 10, x2: 100, y2: 20 });
    const mask = fitted(square(SIZE, 20, 30, 12), { width: 300, height: 50 }) as Mask;
    expect([mask.size, bounds(mask)]).toEqual([[50, 300], [20, 30, 32, 42]]);
  });

  it("makes copies for other images with ids of their own", () => {
    const made = propagated([drawn("a", { type: "box", x1: 1, y1: 2, x2: 3, y2: 9 }, { source: "model", confidence: 0.5 })], SIZE, 5);
    expect(made).toMatchObject([{ source: "manual", author_id: 5, confidence: null, revision: 0 }]);
    expect(made[0]?.id).not.toBe("a");
  });
});
