import { describe, expect, it } from "vitest";

import { boxBetween } from "../../../src/editor/tools/box";
import { boxOnEdge } from "../../../src/editor/tools/rotated-box";
import { check, contains, type Keypoints, type Mask, type Polygon } from "../../../src/geometry";
import { decodeMask } from "../../../src/geometry/mask";
import { drawn, Scene, SIZE } from "./_scene";

const SQUARE: Polygon = { type: "polygon", parts: [[[10, 10, 90, 10, 90, 90, 10, 90]]] };

describe("box", () => {
  it("draws ten in a row, also over other shapes, and selects none", () => {
    const scene = new Scene("box");
    for (let i = 0; i < 10; i++) scene.drag([[10 + i, 10], [30, 30], [60 + i, 50]]);
    expect(scene.document.size).toBe(10);
    expect(scene.geometries[3]).toEqual({ type: "box", x1: 13, y1: 10, x2: 63, y2: 50 });
    expect(scene.session.selection.value.size).toBe(0);
    expect(scene.document.all[0]).toMatchObject({ label_id: 1, attributes: { age: 7 }, status: "draft" });
  });

  it("takes two clicks as well, and a square with Shift", () => {
    const scene = new Scene("box");
    scene.click(20, 20);
    expect(scene.document.size).toBe(0);
    scene.hover(50, 30);
    expect(scene.session.measured.value).toBe("30 × 10 px");
    scene.click(50, 40);
    scene.drag([[100, 10], [120, 40]], { shift: true });
    expect(scene.geometries).toEqual([
      { type: "box", x1: 20, y1: 20, x2: 50, y2: 40 },
      { type: "box", x1: 100, y1: 10, x2: 130, y2: 40 },
    ]);
    expect(scene.session.measured.value).toBeNull();
  });

  it("stays inside the image and leaves out what is too small", () => {
    expect(boxBetween({ x: 50, y: 500 }, { x: -9, y: 20 }, SIZE)).toEqual({ type: "box", x1: 0, y1: 20, x2: 50, y2: 100 });
    const scene = new Scene("box", [], 8);
    scene.drag([[10, 10], [12, 12]]);
    expect(scene.document.size).toBe(0);
  });

  it("gives a placed corner up with Esc and keeps it for the return otherwise", () => {
    const scene = new Scene("box");
    scene.click(20, 20);
    const draft = scene.tool.keep?.();
    expect(scene.tool.key?.("escape")).toBe(true);
    expect(scene.tool.key?.("escape")).toBe(false);
    scene.tool.resume?.(draft);
    scene.click(60, 60);
    expect(scene.geometries).toEqual([{ type: "box", x1: 20, y1: 20, x2: 60, y2: 60 }]);
  });

  it("forgets a corner that a second finger takes back", () => {
    const scene = new Scene("box");
    scene.tool.down(scene.press(20, 20, { kind: "touch" }));
    scene.tool.cancel();
    expect(scene.tool.keep?.()).toBeNull();
  });
});

describe("rotated box", () => {
  it("draws an edge, then the width", () => {
    const scene = new Scene("rotated_box");
    scene.drag([[40, 50], [60, 50], [80, 50]]);
    expect(scene.document.size).toBe(0);
    scene.hover(70, 70);
    scene.click(60, 80);
    expect(scene.geometries).toEqual([{ type: "rotated_box", cx: 60, cy: 65, width: 40, height: 30, angle: 0 }]);
  });

  it("takes clicks too, turns in steps with Shift, and goes back a step", () => {
    const scene = new Scene("rotated_box");
    scene.click(40, 50);
    scene.click(80, 53, { shift: true });
    expect(scene.tool.undoPoint?.()).toBe(true);
    scene.click(80, 50);
    scene.click(60, 20);
    expect(scene.geometries).toMatchObject([{ cx: 60, cy: 35, height: 30, angle: 0 }]);
  });

  it("lies on its edge whichever way that runs", () => {
    const box = boxOnEdge({ x: 0, y: 0 }, { x: 30, y: 40 }, { x: 30 - 8, y: 40 + 6 });
    expect(box.width).toBe(50);
    expect(box.height).toBeCloseTo(10);
    expect(box.angle).toBeCloseTo(53.13, 2);
    expect(box.cx).toBeCloseTo(11);
    expect(box.cy).toBeCloseTo(23);
  });
});

