import { afterEach, describe, expect, it, vi } from "vitest";

import { Problem } from "../../../src/api/problem";
import type { Segmentation } from "../../../src/api/types";
import { area, type Mask } from "../../../src/geometry";
import { encodeMask } from "../../../src/geometry/mask";
import { Scene, SIZE } from "./_scene";

/** The mask of a box, with a speck of one pixel where there is room. */
function maskOf(x1: number, y1: number, x2: number, y2: number): Mask {
  const pixels = new Uint8Array(SIZE.width * SIZE.height);
  for (let x = x1; x < x2; x++) for (let y = y1; y < y2; y++) pixels[x * SIZE.height + y] = 1;
  pixels[SIZE.height * SIZE.width - 1] = 1;
  return encodeMask(pixels, SIZE.height, SIZE.width);
}

const BOLT = maskOf(20, 20, 60, 50);
const answerOf = (mask: Mask | null): Segmentation => (
  { segmenter: "Built-in", model_id: null, mask, score: 0.9, region: [0, 0, 200, 100], chain: null }
);
const settled = (): Promise<void> => new Promise((done) => setTimeout(done));

async function answer(scene: Scene, n: number, mask: Mask | null = BOLT): Promise<void> {
  scene.asked[n]?.answer(answerOf(mask));
  await settled();
}

/** What a tool draws, as the names of the calls. */
function drawnBy(scene: Scene): string[] {
  const calls: string[] = [];
  vi.stubGlobal("Path2D", class { moveTo() {} lineTo() {} closePath() {} });
  const context = new Proxy({}, { get: (_, name) => () => calls.push(String(name)), set: () => true });
  scene.session.crosshair.value = "pointer";
  scene.tool.draw?.(context as CanvasRenderingContext2D, scene.session.camera.value);
  return calls;
}

afterEach(() => vi.unstubAllGlobals());

