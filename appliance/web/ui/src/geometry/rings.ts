/** Flat coordinate lists `[x1, y1, x2, y2, …]`: the arithmetic of rings and paths. */

import type { Bounds, Fault } from "./types";

/** Name the first point that is not finite or not inside the image, or return null. */
export function checkInside(points: readonly number[], width: number, height: number, what: string): Fault | null {
  for (let i = 0; i < points.length; i += 2) {
    const x = points[i]!;
    const y = points[i + 1]!;
    if (!(x >= 0 && x <= width && y >= 0 && y <= height)) {
      const finite = Number.isFinite(x) && Number.isFinite(y);
      const problem = finite ? `lies outside ${width} × ${height}` : "is not finite";
      return { code: finite ? "outside" : "not-finite", words: `${what}: point ${i / 2 + 1} (${x}, ${y}) ${problem}` };
    }
  }
  return null;
}

export function boundsOf(points: readonly number[]): Bounds {
  let [x1, y1, x2, y2]: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 2) {
    const x = points[i]!;
    const y = points[i + 1]!;
    if (x < x1) x1 = x;
    if (x > x2) x2 = x;
    if (y < y1) y1 = y;
    if (y > y2) y2 = y;
  }
  return [x1, y1, x2, y2];
}

export function isInside([x1, y1, x2, y2]: Bounds, width: number, height: number): boolean {
  return x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height;
}

/** Signed area: positive when the ring runs clockwise on the screen. */
export function ringArea(ring: readonly number[]): number {
  const x0 = ring[0]!;
  const y0 = ring[1]!;
  let total = 0;
  let px = ring[ring.length - 2]! - x0;
  let py = ring[ring.length - 1]! - y0;
  for (let i = 0; i < ring.length; i += 2) {
    const qx = ring[i]! - x0;
    const qy = ring[i + 1]! - y0;
    total += px * qy - qx * py;
    px = qx;
    py = qy;
  }
  return total / 2;
}

/** Whether the ring has three points that are not on one line. */
export function enclosesArea(ring: readonly number[]): boolean {
  let dx = 0;
  let dy = 0;
  for (let i = 2; i < ring.length; i += 2) {
    const x = ring[i]! - ring[0]!;
    const y = ring[i + 1]! - ring[1]!;
    if (dx === 0 && dy === 0) {
      dx = x;
      dy = y;
    } else if (dx * y !== dy * x) {
      return true;
    }
  }
  return false;
}

export function pathLength(points: readonly number[]): number {
  let length = 0;
  for (let i = 2; i < points.length; i += 2) {
    length += Math.hypot(points[i]! - points[i - 2]!, points[i + 1]! - points[i - 1]!);
  }
  return length;
}

export function transformPoints(
  points: readonly number[],
  scaleX: number,
  scaleY: number,
  dx: number,
  dy: number,
): number[] {
  return points.map((value, i) => (i % 2 === 0 ? value * scaleX + dx : value * scaleY + dy));
}

/** Even-odd rule. */
export function ringContains(ring: readonly number[], x: number, y: number): boolean {
  let inside = false;
  let ax = ring[ring.length - 2]!;
  let ay = ring[ring.length - 1]!;
  for (let i = 0; i < ring.length; i += 2) {
    const bx = ring[i]!;
    const by = ring[i + 1]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    ax = bx;
    ay = by;
  }
  return inside;
}

type Point = [number, number];

/** Cut a ring at the image's edges (Sutherland and Hodgman 1974), as the server does. */
export function clipRing(ring: readonly number[], width: number, height: number): number[] {
  const [x1, y1, x2, y2] = boundsOf(ring);
  let points: Point[] = [];
  for (let i = 0; i < ring.length; i += 2) points.push([ring[i]!, ring[i + 1]!]);
  if (x1 < 0) points = cut(points, 0, 0, 1);
  if (x2 > width) points = cut(points, 0, width, -1);
  if (y1 < 0) points = cut(points, 1, 0, 1);
  if (y2 > height) points = cut(points, 1, height, -1);
  const kept = points.filter((p, i) => i === 0 || !same(p, points[i - 1]!));
  while (kept.length > 1 && same(kept[0]!, kept[kept.length - 1]!)) kept.pop();
  return kept.flat();
}

function same(a: Point, b: Point): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

/** Keep what lies where `side * (coordinate - limit) >= 0`. */
function cut(points: readonly Point[], axis: 0 | 1, limit: number, side: 1 | -1): Point[] {
  const kept: Point[] = [];
  const other = axis === 0 ? 1 : 0;
  points.forEach((b, index) => {
    const a = points[(index + points.length - 1) % points.length]!;
    const aIn = side * (a[axis] - limit) >= 0;
    const bIn = side * (b[axis] - limit) >= 0;
    if (aIn !== bIn) {
      const t = (limit - a[axis]) / (b[axis] - a[axis]);
      const across = a[other] + t * (b[other] - a[other]);
      kept.push(axis === 0 ? [limit, across] : [across, limit]);
    }
    if (bIn) kept.push(b);
  });
  return kept;
}
