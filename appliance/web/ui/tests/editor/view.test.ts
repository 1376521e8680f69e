import { describe, expect, it } from "vitest";

import { complete } from "../../src/api/client";
import type { Label } from "../../src/api/types";
import { fit, keepInView, pan, toImage, toScreen, zoomAt } from "../../src/editor/camera";
import { tint } from "../../src/editor/render/masks";
import { PLATE_HEIGHT, placePlates } from "../../src/editor/render/plates";
import { look, strokes } from "../../src/editor/render/shapes";
import { bounds, hits, measure, runs } from "../../src/editor/shape";
import { shapeOf, tooUnsure } from "../../src/editor/shapes-of";
import { boxBetween } from "../../src/editor/tools/box";
import { moved } from "../../src/editor/moved";
import { resized } from "../../src/editor/tools/reshape";

const PICTURE = { width: 640, height: 480 };
const VIEW = { width: 1000, height: 600 };

describe("camera", () => {
  it("fits the picture in the middle", () => {
    const camera = fit(PICTURE, VIEW);
    expect(camera.scale).toBeCloseTo((600 - 24) / 480);
    const [from, to] = [toScreen(camera, { x: 0, y: 0 }), toScreen(camera, { x: 640, y: 480 })];
    expect(from.x + to.x).toBeCloseTo(1000);
    expect(from.y).toBeCloseTo(12);
  });

  it("goes there and back", () => {
    const camera = { x: 17, y: -40, scale: 2.5 };
    const there = toImage(camera, toScreen(camera, { x: 123.25, y: 456.5 }));
    expect(there.x).toBeCloseTo(123.25);
    expect(there.y).toBeCloseTo(456.5);
  });

  it("keeps what is under the pointer while zooming, within limits", () => {
    const at = { x: 400, y: 300 };
    const before = fit(PICTURE, VIEW);
    const after = zoomAt(before, at, 3, PICTURE, VIEW);
    expect(toImage(after, at).x).toBeCloseTo(toImage(before, at).x);
    expect(zoomAt(after, at, 1e9, PICTURE, VIEW).scale).toBe(64);
    expect(zoomAt(after, at, 1e-9, PICTURE, VIEW).scale).toBeCloseTo(before.scale / 2);
  });

  it("never loses the picture", () => {
    const far = pan(fit(PICTURE, VIEW), 1e6, -1e6, PICTURE, VIEW);
    expect(far.x).toBeLessThan(VIEW.width);
    expect(far.y + PICTURE.height * far.scale).toBeGreaterThan(0);
    expect(keepInView(far, PICTURE, VIEW)).toEqual(far);
  });
});

describe("shape", () => {
  it("turns every variant into runs, bounds and a measure", () => {
    const square = runs({ type: "rotated_box", cx: 10, cy: 10, width: 4, height: 2, angle: 90 })[0].points;
    expect(square.map((n) => Math.round(n))).toEqual([11, 8, 11, 12, 9, 12, 9, 8]);
    const points = { type: "keypoints", points: [1, 2, 2, 0, 0, 0, 5, 6, 1] } as const;
    expect(bounds({ ...points, points: [...points.points] })).toEqual({ x1: 1, y1: 2, x2: 5, y2: 6 });
    expect(runs({ ...points, points: [...points.points] }, [[0, 1], [0, 2]])).toHaveLength(1);
    expect(bounds({ type: "tag" })).toBeNull();
    expect(measure({ type: "polygon", parts: [[[0, 0, 9, 0, 9, 9]], [[1, 1, 2, 1, 2, 2, 1, 2]]] })).toBe("7 pt");
  });

  it("is hit inside and at its edge, not in its holes", () => {
    const ring = { type: "polygon", parts: [[[0, 0, 100, 0, 100, 100, 0, 100], [40, 40, 60, 40, 60, 60, 40, 60]]] } as const;
    const geometry = { type: "polygon" as const, parts: ring.parts.map((part) => part.map((one) => [...one])) };
    expect(hits(geometry, { x: 20, y: 20 }, 1)).toBe(true);
    expect(hits(geometry, { x: 50, y: 50 }, 1)).toBe(false);
    expect(hits(geometry, { x: 102, y: 50 }, 1)).toBe(false);
    expect(hits(geometry, { x: 102, y: 50 }, 3)).toBe(true);
    expect(hits({ type: "polyline", points: [0, 0, 10, 10] }, { x: 5, y: 6 }, 1)).toBe(true);
  });
});