describe("polygon", () => {
  it("closes at the first vertex", () => {
    const scene = new Scene("polygon");
    for (const [x, y] of [[10, 10], [60, 10], [60, 60], [12, 11]] as const) scene.click(x, y);
    expect(scene.geometries).toEqual([{ type: "polygon", parts: [[[10, 10, 60, 10, 60, 60]]] }]);
  });

  it("finishes with Enter or a double click, and takes points back", () => {
    const scene = new Scene("polygon");
    for (const [x, y] of [[10, 10], [60, 10], [99, 99], [60, 60]] as const) scene.click(x, y);
    scene.tool.key?.("backspace");
    scene.tool.key?.("backspace");
    expect(scene.tool.finish?.()).toBe(false);
    scene.click(60, 60);
    expect(scene.tool.key?.("enter")).toBe(true);
    for (const [x, y] of [[110, 10], [160, 10], [160, 60]] as const) scene.click(x, y);
    scene.click(161, 60, { count: 2 });
    expect(scene.geometries).toEqual([
      { type: "polygon", parts: [[[10, 10, 60, 10, 60, 60]]] },
      { type: "polygon", parts: [[[110, 10, 160, 10, 160, 60]]] },
    ]);
  });

  it("draws freehand while dragging, with few points, and closes where it began", () => {
    const scene = new Scene("polygon");
    const circle = Array.from({ length: 181 }, (_, i) => {
      const turn = (i * Math.PI) / 90;
      return [100 + 40 * Math.cos(turn), 50 + 40 * Math.sin(turn)] as const;
    });
    scene.drag(circle);
    const [polygon] = scene.geometries as Polygon[];
    const points = polygon!.parts[0]![0]!.length / 2;
    expect(points).toBeLessThan(40);
    expect(points).toBeGreaterThan(8);
    expect([contains(polygon!, 100, 50), contains(polygon!, 100, 88), contains(polygon!, 100, 93)]).toEqual([true, true, false]);
  });

  it("is caught by other shapes with Ctrl, and stays inside the image", () => {
    const scene = new Scene("polygon", [drawn("a", SQUARE)]);
    scene.click(95, 12, { ctrl: true });
    scene.click(300, 50);
    scene.click(93, 50, { ctrl: true });
    scene.tool.finish?.();
    expect(scene.geometries[1]).toEqual({ type: "polygon", parts: [[[90, 10, 200, 50, 90, 50]]] });
  });

  it("cuts a hole with Alt inside and adds a part with Alt outside", () => {
    const scene = new Scene("polygon", [drawn("a", SQUARE)]);
    for (const [x, y] of [[30, 30], [60, 30], [60, 60]] as const) scene.click(x, y, { alt: true });
    scene.tool.finish?.();
    scene.session.select("a");
    for (const [x, y] of [[130, 30], [160, 30], [160, 60]] as const) scene.click(x, y, { alt: true });
    scene.tool.finish?.();
    expect(scene.geometries).toEqual([
      { type: "polygon", parts: [[...SQUARE.parts[0]!, [30, 30, 60, 30, 60, 60]], [[130, 30, 160, 30, 160, 60]]] },
    ]);
    scene.editor.undo();
    expect((scene.geometries[0] as Polygon).parts).toHaveLength(1);
  });

  it("keeps its points while the document is rebased", () => {
    const scene = new Scene("polygon", [drawn("a", SQUARE)]);
    scene.click(110, 10);
    scene.click(160, 10);
    scene.document.rebase(8, [drawn("b", SQUARE)], new Set());
    scene.click(160, 60);
    scene.tool.finish?.();
    expect(scene.document.all.map((one) => one.id)).toContain("b");
    expect(scene.document.size).toBe(2);
  });

  it("takes a provisional point back when a pinch begins", () => {
    const scene = new Scene("polygon");
    scene.click(10, 10);
    scene.tool.down(scene.press(90, 90, { kind: "touch" }));
    scene.tool.cancel();
    expect(scene.tool.keep?.()).toMatchObject({ points: [{ x: 10, y: 10 }] });
  });
});

