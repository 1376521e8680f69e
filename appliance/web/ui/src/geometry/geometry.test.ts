/** The fixtures shared with the server: expectations worked out by hand. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { area, bounds, check, clipped, contains, GEOMETRIES, transformed, type Bounds, type Geometry } from "./index";
import { decodeMask, encodeMask } from "./mask";
import { faultOf } from "./validity";

interface Case {
  name: string;
  image: { width: number; height: number };
  geometry: Geometry;
  valid: boolean;
  error: string | null;
  fault?: string;
  bounds?: Bounds;
  area?: number;
  clipped?: Geometry | null;
  transformed?: { by: [number, number, number, number]; to: Geometry };
  contains?: [number, number, boolean][];
}

const folder = new URL("../../../../../tests/fixtures/geometry/", import.meta.url);
const files = readdirSync(fileURLToPath(folder)).filter((file) => file.endsWith(".json"));

function read(file: string): Case[] {
  return JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Case[];
}

/** Flatten a JSON value to its leaves, so that numbers compare within rounding. */
function leaves(value: unknown, path = ""): [string, unknown][] {
  if (value === null || typeof value !== "object") return [[path, value]];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, `${path}.${key}`));
}

function expectSame(actual: unknown, expected: unknown): void {
  const [a, e] = [new Map(leaves(actual)), new Map(leaves(expected))];
  expect([...a.keys()].sort()).toEqual([...e.keys()].sort());
  for (const [path, value] of e) {
    if (typeof value === "number") expect(a.get(path), path).toBeCloseTo(value, 9);
    else expect(a.get(path), path).toBe(value);
  }
}

it("has fixtures for every variant", () => {
  expect(files.map((file) => file.replace(".json", "")).sort()).toEqual([...GEOMETRIES.keys()].sort());
});

describe.each(files)("%s", (file) => {
  it.each(read(file).map((given) => [given.name, given] as const))("%s", (_, given) => {
    const { width, height } = given.image;
    const problem = check(given.geometry, width, height);
    if (given.valid) expect(problem).toBeNull();
    else expect(problem?.words).toContain(given.error);
    expect(faultOf(given.geometry, width, height)?.code).toBe(given.fault);
    if (given.bounds !== undefined) expectSame(bounds(given.geometry), given.bounds);
    if (given.area !== undefined) expect(area(given.geometry)).toBeCloseTo(given.area, 9);
    if (given.clipped !== undefined) expectSame(clipped(given.geometry, width, height), given.clipped);
    if (given.transformed !== undefined) {
      expectSame(transformed(given.geometry, ...given.transformed.by), given.transformed.to);
    }
    for (const [x, y, inside] of given.contains ?? []) expect(contains(given.geometry, x, y), `${x}, ${y}`).toBe(inside);
  });
});

it("refuses NaN and infinities", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    expect(check({ type: "box", x1: bad, y1: 0, x2: 5, y2: 5 }, 10, 10)).not.toBeNull();
    expect(check({ type: "rotated_box", cx: 5, cy: 5, width: bad, height: 5, angle: 0 }, 10, 10)).not.toBeNull();
    expect(check({ type: "polygon", parts: [[[0, 0, 5, bad, 5, 5]]] }, 10, 10)).not.toBeNull();
    expect(check({ type: "polyline", points: [0, 0, 5, bad] }, 10, 10)).not.toBeNull();
    expect(check({ type: "keypoints", points: [0, bad, 2] }, 10, 10)).not.toBeNull();
  }
});

it("writes masks as it reads them", () => {
  let seed = 7;
  for (let round = 0; round < 50; round++) {
    const [height, width] = [1 + (round % 9), 1 + ((round * 5) % 70)];
    const pixels = Uint8Array.from({ length: height * width }, () => {
      seed = (seed * 48271) % 2147483647;
      return seed % 5 < 2 ? 1 : 0;
    });
    expect(decodeMask(encodeMask(pixels, height, width))).toEqual(pixels);
  }
});
