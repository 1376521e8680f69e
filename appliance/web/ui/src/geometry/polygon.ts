import { boundsOf, checkInside, clipRing, enclosesArea, isInside, ringArea, ringContains, transformPoints } from "./rings";
import type { Fault, Polygon, Variant } from "./types";

export const MAX_POINTS = 100_000;

function checkRing(ring: readonly number[], width: number, height: number, what: string): Fault | null {
  if (ring.length % 2 !== 0) return { code: "malformed", words: `${what} has ${ring.length} numbers; x and y come in pairs` };
  if (ring.length < 6) {
    const points = ring.length === 2 ? "1 point" : `${ring.length / 2} points`;
    return { code: "too-few-points", words: `${what} has ${points}, at least 3 are needed` };
  }
  const outside = checkInside(ring, width, height, what);
  if (outside !== null) return outside;
  return enclosesArea(ring) ? null : { code: "no-area", words: `${what} encloses no area: all its points lie on one line` };
}

export const variant: Variant<Polygon> = {
  type: "polygon",

  check({ parts }, width, height) {
    if (parts.length === 0) return { code: "too-few-points", words: "a polygon needs at least one part" };
    let points = 0;
    for (const [p, part] of parts.entries()) {
      if (part.length === 0) return { code: "too-few-points", words: `part ${p + 1} of the polygon has no ring` };
      for (const [r, ring] of part.entries()) {
        const problem = checkRing(ring, width, height, `part ${p + 1}, ring ${r + 1}`);
        if (problem !== null) return problem;
        points += ring.length / 2;
      }
    }
    if (points <= MAX_POINTS) return null;
    return { code: "too-many-points", words: `the polygon has ${points} points, ${MAX_POINTS} are allowed: simplify it, or use a mask` };
  },

  bounds: ({ parts }) => {
    const boxes = parts.flat().map(boundsOf);
    return boundsOf(boxes.flat());
  },

  area({ parts }) {
    let total = 0;
    for (const [outer, ...holes] of parts) {
      total += Math.abs(ringArea(outer!));
      for (const hole of holes) total -= Math.abs(ringArea(hole));
    }
    return total;
  },

  clipped(polygon, width, height) {
    if (polygon.parts.flat().every(enclosesArea) && isInside(variant.bounds(polygon), width, height)) return polygon;
    const parts = polygon.parts
      .map((part) => part.map((ring) => clipRing(ring, width, height)))
      .filter(([outer]) => enclosesArea(outer!))
      .map(([outer, ...holes]) => [outer!, ...holes.filter(enclosesArea)]);
    return parts.length > 0 ? { type: "polygon", parts } : null;
  },

  transformed: ({ parts }, scaleX, scaleY, dx, dy) => ({
    type: "polygon",
    parts: parts.map((part) => part.map((ring) => transformPoints(ring, scaleX, scaleY, dx, dy))),
  }),

  /** Even-odd within a part, the union of the parts. */
  contains: ({ parts }, x, y) =>
    parts.some((part) => part.filter((ring) => ringContains(ring, x, y)).length % 2 === 1),
};
