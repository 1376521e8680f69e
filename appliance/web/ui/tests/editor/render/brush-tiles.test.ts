import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { encodeMask } from "../../../src/geometry/mask";
import type { Mask } from "../../../src/geometry";
import { BRUSH_TILE, BrushTiles } from "../../../src/editor/render/brush-tiles";
import { randomly } from "./random";

interface Case {
  geometry: Mask;
  valid: boolean;
}

const SHARED = new URL("../../../../../../tests/fixtures/geometry/mask.json", import.meta.url);
const CASES = (JSON.parse(readFileSync(SHARED, "utf8")) as Case[]).filter((one) => one.valid);
const SIZE = { width: 700, height: 530 };

/** The pixels whose centre lies within `radius` of a segment, one by one. */
function brute(pixels: Uint8Array, from: [number, number], to: [number, number], radius: number, value: number): void {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = dx * dx + dy * dy;
  for (let x = 0; x < SIZE.width; x++) {
    for (let y = 0; y < SIZE.height; y++) {
      const [px, py] = [x + 0.5 - from[0], y + 0.5 - from[1]];
      const t = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length));
      if (Math.hypot(px - t * dx, py - t * dy) <= radius) pixels[x * SIZE.height + y] = value;
    }
  }
}

describe("brush tiles", () => {
  it("give back the masks that Python writes", () => {
    expect(CASES.length).toBeGreaterThan(1);
    for (const { geometry } of CASES) expect(BrushTiles.from(geometry).encode()).toEqual(geometry);
  });

  it("paint and erase what lies within the radius of the stroke, across tiles and borders", () => {
    const random = randomly(7);
    const tiles = new BrushTiles(SIZE);
    const pixels = new Uint8Array(SIZE.width * SIZE.height);
    for (let n = 0; n < 24; n++) {
      const place = (): [number, number] => [random(-30, SIZE.width + 30), random(-30, SIZE.height + 30)];
      const from = place();
      const to = n % 5 === 0 ? from : n % 5 === 1 ? ([from[0], random(0, 500)] as [number, number]) : place();
      const radius = random(1, 90);
      const value = n % 3 === 2 ? 0 : 1;
      tiles.stroke({ x: from[0], y: from[1] }, { x: to[0], y: to[1] }, radius, value);
      brute(pixels, from, to, radius, value);
    }
    expect(tiles.encode()).toEqual(encodeMask(pixels, SIZE.height, SIZE.width));
  });

  it("go on with a mask that is there", () => {
    const before = new Uint8Array(SIZE.width * SIZE.height);
    brute(before, [250, 250], [260, 300], 40, 1);
    const tiles = BrushTiles.from(encodeMask(before, SIZE.height, SIZE.width));
    tiles.stroke({ x: 256, y: 256 }, { x: 256, y: 256 }, 12, 0);
    brute(before, [256, 256], [256, 256], 12, 0);
    expect(tiles.encode()).toEqual(encodeMask(before, SIZE.height, SIZE.width));
  });

  it("always paint a pixel, say what they may have changed, and are nothing when empty", () => {
    const tiles = new BrushTiles(SIZE);
    expect(tiles.encode()).toBeNull();
    expect(tiles.stroke({ x: 10, y: 10 }, { x: 10, y: 10 }, 0.1, 1)).toEqual({ x1: 9, y1: 9, x2: 11, y2: 11 });
    expect(tiles.encode()).not.toBeNull();
    expect(tiles.stroke({ x: -50, y: 10 }, { x: -40, y: 10 }, 5, 1)).toBeNull();
    tiles.stroke({ x: 10, y: 10 }, { x: 10, y: 10 }, 5, 0);
    expect(tiles.encode()).toBeNull();
  });

  it("hold no tile where nothing was painted", () => {
    const tiles = new BrushTiles({ width: 4000, height: 3000 });
    tiles.stroke({ x: 300, y: 300 }, { x: 320, y: 300 }, 10, 1);
    tiles.stroke({ x: 3000, y: 2000 }, { x: 3000, y: 2000 }, 50, 0);
    const held = tiles.within({ x1: 0, y1: 0, x2: 4000, y2: 3000 });
    expect(held.map(({ x, y }) => [x, y])).toEqual([[BRUSH_TILE, BRUSH_TILE]]);
  });
});