describe("polyline", () => {
  it("ends with a double click and never closes", () => {
    const scene = new Scene("polyline");
    for (const [x, y] of [[10, 10], [60, 10], [11, 11]] as const) scene.click(x, y);
    scene.click(11, 11, { count: 2 });
    expect(scene.geometries).toEqual([{ type: "polyline", points: [10, 10, 60, 10, 11, 11] }]);
  });
});

describe("keypoints", () => {
  it("follows the skeleton's names: hidden ones with the right button, absent ones with Tab", () => {
    const scene = new Scene("keypoints");
    scene.session.labelId.value = 2;
    scene.hover(20, 20);
    expect(scene.session.measured.value).toBe("wrist · 1 of 3");
    scene.click(20, 20);
    expect(scene.tool.key?.("tab")).toBe(true);
    expect(scene.session.measured.value).toBe("tip · 3 of 3");
    scene.click(50, 60, { secondary: true });
    expect(scene.geometries).toEqual([{ type: "keypoints", points: [20, 20, 2, 0, 0, 0, 50, 60, 1] }]);
    expect(scene.tool.keep?.()).toBeNull();
  });

  it("ends early with Enter, goes back, and refuses a skeleton without a point", () => {
    const scene = new Scene("keypoints");
    scene.session.labelId.value = 2;
    scene.click(20, 20);
    scene.click(30, 30);
    scene.tool.undoPoint?.();
    expect(scene.tool.key?.("enter")).toBe(true);
    expect((scene.geometries[0] as Keypoints).points).toEqual([20, 20, 2, 0, 0, 0, 0, 0, 0]);
    for (let i = 0; i < 3; i++) scene.tool.key?.("tab");
    expect(scene.document.size).toBe(1);
    expect(scene.tool.keep?.()).toBeNull();
  });

  it("takes any number of points without a skeleton", () => {
    const scene = new Scene("keypoints");
    for (let i = 1; i <= 4; i++) scene.click(i * 10, 50);
    scene.tool.finish?.();
    expect((scene.geometries[0] as Keypoints).points).toHaveLength(12);
  });
});

describe("brush and eraser", () => {
  const inside = (mask: Mask): number => decodeMask(mask).reduce((sum, one) => sum + one, 0);

  it("goes on with the mask it made, one step a stroke, until Enter", () => {
    const scene = new Scene("brush");
    scene.session.brush.value = 10;
    scene.drag([[50, 50], [80, 50]]);
    expect(scene.document.size).toBe(1);
    const first = inside(scene.geometries[0] as Mask);
    expect(first).toBeGreaterThan(900);
    scene.drag([[80, 50], [80, 80]]);
    expect(scene.document.size).toBe(1);
    expect(inside(scene.geometries[0] as Mask)).toBeGreaterThan(first);
    scene.editor.undo();
    expect(inside(scene.geometries[0] as Mask)).toBe(first);
    expect(scene.tool.key?.("enter")).toBe(true);
    scene.drag([[150, 50], [160, 50]]);
    expect(scene.document.size).toBe(2);
    for (const mask of scene.geometries) expect(check(mask, SIZE.width, SIZE.height)).toBeNull();
  });

  it("erases with the right button, and the eraser removes a mask it wiped out", () => {
    const scene = new Scene("brush");
    scene.drag([[50, 50], [80, 50]]);
    const before = inside(scene.geometries[0] as Mask);
    scene.drag([[50, 50], [55, 50]], { secondary: true });
    expect(inside(scene.geometries[0] as Mask)).toBeLessThan(before);
    const eraser = new Scene("eraser", scene.document.all);
    eraser.session.brush.value = 100;
    expect(eraser.drag([[190, 10], [191, 10]])).toBe(false);
    eraser.drag([[80, 50], [60, 50]]);
    expect(eraser.document.size).toBe(0);
    eraser.editor.undo();
    expect(eraser.document.size).toBe(1);
  });

  it("widens under a pen that is pressed harder, and by brackets", () => {
    const widths = [0.1, 1].map((pressure) => {
      const scene = new Scene("brush");
      scene.drag([[100, 50], [101, 50]], { kind: "pen", pressure });
      return inside(scene.geometries[0] as Mask);
    });
    expect(widths[1]).toBeGreaterThan(4 * widths[0]!);
    const scene = new Scene("brush");
    scene.tool.key?.("]");
    expect(scene.session.brush.value).toBe(15);
    scene.tool.key?.("[");
    expect(scene.session.brush.value).toBe(12);
  });
});
