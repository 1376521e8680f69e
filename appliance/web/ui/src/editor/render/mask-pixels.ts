import { parseRuns } from "../../geometry/rle";
import type { Mask } from "../../geometry/types";

/** Bytes of decoded masks that are kept. */
const KEEP_BYTES = 96 * 2 ** 20;

/** The pixels of a mask within its bounds: `inside[(x - left) * height + y - top]` is 1 or 0. */
export interface MaskPixels {
  left: number;
  top: number;
  width: number;
  height: number;
  inside: Uint8Array;
}

/** Decode a mask, cropped to its bounds; null when nothing is in it. */
export function maskPixels({ size: [rows, columns], counts }: Mask): MaskPixels | null {
  const runs = parseRuns(counts, rows, columns);
  const box = runsBox(runs, rows);
  if (!box) return null;
  const { left, top, width, height } = box;
  const inside = new Uint8Array(width * height);
  eachSpan(runs, rows, (x, from, to) => {
    const at = (x - left) * height - top;
    inside.fill(1, at + from, at + to);
  });
  return { ...box, inside };
}

/** Visit the stretches inside, column by column. */
function eachSpan(runs: readonly number[], rows: number, visit: (x: number, from: number, to: number) => void): void {
  let at = 0;
  for (let i = 0; i < runs.length; i++) {
    const end = at + runs[i];
    for (let start = at; i % 2 === 1 && start < end; ) {
      const x = Math.floor(start / rows);
      const stop = Math.min(end, (x + 1) * rows);
      visit(x, start - x * rows, stop - x * rows);
      start = stop;
    }
    at = end;
  }
}

function runsBox(runs: readonly number[], rows: number): Omit<MaskPixels, "inside"> | null {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  eachSpan(runs, rows, (x, from, to) => {
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, from);
    bottom = Math.max(bottom, to);
  });
  return right > 0 ? { left, top, width: right - left, height: bottom - top } : null;
}

/** Decoded masks; those that were not needed for longest are let go. */
export class MaskCache {
  private readonly held = new Map<Mask, MaskPixels | null>();
  private bytes = 0;

  get(mask: Mask): MaskPixels | null {
    const known = this.held.get(mask);
    const pixels = known === undefined ? decoded(mask) : known;
    if (known === undefined) this.bytes += pixels?.inside.length ?? 0;
    else this.held.delete(mask);
    this.held.set(mask, pixels);
    for (const [oldest, old] of this.held) {
      if (this.bytes <= KEEP_BYTES || oldest === mask) break;
      this.held.delete(oldest);
      this.bytes -= old?.inside.length ?? 0;
    }
    return pixels;
  }

  clear(): void {
    this.held.clear();
    this.bytes = 0;
  }
}

/** One broken mask must not keep the others from being drawn; what is wrong with it, its check says. */
function decoded(mask: Mask): MaskPixels | null {
  try {
    return maskPixels(mask);
  } catch {
    return null;
  }
}
