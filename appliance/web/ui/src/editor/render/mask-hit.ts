import { parseRuns } from "../../geometry/rle";
import type { Mask } from "../../geometry/types";
import type { Point } from "../camera";

const known = new WeakMap<Mask, Uint32Array>();

/** Where each run of a mask ends; read once, since a pointer asks again with every move. */
function ends(mask: Mask): Uint32Array {
  const kept = known.get(mask);
  if (kept) return kept;
  let at = 0;
  const made = Uint32Array.from(parseRuns(mask.counts, mask.size[0], mask.size[1]), (run) => (at += run));
  known.set(mask, made);
  return made;
}

/** True when the pixel at a place of the image is inside. */
export function maskContains(mask: Mask, { x, y }: Point): boolean {
  const [height, width] = mask.size;
  if (!(x >= 0 && y >= 0 && x < width && y < height)) return false;
  const place = Math.floor(x) * height + Math.floor(y);
  const all = ends(mask);
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle] > place) high = middle;
    else low = middle + 1;
  }
  return low % 2 === 1;
}
