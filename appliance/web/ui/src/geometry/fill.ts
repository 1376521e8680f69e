import { formatRuns } from "./rle";
import type { Mask, Polygon } from "./types";

type Stretch = [number, number];

/** The pixels whose centres are inside a polygon, as a mask; null when there are none. */
export function filled({ parts }: Polygon, width: number, height: number): Mask | null {
  const columns: Stretch[][] = Array.from({ length: width }, () => []);
  for (const part of parts) {
    const crossings = crossed(part, width);
    crossings.forEach((ys, x) => columns[x]!.push(...stretches(ys, height)));
  }
  const runs: number[] = [];
  let [at, end] = [0, 0];
  columns.forEach((column, x) => {
    for (const [from, to] of column.sort((a, b) => a[0] - b[0])) {
      const [first, last] = [Math.max(end, x * height + from), x * height + to];
      if (last <= first) continue;
      if (first > end || runs.length === 0) {
        if (end > at) runs.push(end - at);
        runs.push(first - end);
        at = first;
      }
      end = last;
    }
  });
  if (end === at) return null;
  runs.push(end - at);
  if (end < width * height) runs.push(width * height - end);
  return { type: "mask", size: [height, width], counts: formatRuns(runs) };
}

/** For each column of pixels, where the line through its centres crosses the rings. */
function crossed(rings: readonly (readonly number[])[], width: number): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [ax, ay, bx, by] = [ring[j]!, ring[j + 1]!, ring[i]!, ring[i + 1]!];
      const [left, right] = [Math.min(ax, bx), Math.max(ax, bx)];
      for (let x = Math.max(0, Math.ceil(left - 0.5)); x < Math.min(width, Math.ceil(right - 0.5)); x++) {
        const ys = found.get(x) ?? [];
        if (ys.length === 0) found.set(x, ys);
        ys.push(ay + ((x + 0.5 - ax) * (by - ay)) / (bx - ax));
      }
    }
  }
  return found;
}

/** Rows between each two crossings, by the even-odd rule. */
function stretches(ys: readonly number[], height: number): Stretch[] {
  const sorted = [...ys].sort((a, b) => a - b);
  const row = (y: number): number => Math.min(height, Math.max(0, Math.ceil(y - 0.5)));
  return sorted.flatMap((y, i): Stretch[] => (i % 2 === 0 ? [[row(y), row(sorted[i + 1] ?? y)]] : []));
}
