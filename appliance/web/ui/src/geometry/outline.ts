import { variant } from "./mask";
import { parseRuns } from "./rle";
import { ringArea, ringContains } from "./rings";
import { simplified } from "./simplify";
import type { Mask, Polygon } from "./types";

/** Right, down, left, up: the sides of a pixel in turn, with the pixel on the right hand. */
const STEPS = [[1, 0], [0, 1], [-1, 0], [0, -1]] as const;

/** Sides of pixels that part inside from outside: for each corner, a bit for each way that leaves it. */
interface Grid {
  x: number;
  y: number;
  width: number;
  leaving: Uint8Array;
}

/**
 * The outline of a mask, with its holes. At tolerance 0 it runs along the edges of the pixels, and
 * fills to the very same mask; pixels that meet at a corner alone are parts of their own.
 */
export function outline(mask: Mask, tolerance: number): Polygon | null {
  const exact = rings(gridOf(mask));
  const parts = exact.filter((ring) => ringArea(ring) > 0).map((ring) => ({ ring, area: ringArea(ring), holes: [] as number[][] }));
  parts.sort((a, b) => a.area - b.area);
  for (const hole of exact) {
    if (ringArea(hole) > 0) continue;
    const [x, y] = insideHole(hole);
    parts.find(({ ring }) => ringContains(ring, x, y))?.holes.push(hole);
  }
  const thin = (ring: number[]): number[] => {
    const fewer = simplified(ring, tolerance, true);
    return fewer.length >= 6 && ringArea(fewer) !== 0 ? fewer : ring;
  };
  return parts.length > 0 ? { type: "polygon", parts: parts.map(({ ring, holes }) => [thin(ring), ...holes.map(thin)]) } : null;
}

/** A place beside the first side of a hole: on its left hand nothing is inside the mask. */
function insideHole([ax, ay, bx, by]: readonly number[]): [number, number] {
  const length = Math.hypot(bx! - ax!, by! - ay!);
  return [ax! + (bx! - ax! + (by! - ay!)) / (2 * length), ay! + (by! - ay! - (bx! - ax!)) / (2 * length)];
}

function gridOf(mask: Mask): Grid {
  const [x1, y1, x2, y2] = variant.bounds(mask);
  const [width, height] = [x2 - x1, y2 - y1];
  const inside = cropped(mask, x1, y1, width, height);
  const at = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < width && y < height && inside[x * height + y] === 1;
  const leaving = new Uint8Array((width + 1) * (height + 1));
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (!at(x, y)) continue;
      if (!at(x, y - 1)) leaving[y * (width + 1) + x]! |= 1;
      if (!at(x + 1, y)) leaving[y * (width + 1) + x + 1]! |= 2;
      if (!at(x, y + 1)) leaving[(y + 1) * (width + 1) + x + 1]! |= 4;
      if (!at(x - 1, y)) leaving[(y + 1) * (width + 1) + x]! |= 8;
    }
  }
  return { x: x1, y: y1, width: width + 1, leaving };
}

function cropped({ size: [height, width], counts }: Mask, x1: number, y1: number, columns: number, rows: number): Uint8Array {
  const pixels = new Uint8Array(columns * rows);
  let at = 0;
  parseRuns(counts, height, width).forEach((run, i) => {
    for (let from = at; i % 2 === 1 && from < at + run; ) {
      const column = Math.floor(from / height);
      const end = Math.min(at + run, (column + 1) * height);
      const place = (column - x1) * rows - column * height - y1;
      pixels.fill(1, place + from, place + end);
      from = end;
    }
    at += run;
  });
  return pixels;
}

function rings({ x: left, y: top, width, leaving }: Grid): number[][] {
  const found: number[][] = [];
  leaving.forEach((_, start) => {
    while (leaving[start] !== 0) {
      const ring: number[] = [];
      let [at, way] = [start, -1];
      for (let next = turn(leaving[at]!, 0); next >= 0; next = turn(leaving[at]!, way)) {
        if (next !== way) ring.push(left + (at % width), top + Math.floor(at / width));
        leaving[at]! &= ~(1 << next);
        way = next;
        at += STEPS[way]![0] + STEPS[way]![1] * width;
        if (at === start) break;
      }
      found.push(ring);
    }
  });
  return found;
}

/** The way on from a corner: to the right first, so that it keeps to its pixel. */
function turn(ways: number, from: number): number {
  for (const by of [1, 0, 3]) {
    const way = (from + by) % 4;
    if ((ways >> way) & 1) return way;
  }
  return (ways >> ((from + 2) % 4)) & 1 ? (from + 2) % 4 : -1;
}
