/** Screen pixels of a dash and of its gap, round ends included. */
export const DASH: readonly [number, number] = [6, 4];

type Line = (x0: number, y0: number, x1: number, y1: number) => void;

/**
 * Lay a dashed line along a path, given as `[x, y, …]`; only what can touch the square of `side`
 * is laid down, so that a long path seen from near costs no more than what is in view.
 */
export function dashes(points: Float32Array, closed: boolean, unit: number, side: number, line: Line): void {
  const [on, off] = [DASH[0] * unit, DASH[1] * unit];
  const period = on + off;
  // Round ends lengthen a dash by the width of the line.
  const cap = 0.75 * unit;
  let phase = 0;
  const count = points.length / 2;
  for (let i = 1; i < count + (closed ? 1 : 0); i++) {
    const j = (i % count) * 2;
    const [x0, y0, x1, y1] = [points[i * 2 - 2], points[i * 2 - 1], points[j], points[j + 1]];
    const length = Math.hypot(x1 - x0, y1 - y0);
    const [from, to] = within(x0, y0, x1, y1, side, 8 * unit);
    const [ux, uy] = length > 0 ? [(x1 - x0) / length, (y1 - y0) / length] : [0, 0];
    const first = Math.floor((phase + from * length) / period);
    const last = Math.floor((phase + to * length) / period);
    for (let n = first; n <= last && to > from; n++) {
      const start = Math.max(0, n * period + cap - phase);
      const end = Math.min(length, n * period + on - cap - phase);
      if (end > start) line(x0 + ux * start, y0 + uy * start, x0 + ux * end, y0 + uy * end);
    }
    phase = (phase + length) % period;
  }
}

/** Which share of a segment lies in a square with a border, as `[from, to]` of 0..1. */
function within(x0: number, y0: number, x1: number, y1: number, side: number, border: number): [number, number] {
  let [from, to] = [0, 1];
  for (const [start, by] of [[x0, x1 - x0], [y0, y1 - y0]]) {
    if (by === 0) {
      if (start < -border || start > side + border) return [0, 0];
      continue;
    }
    const [a, b] = [(-border - start) / by, (side + border - start) / by];
    from = Math.max(from, Math.min(a, b));
    to = Math.min(to, Math.max(a, b));
  }
  return from < to ? [from, to] : [0, 0];
}