describe("render", () => {
  it("tells states apart without hue", () => {
    expect(look("prediction")).toEqual({ dashed: true, fill: 0, crossed: false });
    expect(look("rejected")).toEqual({ dashed: false, fill: 0, crossed: true });
    expect(look("approved")).toEqual({ dashed: false, fill: 0.12, crossed: false });
    expect(strokes("#FFE600", "selected").map((stroke) => stroke.width)).toEqual([7, 4.5, 2]);
    expect(strokes("#FFE600", "none").map((stroke) => stroke.width)).toEqual([3.5, 1.5]);
  });

  it("paints a column-major mask into a row-major crop", () => {
    const pixels = new Uint8Array([0, 0, 0, 0, 1, 1]);
    const to = new Uint8ClampedArray(2 * 2 * 4);
    tint(to, pixels, 3, { x: 0, y: 1, width: 2 }, "#FF8000");
    expect([...to.slice(4, 8)]).toEqual([255, 128, 0, 255]);
    expect([...to.slice(12, 16)]).toEqual([255, 128, 0, 255]);
    expect([...to.slice(0, 4)]).toEqual([0, 0, 0, 0]);
  });

  it("places names that cover neither each other nor a small shape", () => {
    const view = { x1: 0, y1: 0, x2: 500, y2: 400 };
    const box = (x: number, y: number, size: number) => ({ x1: x, y1: y, x2: x + size, y2: y + size });
    const wanted = [
      { id: "a", width: 60, box: box(100, 100, 80), must: false },
      { id: "b", width: 60, box: box(100, 100, 80), must: false },
      { id: "c", width: 60, box: box(100, 182, 20), must: false },
    ];
    const placed = placePlates(wanted, view);
    expect(placed[0]).toMatchObject({ id: "a", y: 100 - PLATE_HEIGHT - 2 });
    for (const one of placed) {
      for (const other of placed) {
        if (one === other) continue;
        const apart = one.x + one.width <= other.x || other.x + other.width <= one.x || Math.abs(one.y - other.y) >= PLATE_HEIGHT;
        expect(apart).toBe(true);
      }
    }
    const crowd = Array.from({ length: 20 }, (_, i) => ({ id: String(i), width: 60, box: box(100, 100, 80), must: i === 19 }));
    const some = placePlates(crowd, view).map((one) => one.id);
    expect(some.length).toBeLessThan(20);
    expect(some).toContain("19");
  });

  it("hides unsure predictions only, and names shapes by label and state", () => {
    const label = { id: 1, name: "person", color: "#FFE600", skeleton: null } as Label;
    const all = [
      complete({ id: "drawn", label_id: 1, geometry: { type: "tag" } }),
      complete({ id: "sure", label_id: 1, geometry: { type: "tag" }, source: "model", confidence: 0.9 }),
      complete({ id: "unsure", label_id: 1, geometry: { type: "tag" }, source: "model", confidence: 0.2 }),
      complete({ id: "refused", label_id: 1, geometry: { type: "tag" }, source: "model", confidence: 0.1, status: "rejected" }),
    ];
    const shown = all.filter((one) => !tooUnsure(one, 0.5));
    expect(shown.map((one) => one.id)).toEqual(["drawn", "sure", "refused"]);
    expect(shown.map((one) => shapeOf(one, label).name)).toEqual(["person", "person 0.90", "person, rejected"]);
  });
});

describe("tools", () => {
  const box = { type: "box", x1: 10, y1: 10, x2: 30, y2: 40 } as const;

  it("draws boxes inside the image, whatever the direction", () => {
    expect(boxBetween({ x: 50, y: 500 }, { x: -9, y: 20 }, PICTURE)).toEqual({ type: "box", x1: 0, y1: 20, x2: 50, y2: 480 });
  });

  it("stops at the borders while moving", () => {
    expect(moved(box, -100, 5, PICTURE)).toEqual({ type: "box", x1: 0, y1: 15, x2: 20, y2: 45 });
    expect(moved(box, 1e4, 1e4, PICTURE)).toEqual({ type: "box", x1: 620, y1: 450, x2: 640, y2: 480 });
  });

  it("resizes by edge and corner, also past the other side", () => {
    expect(resized(box, [1, 0], { x: 100, y: 999 }, PICTURE)).toEqual({ ...box, x2: 100 });
    expect(resized(box, [-1, -1], { x: 60, y: 70 }, PICTURE)).toEqual({ type: "box", x1: 30, y1: 40, x2: 60, y2: 70 });
    expect(resized(box, [1, 1], { x: 9999, y: 9999 }, PICTURE)).toEqual({ ...box, x2: 640, y2: 480 });
  });
});
