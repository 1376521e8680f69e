/**
 * Leave points out of a path so that it moves by at most `tolerance`.
 *
 * Source: Douglas and Peucker 1973. A ring is cut at its first point and at the one farthest from it.
 */
export function simplified(points: readonly number[], tolerance: number, closed: boolean): number[] {
  const count = points.length / 2;
  if (tolerance <= 0 || count < 3) return [...points];
  const kept = new Uint8Array(count);
  if (closed) {
    const far = farthestFrom(points, 0);
    thin(points, 0, far, tolerance, kept);
    thin(points, far, count, tolerance, kept);
  } else thin(points, 0, count - 1, tolerance, kept);
  return points.filter((_, i) => kept[i >> 1] === 1);
}

/** Mark the points to keep between two that are kept; an index of `count` is the first point again. */
function thin(points: readonly number[], first: number, last: number, tolerance: number, kept: Uint8Array): void {
  const count = points.length / 2;
  const open: [number, number][] = [[first, last]];
  for (let span = open.pop(); span; span = open.pop()) {
    const [from, to] = span;
    kept[from] = kept[to % count] = 1;
    let [worst, at] = [tolerance, -1];
    for (let i = from + 1; i < to; i++) {
      const off = offLine(points, from, to % count, i);
      if (off > worst) [worst, at] = [off, i];
    }
    if (at >= 0) open.push([from, at], [at, to]);
  }
}

/** How far point `i` lies from the segment between two others. */
function offLine(points: readonly number[], a: number, b: number, i: number): number {
  const [ax, ay, x, y] = [points[2 * a]!, points[2 * a + 1]!, points[2 * i]!, points[2 * i + 1]!];
  const [dx, dy] = [points[2 * b]! - ax, points[2 * b + 1]! - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

function farthestFrom(points: readonly number[], i: number): number {
  let [best, at] = [-1, i];
  for (let k = 0; k < points.length / 2; k++) {
    const far = Math.hypot(points[2 * k]! - points[2 * i]!, points[2 * k + 1]! - points[2 * i + 1]!);
    if (far > best) [best, at] = [far, k];
  }
  return at;
}
