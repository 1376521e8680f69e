import { describe, expect, it } from "vitest";

import { Rasterizer, type Tell } from "../../../src/editor/render/rasterizer";
import { LIFTED, ShapeStore } from "../../../src/editor/render/store";
import { tileKey } from "../../../src/editor/render/tile-plan";
import { packed } from "./packed";

const SPEC = { level: 1, scale: 1, ratio: 1 };
const SQUARE = [100, 100, 200, 100, 200, 200, 100, 200];
const KEYS = [tileKey(0, 0), tileKey(1, 0), tileKey(5, 5)];

/** A rasterizer whose slices end at once, with what it told; a bitmap is how many pixels it has. */
function rasterizing() {
  const told: Tell[] = [];
  let resting: (() => void)[] = [];
  const rasterizer = new Rasterizer({
    glyphs: null,
    bitmapOf: (pixels) => Promise.resolve(pixels.filter((pixel) => pixel !== 0).length as unknown as ImageBitmap),
    sliceMs: 0,
    rest: () => new Promise((done) => resting.push(done)),
    tell: (tell) => told.push(tell),
  });
  const idle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 10; quiet++) {
      await Promise.resolve();
      if (resting.length > 0) quiet = 0;
      for (const done of resting.splice(0)) done();
    }
    resting = [];
  };
  const put = (stamp: number, ...shapes: ReturnType<typeof packed>[]): void => {
    const store = new ShapeStore();
    for (const shape of shapes) store.put(shape);
    rasterizer.ask({ kind: "put", surface: 1, batch: store.batch(Uint32Array.from(shapes, ({ slot }) => slot)), removed: new Uint32Array(0), stamp });
  };
  const want = (keys: number[], visible = keys.length, spec = SPEC): void =>
    rasterizer.ask({ kind: "want", surface: 1, levels: [spec], tiles: keys.map((key) => [spec.level, key]), visible, ahead: false });
  rasterizer.ask({ kind: "open", surface: 1, epoch: 7 });
  return { rasterizer, told, idle, put, want };
}

const tiles = (told: readonly Tell[]) => told.flatMap((tell) => (tell.kind === "tile" ? [tell] : []));

describe("rasterizer", () => {
  it("draws the tiles that are wanted, in their order, and nothing for empty ones", async () => {
    const { told, idle, put, want } = rasterizing();
    put(1, packed(0, SQUARE));
    want(KEYS);
    await idle();
    expect(tiles(told).map(({ key, bitmap, epoch }) => [key, bitmap !== null, epoch])).toEqual([[KEYS[0], true, 7], [KEYS[1], false, 7], [KEYS[2], false, 7]]);
    expect(told.at(-1)).toEqual({ kind: "shown", surface: 1, epoch: 7, stamp: 1 });
  });

  it("says that a change shows as soon as the tiles in view do", async () => {
    const { told, idle, put, want } = rasterizing();
    put(3, packed(0, SQUARE));
    want(KEYS, 1);
    await idle();
    expect(told.map(({ kind }) => kind)).toEqual(["tile", "shown", "tile", "tile"]);
  });

  it("draws again only what a change touches, and the same as if drawn anew", async () => {
    const { told, idle, put, want } = rasterizing();
    put(1, packed(0, SQUARE), packed(1, [150, 150, 400, 150, 400, 400]));
    want(KEYS);
    await idle();
    const both = tiles(told)[0].bitmap;
    told.length = 0;
    put(2, packed(0, SQUARE, { flags: packed(0, SQUARE).flags | LIFTED }));
    await idle();
    expect(tiles(told).map(({ key }) => key)).toEqual([KEYS[0]]);
    expect(tiles(told)[0].bitmap).not.toBe(both);
    put(3, packed(0, SQUARE));
    await idle();
    expect(tiles(told).at(-1)?.bitmap).toBe(both);
  });

  it("drops what is no longer wanted, also in the midst of it", async () => {
    const { told, idle, put, want } = rasterizing();
    put(1, ...Array.from({ length: 300 }, (_, slot) => packed(slot, SQUARE)));
    want(KEYS);
    await Promise.resolve();
    want([KEYS[1]], 1, { ...SPEC, level: 2 });
    await idle();
    expect(tiles(told).map(({ level, key }) => [level, key])).toEqual([[2, KEYS[1]]]);
  });

  it("draws once what changes while it is drawn, with the change in it", async () => {
    const { told, idle, put, want } = rasterizing();
    put(1, ...Array.from({ length: 300 }, (_, slot) => packed(slot, SQUARE)));
    want([KEYS[0]]);
    await Promise.resolve();
    put(2, packed(300, [300, 300, 400, 300, 400, 400]));
    await idle();
    expect(tiles(told)).toHaveLength(1);
    expect(told.at(-1)).toMatchObject({ kind: "shown", stamp: 2 });
  });

  it("draws what is looked at before what is drawn ahead", async () => {
    const { rasterizer, told, idle, put, want } = rasterizing();
    put(1, packed(0, SQUARE));
    rasterizer.ask({ kind: "want", surface: 1, levels: [SPEC], tiles: KEYS.map((key) => [1, key]), visible: 3, ahead: true });
    rasterizer.ask({ kind: "open", surface: 2, epoch: 1 });
    rasterizer.ask({ kind: "want", surface: 2, levels: [SPEC], tiles: [[1, KEYS[0]]], visible: 1, ahead: false });
    await idle();
    expect(tiles(told).map(({ surface }) => surface)).toEqual([1, 2, 1, 1]);
    told.length = 0;
    want(KEYS);
    await idle();
    expect(tiles(told)).toEqual([]);
  });

  it("starts anew with a new epoch, and forgets a surface that is closed", async () => {
    const { rasterizer, told, idle, put, want } = rasterizing();
    put(1, packed(0, SQUARE));
    rasterizer.ask({ kind: "open", surface: 1, epoch: 8 });
    want([KEYS[0]]);
    await idle();
    expect(tiles(told).at(-1)).toMatchObject({ epoch: 8, bitmap: null });
    told.length = 0;
    rasterizer.ask({ kind: "close", surface: 1 });
    want([KEYS[0]]);
    await idle();
    expect(told).toEqual([]);
  });
});
