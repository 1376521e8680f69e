import { describe, expect, it } from "vitest";

import { TILE } from "../../../src/editor/render/raster";
import { leaves, overviewScale, tilePlace, tilesIn, viewIn } from "../../../src/editor/render/tile-plan";
import { randomly } from "./random";

const SIZE = { width: 4000, height: 3000 };
const VIEW = { width: 1600, height: 900 };

describe("tile plan", () => {
  it("covers the image in view and a border around it, each place once", () => {
    const random = randomly(11);
    for (let n = 0; n < 50; n++) {
      const camera = { x: random(-4000, 1000), y: random(-3000, 600), scale: random(0.1, 3) };
      const area = viewIn(camera, VIEW, camera.scale);
      const keys = tilesIn(area, SIZE, camera.scale);
      expect(new Set(keys).size).toBe(keys.length);
      for (let probe = 0; probe < 40; probe++) {
        const [x, y] = [random(area.x1, area.x2), random(area.y1, area.y2)];
        const onImage = x > -15 && y > -15 && x < SIZE.width * camera.scale + 14 && y < SIZE.height * camera.scale + 14;
        const holding = keys.filter((key) => {
          const place = tilePlace(key);
          return x >= place.x && x < place.x + TILE && y >= place.y && y < place.y + TILE;
        });
        if (onImage) expect(holding).toHaveLength(1);
      }
    }
  });

  it("begins in the middle", () => {
    const keys = tilesIn({ x1: 0, y1: 0, x2: 5 * TILE, y2: 5 * TILE }, { width: 9000, height: 9000 }, 1);
    const far = keys.map((key) => Math.hypot(tilePlace(key).x - 2 * TILE, tilePlace(key).y - 2 * TILE));
    expect(far).toEqual([...far].sort((a, b) => a - b));
  });

  it("adds a margin of a quarter of the view", () => {
    const camera = { x: -1000, y: -1000, scale: 2 };
    expect(viewIn(camera, VIEW, 2)).toEqual({ x1: 1000, y1: 1000, x2: 2600, y2: 1900 });
    expect(viewIn(camera, VIEW, 2, true)).toEqual({ x1: 600, y1: 775, x2: 3000, y2: 2125 });
    expect(viewIn(camera, VIEW, 1)).toEqual({ x1: 500, y1: 500, x2: 1300, y2: 950 });
  });

  it("draws anew when the scale leaves 0.66 to 1.5 times the cached one", () => {
    expect([0.65, 0.67, 1, 1.49, 1.51].map((scale) => leaves(scale, 1))).toEqual([true, false, false, false, true]);
  });

  it("has an overview of about 2,048 px", () => {
    expect(overviewScale(SIZE)).toBeCloseTo(0.512);
    expect(overviewScale({ width: 640, height: 480 })).toBe(2);
  });
});
