import { describe, expect, it } from "vitest";

import { encodeMask } from "../../../src/geometry/mask";
import { faded, opaque, over, straighten } from "../../../src/editor/render/pixels";
import { Raster, TILE } from "../../../src/editor/render/raster";
import { CROSSED, DASHED, FILLED, LIFTED, type Packed, SELECTED, SHOWN, ShapeStore } from "../../../src/editor/render/store";
import { randomly } from "./random";
import { packed } from "./packed";

const WHOLE = { x1: 0, y1: 0, x2: TILE, y2: TILE };
const PLACE = { scale: 1, ratio: 1, x: 0, y: 0 };
const SQUARE = [100, 100, 200, 100, 200, 200, 100, 200];
const YELLOW = 0xffe600;

function drawn(shapes: readonly Packed[], place = PLACE, part = WHOLE, pixels = new Uint32Array(TILE * TILE)): Uint32Array {
  const store = new ShapeStore();
  for (const shape of shapes) store.put(shape);
  for (const step of new Raster().draw(store, pixels, place, part)) expect(step).toBeUndefined();
  return pixels;
}

const at = (pixels: Uint32Array, x: number, y: number): number => pixels[y * TILE + x];
const alpha = (pixels: Uint32Array, x: number, y: number): number => at(pixels, x, y) >>> 24;

describe("pixels", () => {
  it("fade, lie over each other and turn straight", () => {
    expect(opaque(0x010203)).toBe(0xff030201);
    expect(faded(opaque(0xffffff), 128)).toBe(0x7f7f7f7f);
    expect(over(opaque(0xff0000), opaque(0x00ff00))).toBe(opaque(0xff0000));
    expect(over(0, opaque(0x00ff00))).toBe(opaque(0x00ff00));
    const to = new Uint32Array(2);
    straighten(new Uint32Array([faded(opaque(0xff8000), 128), opaque(0xff8000)]), to);
    expect(to[0] >>> 24).toBe(127);
    expect(Math.abs((to[0] & 255) - 255)).toBeLessThan(3);
    expect(to[1]).toBe(opaque(0xff8000));
  });
});