describe("smart segment", () => {
  it("shows a mark before anything is answered", () => {
    const scene = new Scene("segment");
    expect(drawnBy(scene)).not.toContain("arc");
    scene.click(40, 40);
    expect(drawnBy(scene).filter((call) => call === "arc")).toHaveLength(1);
    expect(scene.session.measured.value).toBe("1 click");
    expect(scene.session.answering.value).toEqual({ segmenter: null, busy: true, trouble: null });
  });

  it("asks about clicks with both signs and goes on from the answer before", async () => {
    const scene = new Scene("segment");
    scene.click(40, 40);
    await answer(scene, 0);
    scene.click(90, 90, { secondary: true });
    expect(scene.asked.map(({ prompt }) => prompt)).toEqual([
      { points: [{ x: 40, y: 40, positive: true }] },
      { points: [{ x: 40, y: 40, positive: true }, { x: 90, y: 90, positive: false }], mask: BOLT },
    ]);
    expect(scene.session.answering.value.segmenter).toBe("Built-in");
  });

  it("names the answer before, where the segmenter kept it", async () => {
    const scene = new Scene("segment");
    scene.click(40, 40);
    scene.asked[0]?.answer({ ...answerOf(BOLT), chain: "kept" });
    await settled();
    scene.click(90, 90);
    expect(scene.asked[1]?.prompt).toMatchObject({ mask: BOLT, chain: "kept" });
  });

  it("accepts with Enter as one step of undo, as a polygon without specks", async () => {
    const scene = new Scene("segment");
    scene.click(40, 40);
    await answer(scene, 0);
    expect(scene.document.size).toBe(0);
    expect(scene.tool.key?.("enter")).toBe(true);
    expect(scene.geometries).toEqual([{ type: "polygon", parts: [[[20, 20, 60, 20, 60, 50, 20, 50]]] }]);
    expect(scene.session.measured.value).toBeNull();
    scene.editor.undo();
    expect(scene.document.size).toBe(0);
    expect(scene.editor.history.canUndo).toBe(false);
  });

  it("keeps every pixel where it stays a mask", async () => {
    const scene = new Scene("segment");
    scene.session.segmentAs.value = "mask";
    scene.click(40, 40);
    await answer(scene, 0);
    scene.tool.finish?.();
    expect(scene.geometries).toEqual([BOLT]);
  });

  it("follows the tolerance up to the moment of accepting", async () => {
    const scene = new Scene("segment");
    scene.click(40, 40);
    await answer(scene, 0);
    scene.session.tolerance.value = 0;
    scene.tool.finish?.();
    expect(scene.geometries[0]).toMatchObject({ parts: [expect.anything(), expect.anything()] });
    expect(area(scene.geometries[0]!)).toBe(40 * 30 + 1);
  });

  it("queues clicks: one question at a time, and a stale answer is dropped", async () => {
    const scene = new Scene("segment");
    scene.click(40, 40);
    scene.click(50, 45);
    scene.click(90, 90, { secondary: true });
    expect(scene.asked).toHaveLength(1);
    await answer(scene, 0, maskOf(0, 0, 9, 9));
    expect(scene.tool.finish?.()).toBe(true);
    expect(scene.document.size).toBe(0);
    expect(scene.asked[1]?.prompt.points).toHaveLength(3);
    await answer(scene, 1);
    expect(scene.geometries).toHaveLength(1);
    expect(area(scene.geometries[0]!)).toBe(40 * 30);
  });

  it("leaves nothing behind after Esc, whenever the answer comes", async () => {
    const scene = new Scene("segment");
    scene.click(40, 40);
    expect(scene.tool.key?.("escape")).toBe(true);
    expect(scene.asked[0]?.signal.aborted).toBe(true);
    await answer(scene, 0);
    expect(scene.tool.finish?.()).toBe(false);
    expect([scene.document.size, scene.session.measured.value, scene.session.answering.value.busy]).toEqual([0, null, false]);
    expect(scene.tool.key?.("escape")).toBe(false);
  });

  it("does not wait for the answer to a draft that was dropped", async () => {
    const scene = new Scene("segment");
    scene.click(10, 10);
    scene.tool.drop?.();
    scene.click(40, 40);
    expect(scene.asked).toHaveLength(2);
    await answer(scene, 0, maskOf(0, 0, 9, 9));
    await answer(scene, 1);
    scene.tool.finish?.();
    expect(area(scene.geometries[0]!)).toBe(40 * 30);
  });

  it("takes a dragged box, and clicks beside it", async () => {
    const scene = new Scene("segment");
    scene.drag([[10, 10], [40, 40], [70, 60]]);
    expect(scene.asked[0]?.prompt).toEqual({ points: [], box: [10, 10, 70, 60] });
    await answer(scene, 0);
    scene.click(30, 30);
    expect(scene.asked[1]?.prompt).toMatchObject({ points: [{ x: 30, y: 30 }], box: [10, 10, 70, 60] });
    expect(scene.session.measured.value).toBe("box, 1 click");
  });

  it("takes the last click back", async () => {
    const scene = new Scene("segment");
    scene.click(40, 40);
    scene.click(150, 80);
    await answer(scene, 0);
    await answer(scene, 1);
    expect(scene.tool.undoPoint?.()).toBe(true);
    expect(scene.asked[2]?.prompt).toEqual({ points: [{ x: 40, y: 40, positive: true }] });
    expect(scene.tool.undoPoint?.()).toBe(true);
    expect(scene.tool.undoPoint?.()).toBe(false);
  });

  it("tells of the part in sight as it was at the first click", async () => {
    const scene = new Scene("segment");
    scene.visible = { x1: 10, y1: 10, x2: 60, y2: 60 };
    scene.click(40, 40);
    await answer(scene, 0);
    scene.visible = { x1: 0, y1: 0, x2: 100, y2: 100 };
    scene.click(42, 42);
    expect(scene.asked.map(({ prompt }) => prompt.view)).toEqual([[10, 10, 60, 60], [10, 10, 60, 60]]);
  });

  it("says what is wrong, and asks again with Enter", async () => {
    const scene = new Scene("segment");
    scene.click(90, 90, { secondary: true });
    expect([scene.asked.length, scene.session.answering.value.trouble]).toEqual([0, "Click on the object first."]);
    scene.click(40, 40);
    scene.asked[0]?.refuse(new Problem(0, { detail: "The box is out of reach." }));
    await settled();
    expect(scene.session.answering.value.trouble).toBe("The box is out of reach.");
    scene.tool.finish?.();
    await answer(scene, 1, null);
    expect(scene.session.answering.value.trouble).toContain("Nothing found");
    expect(scene.document.size).toBe(0);
  });

  it("waits for the return to its image", async () => {
    const scene = new Scene("segment");
    scene.click(40, 40);
    await answer(scene, 0);
    const draft = scene.tool.keep?.();
    scene.tool.drop?.();
    expect(scene.tool.keep?.()).toBeNull();
    scene.tool.resume?.(draft);
    scene.tool.finish?.();
    expect(scene.geometries).toHaveLength(1);
  });
});
