import { type Geometry, type Mask, transformed } from "../geometry";
import { formatRuns, parseRuns } from "../geometry/rle";
import type { Size } from "./camera";
import { type Bounds, bounds } from "./shape";

/** Move a geometry by a distance, stopping at the borders of the image. */
export function moved(geometry: Geometry, dx: number, dy: number, size: Size): Geometry {
  return movedTogether([geometry], dx, dy, size)[0]!;
}

/** Move several by one distance, which ends where the first of them meets a border. */
export function movedTogether(all: readonly Geometry[], dx: number, dy: number, size: Size): Geometry[] {
  const by = allowed(all.flatMap((one) => bounds(one) ?? []), dx, dy, size);
  const whole = all.some((one) => one.type === "mask");
  const [x, y] = whole ? [Math.trunc(by.x), Math.trunc(by.y)] : [by.x, by.y];
  return all.map((one) => (one.type === "mask" ? shifted(one, x, y) : transformed(one, 1, 1, x, y)));
}

/** As far as all stay inside; what sticks out already, a rotated corner, may come back in. */
function allowed(all: readonly Bounds[], dx: number, dy: number, size: Size): { x: number; y: number } {
  const [x1, y1] = [Math.min(...all.map((box) => box.x1)), Math.min(...all.map((box) => box.y1))];
  const [x2, y2] = [Math.max(...all.map((box) => box.x2)), Math.max(...all.map((box) => box.y2))];
  const within = (by: number, least: number, most: number): number => Math.max(Math.min(0, least), Math.min(Math.max(0, most), by));
  return { x: within(dx, -x1, size.width - x2), y: within(dy, -y1, size.height - y2) };
}

/** Shift a mask by whole pixels; as it stays inside, only the first and the last run change. */
function shifted(mask: Mask, dx: number, dy: number): Mask {
  const [height, width] = mask.size;
  const by = dx * height + dy;
  if (by === 0) return mask;
  const runs = parseRuns(mask.counts, height, width);
  if (runs.length % 2 === 0) runs.push(0);
  runs[0]! += by;
  runs[runs.length - 1]! -= by;
  if (runs.at(-1) === 0) runs.pop();
  return { ...mask, counts: formatRuns(runs) };
}