describe("raster", () => {
  it("draws a line of 1.5 px over a dark casing, and a fill of 12 %", () => {
    const pixels = drawn([packed(0, SQUARE)]);
    expect(alpha(pixels, 150, 150)).toBeGreaterThan(28);
    expect(alpha(pixels, 150, 150)).toBeLessThan(33);
    expect(at(pixels, 150, 100) & 0xffff).toBeGreaterThan(0xa000);
    expect(alpha(pixels, 150, 98)).toBeGreaterThan(120);
    expect(at(pixels, 150, 98) & 255).toBeLessThan(40);
    expect([at(pixels, 150, 95), at(pixels, 300, 300)]).toEqual([0, 0]);
  });

  it("keeps the width of lines whatever the scale and the ratio of pixels", () => {
    const across = (scale: number, ratio: number): number => {
      const pixels = drawn([packed(0, SQUARE)], { scale, ratio, x: 0, y: 0 });
      return Array.from({ length: 40 }, (_, y) => at(pixels, 150 * scale, Math.round(100 * scale) - 20 + y)).filter((pixel) => (pixel & 255) > 200).length;
    };
    expect(across(1, 1)).toBe(across(2, 1));
    expect(across(2, 2)).toBeGreaterThan(across(2, 1));
  });

  it("draws the same whether a tile is drawn at once, by parts or as its neighbour", () => {
    const random = randomly(5);
    const shapes = Array.from({ length: 60 }, (_, slot) => {
      const [x, y] = [random(0, TILE), random(0, TILE)];
      const points = Array.from({ length: 16 }, (_, k) => (k % 2 === 0 ? x : y) + random(-60, 60));
      return packed(slot, points, { flags: SHOWN | [FILLED, DASHED, CROSSED, FILLED | SELECTED][slot % 4] });
    });
    const whole = drawn(shapes);
    const parts = new Uint32Array(TILE * TILE);
    for (const [x, y] of [[0, 0], [200, 0], [0, 300], [200, 300]]) {
      drawn(shapes, PLACE, { x1: x, y1: y, x2: x === 0 ? 200 : TILE, y2: y === 0 ? 300 : TILE }, parts);
    }
    const differing = whole.filter((pixel, i) => Math.abs((pixel >>> 24) - (parts[i] >>> 24)) > 2).length;
    expect(differing / whole.length).toBeLessThan(0.001);
    const moved = drawn(shapes, { ...PLACE, x: 256 });
    for (let y = 0; y < TILE; y += 7) for (let x = 0; x < 250; x += 7) expect(Math.abs(alpha(moved, x, y) - alpha(whole, x + 256, y))).toBeLessThan(3);
  });

  it("dashes predictions and leaves them unfilled; hatches what is rejected", () => {
    const dashed = drawn([packed(0, SQUARE, { flags: SHOWN | DASHED })]);
    const along = Array.from({ length: 80 }, (_, i) => (at(dashed, 110 + i, 100) & 255) > 128);
    const turns = along.filter((on, i) => i > 0 && on !== along[i - 1]).length;
    expect(turns).toBeGreaterThan(12);
    expect(turns).toBeLessThan(20);
    expect(at(dashed, 150, 150)).toBe(0);
    const crossed = drawn([packed(0, SQUARE, { flags: SHOWN | CROSSED })]);
    expect(alpha(crossed, 150, 150)).toBeGreaterThan(200);
    const inside = Array.from({ length: 90 }, (_, i) => alpha(crossed, 105 + i, 130));
    expect(inside.filter((value) => value > 60).length).toBeGreaterThan(10);
    expect(inside.filter((value) => value === 0).length).toBeGreaterThan(20);
    expect(alpha(crossed, 99, 80)).toBe(0);
  });

  it("leaves out what is hidden or lifted", () => {
    expect(drawn([packed(0, SQUARE, { flags: FILLED }), packed(1, SQUARE, { flags: SHOWN | FILLED | LIFTED })]).some((pixel) => pixel !== 0)).toBe(false);
  });

  it("leaves holes open", () => {
    const hole = [130, 130, 170, 130, 170, 170, 130, 170];
    const block = new Float32Array([1, 4, ...SQUARE, 1, 4, ...hole]);
    const pixels = drawn([packed(0, SQUARE, { block })]);
    expect([alpha(pixels, 115, 115) > 0, alpha(pixels, 150, 150)]).toEqual([true, 0]);
  });

  it("makes specks of what is small: no line under 6 px", () => {
    const tiny = drawn([packed(0, SQUARE)], { ...PLACE, scale: 0.02 });
    expect(tiny.filter((pixel) => pixel !== 0).length).toBe(4);
    const small = drawn([packed(0, SQUARE)], { ...PLACE, scale: 0.05 });
    expect(small.filter((pixel) => pixel !== 0).length).toBe(25);
  });

  it("costs no more for a path that is seen from very near", () => {
    const far = [0, 0, 20_000, 0, 20_000, 20_000, 0, 20_000];
    const pixels = drawn([packed(0, far, { flags: SHOWN | DASHED })], { scale: 64, ratio: 1, x: 640_000, y: -100 });
    expect(Array.from({ length: TILE }, (_, x) => at(pixels, x, 100) & 255).filter((red) => red > 128).length).toBeGreaterThan(200);
  });

  it("tints masks with a rim, broken where it is a prediction", () => {
    const mask = new Uint8Array(300 * 200);
    for (let x = 60; x < 160; x++) mask.fill(1, x * 200 + 50, x * 200 + 150);
    const shape = (flags: number): Packed =>
      packed(0, [60, 50, 160, 150], { block: new Float32Array(0), flags: SHOWN | flags, mask: encodeMask(mask, 200, 300), color: YELLOW });
    const drawnMask = drawn([shape(FILLED)]);
    expect(alpha(drawnMask, 110, 100)).toBeGreaterThan(80);
    expect(alpha(drawnMask, 60, 100)).toBeGreaterThan(200);
    expect([at(drawnMask, 59, 100), at(drawnMask, 160, 100)]).toEqual([0, 0]);
    const predicted = drawn([shape(DASHED)]);
    const rim = Array.from({ length: 90 }, (_, i) => alpha(predicted, 65 + i, 50) > 200);
    expect([rim.includes(true), rim.includes(false)]).toEqual([true, true]);
  });
});
