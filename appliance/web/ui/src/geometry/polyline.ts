import { boundsOf, checkInside, isInside, pathLength, transformPoints } from "./rings";
import type { Polyline, Variant } from "./types";

export const MAX_POINTS = 100_000;

type Segment = [number, number, number, number];

/** Cut one segment at the image's edges (Liang and Barsky 1984). */
function clipSegment([ax, ay, bx, by]: Segment, width: number, height: number): Segment | null {
  let [start, end] = [0, 1];
  const [dx, dy] = [bx - ax, by - ay];
  for (const [step, room] of [[-dx, ax], [dx, width - ax], [-dy, ay], [dy, height - ay]] as const) {
    if (step === 0) {
      if (room < 0) return null;
    } else if (step < 0) {
      start = Math.max(start, room / step);
    } else {
      end = Math.min(end, room / step);
    }
  }
  if (start >= end) return null;
  const clampX = (x: number): number => Math.min(Math.max(x, 0), width);
  const clampY = (y: number): number => Math.min(Math.max(y, 0), height);
  const [x1, y1] = start > 0 ? [ax + start * dx, ay + start * dy] : [ax, ay];
  const [x2, y2] = end < 1 ? [ax + end * dx, ay + end * dy] : [bx, by];
  return [clampX(x1), clampY(y1), clampX(x2), clampY(y2)];
}

function piecesInside(points: readonly number[], width: number, height: number): number[][] {
  const pieces: number[][] = [];
  for (let i = 0; i + 3 < points.length; i += 2) {
    const segment: Segment = [points[i]!, points[i + 1]!, points[i + 2]!, points[i + 3]!];
    const inside = clipSegment(segment, width, height);
    if (inside === null) continue;
    const last = pieces[pieces.length - 1];
    if (last !== undefined && last[last.length - 2] === inside[0] && last[last.length - 1] === inside[1]) {
      last.push(inside[2], inside[3]);
    } else {
      pieces.push([...inside]);
    }
  }
  return pieces;
}

export const variant: Variant<Polyline> = {
  type: "polyline",

  check({ points }, width, height) {
    if (points.length % 2 !== 0) return { code: "malformed", words: `the polyline has ${points.length} numbers; x and y come in pairs` };
    const count = points.length / 2;
    if (count < 2 || count > MAX_POINTS) {
      return { code: count < 2 ? "too-few-points" : "too-many-points", words: `a polyline needs 2 to ${MAX_POINTS} points, got ${count}` };
    }
    const outside = checkInside(points, width, height, "the polyline");
    if (outside !== null) return outside;
    const [x1, y1, x2, y2] = boundsOf(points);
    return x1 === x2 && y1 === y2 ? { code: "no-area", words: "the polyline has no length: all its points are one" } : null;
  },

  bounds: ({ points }) => boundsOf(points),

  area: () => 0,

  /** The longest stretch inside the image. */
  clipped(line, width, height) {
    const [x1, y1, x2, y2] = boundsOf(line.points);
    if (isInside([x1, y1, x2, y2], width, height) && (x1 < x2 || y1 < y2)) return line;
    let best: number[] = [];
    for (const piece of piecesInside(line.points, width, height)) {
      if (pathLength(piece) > pathLength(best)) best = piece;
    }
    return best.length > 0 ? { type: "polyline", points: best } : null;
  },

  transformed: ({ points }, scaleX, scaleY, dx, dy) => ({
    type: "polyline",
    points: transformPoints(points, scaleX, scaleY, dx, dy),
  }),

  contains: () => false,
};
