import { BrokenCounts, decodeRuns, encodeRuns, formatRuns, parseRuns } from "./rle";
import type { Bounds, Mask, Variant } from "./types";

/** Bytes of 1 inside and 0 outside, column by column: pixel (x, y) is at `x * height + y`. */
export function decodeMask({ size: [height, width], counts }: Mask): Uint8Array {
  return decodeRuns(parseRuns(counts, height, width));
}

export function encodeMask(pixels: Uint8Array, height: number, width: number): Mask {
  return { type: "mask", size: [height, width], counts: formatRuns(encodeRuns(pixels)) };
}

/** Call `visit(start, end)` for each stretch of flat positions inside. */
function eachRun({ size: [height, width], counts }: Mask, visit: (start: number, end: number) => void): void {
  let at = 0;
  parseRuns(counts, height, width).forEach((run, i) => {
    if (i % 2 === 1 && run > 0) visit(at, at + run);
    at += run;
  });
}

/** For each new pixel the old one its centre falls into, -1 where there is none. */
function sources(length: number, scale: number, offset: number): Int32Array {
  const size = Math.max(1, Math.round(Math.max(offset, length * scale + offset)));
  return Int32Array.from({ length: size }, (_, i) => {
    const source = Math.floor((i + 0.5 - offset) / scale);
    return source >= 0 && source < length ? source : -1;
  });
}

function resampled(mask: Mask, columns: Int32Array, rows: Int32Array): Mask {
  const from = decodeMask(mask);
  const to = new Uint8Array(columns.length * rows.length);
  columns.forEach((column, x) => {
    if (column < 0) return;
    rows.forEach((row, y) => {
      if (row >= 0) to[x * rows.length + y] = from[column * mask.size[0] + row]!;
    });
  });
  return encodeMask(to, rows.length, columns.length);
}

export const variant: Variant<Mask> = {
  type: "mask",

  check(mask, width, height) {
    const [h, w] = mask.size;
    if (h !== height || w !== width) {
      return { code: "malformed", words: `the mask's size is [${h}, ${w}], the image's [height, width] is [${height}, ${width}]` };
    }
    try {
      return variant.area(mask) > 0 ? null : { code: "no-area", words: "the mask is empty: no pixel is inside" };
    } catch (error) {
      if (error instanceof BrokenCounts) return { code: "malformed", words: error.message };
      throw error;
    }
  },

  bounds(mask) {
    const height = mask.size[0];
    const found: Bounds = [Infinity, Infinity, 0, 0];
    eachRun(mask, (start, end) => {
      const [first, last] = [Math.floor(start / height), Math.floor((end - 1) / height)];
      const oneColumn = first === last;
      found[0] = Math.min(found[0], first);
      found[1] = Math.min(found[1], oneColumn ? start % height : 0);
      found[2] = Math.max(found[2], last + 1);
      found[3] = Math.max(found[3], oneColumn ? ((end - 1) % height) + 1 : height);
    });
    return found[2] > 0 ? found : [0, 0, 0, 0];
  },

  area(mask) {
    let total = 0;
    eachRun(mask, (start, end) => (total += end - start));
    return total;
  },

  /** Cut or padded at the right and bottom to the size of the image. */
  clipped(mask, width, height) {
    const [h, w] = mask.size;
    const same = h === height && w === width;
    const upTo = (length: number, old: number): Int32Array => Int32Array.from({ length }, (_, i) => (i < old ? i : -1));
    const result = same ? mask : resampled(mask, upTo(width, w), upTo(height, h));
    return variant.area(result) > 0 ? result : null;
  },

  /** Resampled by nearest pixel; the size ends where the image's far corner lands. */
  transformed: (mask, scaleX, scaleY, dx, dy) =>
    resampled(mask, sources(mask.size[1], scaleX, dx), sources(mask.size[0], scaleY, dy)),

  contains(mask, x, y) {
    const [height, width] = mask.size;
    if (!(x >= 0 && x < width && y >= 0 && y < height)) return false;
    const position = Math.floor(x) * height + Math.floor(y);
    let inside = false;
    eachRun(mask, (start, end) => (inside ||= position >= start && position < end));
    return inside;
  },
};
