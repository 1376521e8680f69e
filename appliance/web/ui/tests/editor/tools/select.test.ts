import { describe, expect, it } from "vitest";

import { handlesOf, nearest } from "../../../src/editor/tools/handles";
import { resized } from "../../../src/editor/tools/reshape";
import { bounds, type Box, type Keypoints, type Mask, type Polygon, type RotatedBox } from "../../../src/geometry";
import { square } from "./_masks";
import { drawn, Scene, SIZE } from "./_scene";

const BOX: Box = { type: "box", x1: 40, y1: 30, x2: 80, y2: 60 };
const TRIANGLE: Polygon = { type: "polygon", parts: [[[10, 10, 110, 10, 60, 90]]] };
const TURNED: RotatedBox = { type: "rotated_box", cx: 100, cy: 50, width: 40, height: 30, angle: 90 };

function selected(...ids: string[]): Scene {
  const scene = new Scene("select", [drawn("box", BOX), drawn("tri", TRIANGLE), drawn("turned", TURNED)]);
  scene.session.select(...ids);
  return scene;
}

describe("select", () => {
  it("leaves presses on what is not selected to the view", () => {
    expect(selected().click(60, 45)).toBe(false);
    expect(selected("box").click(150, 95)).toBe(false);
  });

  it("moves one, as one step, stopping at the border", () => {
    const scene = selected("box");
    scene.drag([[60, 45], [70, 50], [20, 45], [-300, 45]]);
    expect(scene.document.get("box")?.geometry).toEqual({ ...BOX, x1: 0, x2: 40 });
    expect(scene.previews).toBeGreaterThan(2);
    expect(scene.shown.size).toBe(0);
    scene.editor.undo();
    expect(scene.document.get("box")?.geometry).toBe(BOX);
    expect(scene.editor.history.canUndo).toBe(false);
  });

  it("moves many by one distance", () => {
    const scene = selected("box", "tri");
    scene.drag([[60, 45], [60, 60], [60, 95]]);
    expect(scene.document.get("box")?.geometry).toMatchObject({ y1: 40, y2: 70 });
    expect(scene.document.get("tri")?.geometry).toEqual({ type: "polygon", parts: [[[10, 20, 110, 20, 60, 100]]] });
    scene.editor.undo();
    expect(scene.document.get("tri")?.geometry).toBe(TRIANGLE);
  });

  it("moves a mask by whole pixels", () => {
    const mask = square(SIZE, 20, 20, 10);
    const scene = new Scene("select", [drawn("m", mask)]);
    scene.session.select("m");
    scene.drag([[25, 25], [40, 30], [45.7, 35.2]]);
    expect(bounds(scene.geometries[0] as Mask)).toEqual([40, 30, 50, 40]);
    scene.drag([[45, 35], [300, 300], [400, 300]]);
    expect(bounds(scene.geometries[0] as Mask)).toEqual([190, 90, 200, 100]);
  });

  it("resizes by a handle, keeping its distance to the pointer", () => {
    const scene = selected("box");
    scene.drag([[81, 61], [90, 70], [101, 81]]);
    expect(scene.document.get("box")?.geometry).toEqual({ ...BOX, x2: 100, y2: 80 });
    expect(resized(BOX, [1, 0], { x: 150, y: 999 }, SIZE)).toEqual({ ...BOX, x2: 150 });
    expect(resized(BOX, [-1, -1], { x: 90, y: 70 }, SIZE)).toEqual({ type: "box", x1: 80, y1: 60, x2: 90, y2: 70 });
    expect(resized(BOX, [-1, 0], { x: 999, y: 0 }, SIZE)).toEqual({ ...BOX, x1: 80, x2: 200 });
    expect(resized({ ...BOX, x2: 200 }, [-1, 0], { x: 200, y: 0 }, SIZE)).toEqual({ ...BOX, x1: 199, x2: 200 });
  });

  it("stretches a rotated box along its own axes and turns it in steps with Shift", () => {
    const scene = selected("turned");
    scene.drag([[100, 70], [100, 75], [100, 80]]);
    const wider = scene.document.get("turned")?.geometry as RotatedBox;
    expect([wider.width, wider.cy, wider.height, wider.angle]).toEqual([50, 55, 30, 90]);
    const knob = handlesOf(wider, 1).find(({ grip }) => grip.kind === "turn")!.place;
    scene.drag([[knob.x, knob.y], [120, 20], [103, 5]], { shift: true });
    expect((scene.document.get("turned")?.geometry as RotatedBox).angle).toBeCloseTo(0);
  });

  it("drags, inserts and deletes vertices", () => {
    const scene = selected("tri");
    scene.drag([[110, 10], [115, 12], [120, 15]]);
    expect(scene.document.get("tri")?.geometry).toEqual({ type: "polygon", parts: [[[10, 10, 120, 15, 60, 90]]] });
    scene.editor.undo();
    scene.click(60, 10);
    expect(scene.document.get("tri")?.geometry).toEqual({ type: "polygon", parts: [[[10, 10, 60, 10, 110, 10, 60, 90]]] });
    scene.click(60, 10, { alt: true });
    expect(scene.document.get("tri")?.geometry).toEqual(TRIANGLE);
    scene.click(110, 10, { alt: true });
    expect(scene.document.get("tri")?.geometry, "three vertices are the least").toEqual(TRIANGLE);
  });

  it("deletes with Del what the pointer is over or a frame chose, else leaves it to the page", () => {
    const pentagon: Polygon = { type: "polygon", parts: [[[10, 10, 60, 5, 110, 10, 110, 90, 10, 90]]] };
    const scene = new Scene("select", [drawn("p", pentagon)]);
    scene.session.select("p");
    scene.hover(60, 50);
    expect(scene.tool.key?.("delete")).toBe(false);
    scene.hover(61, 6);
    expect(scene.tool.key?.("delete")).toBe(true);
    expect((scene.geometries[0] as Polygon).parts[0]![0]).toHaveLength(8);
    scene.drag([[100, 1], [110, 60], [150, 99]], { shift: true });
    scene.drag([[110, 10], [120, 10], [130, 20]]);
    expect((scene.geometries[0] as Polygon).parts[0]![0]).toEqual([10, 10, 130, 20, 130, 100, 10, 90]);
  });

  it("is caught by another shape's vertex with Ctrl", () => {
    const scene = selected("tri");
    scene.drag([[60, 90], [70, 70], [78, 58]], { ctrl: true });
    expect((scene.document.get("tri")?.geometry as Polygon).parts[0]![0]!.slice(4)).toEqual([80, 60]);
  });

  it("hides, shows and removes keypoints", () => {
    const scene = new Scene("select", [drawn("k", { type: "keypoints", points: [20, 20, 2, 60, 60, 2] })]);
    const points = (): number[] => (scene.geometries[0] as Keypoints).points;
    scene.session.select("k");
    scene.click(20, 20, { alt: true });
    expect(points()).toEqual([20, 20, 1, 60, 60, 2]);
    scene.click(20, 20, { secondary: true });
    expect(points()).toEqual([20, 20, 2, 60, 60, 2]);
    scene.hover(60, 60);
    scene.tool.key?.("delete");
    expect(points()).toEqual([20, 20, 2, 60, 60, 0]);
    scene.drag([[20, 20], [30, 30], [40, 40]]);
    expect(points()).toEqual([40, 40, 2, 60, 60, 0]);
  });

  it("selects with a frame, adds with Shift, toggles with a Shift click", () => {
    const scene = selected();
    scene.drag([[35, 25], [60, 60], [130, 80]], { shift: true });
    expect([...scene.session.selection.value].sort()).toEqual(["box", "turned"]);
    scene.click(60, 45, { shift: true });
    expect([...scene.session.selection.value]).toEqual(["turned"]);
    scene.drag([[1, 1], [60, 60], [120, 95]], { kind: "pen" });
    expect([...scene.session.selection.value].sort()).toEqual(["box", "turned", "tri"].sort());
  });

  it("picks what lies above the selected shape by a click", () => {
    const scene = selected("tri");
    expect(scene.click(60, 45)).toBe(true);
    expect(scene.session.single).toBe("box");
  });

  it("changes nothing that is locked", () => {
    const scene = selected("box");
    scene.session.toggleLocked(["box"]);
    expect(scene.drag([[60, 45], [70, 50]])).toBe(false);
    scene.editor.remove(["box"]);
    scene.editor.relabel(["box"], 2);
    expect(scene.document.get("box")).toMatchObject({ geometry: BOX, label_id: 1 });
  });

  it("takes a drag back when it is cancelled", () => {
    const scene = selected("box");
    scene.tool.down(scene.press(60, 45));
    scene.tool.move(scene.press(90, 45));
    expect(scene.shown.size).toBe(1);
    expect(scene.tool.key?.("escape")).toBe(true);
    expect(scene.shown.size).toBe(0);
    scene.tool.up(scene.press(90, 45));
    expect(scene.document.get("box")?.geometry).toBe(BOX);
  });
});

describe("handles", () => {
  it("reach 22 px under a finger, and a point comes before a middle", () => {
    const camera = { x: 0, y: 0, scale: 1 };
    const all = handlesOf(TRIANGLE, 1);
    expect(nearest(all, camera, { x: 125, y: 20 }, 8)).toBeNull();
    expect(nearest(all, camera, { x: 125, y: 20 }, 22)?.grip).toEqual({ kind: "point", index: 1 });
    expect(nearest(all, camera, { x: 60, y: 10 }, 8)?.grip).toEqual({ kind: "middle", index: 0 });
    expect(handlesOf(BOX, 0.2).map(({ grip }) => grip.kind)).toHaveLength(4);
  });

  it("number the vertices of all rings", () => {
    const holed: Polygon = { type: "polygon", parts: [[[0, 0, 90, 0, 90, 90, 0, 90], [20, 20, 60, 20, 60, 60]]] };
    const kinds = handlesOf(holed, 1).map(({ grip }) => grip.kind);
    expect(kinds.filter((kind) => kind === "point")).toHaveLength(7);
    expect(kinds.filter((kind) => kind === "middle")).toHaveLength(7);
  });
});
