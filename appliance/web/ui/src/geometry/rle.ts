/**
 * COCO's run-length strings. A mask is read column by column (flat index `x * height + y`);
 * runs alternate between outside and inside, starting outside. The string format is that of
 * maskApi.c (github.com/cocodataset/cocoapi): differences to the run two before, in groups
 * of 5 bits, low first, 32 while more follow, plus 48.
 */

const GROUPS = 7;
export const MAX_COUNTS_LENGTH = 1 << 22;

/** A string that is no mask; its message says why. */
export class BrokenCounts extends Error {
  constructor(problem: string) {
    super(`the mask's counts are not COCO run lengths: ${problem}`);
  }
}

/** Return the runs; nothing of the size the string claims is ever allocated. */
export function parseRuns(counts: string, height: number, width: number): number[] {
  const pixels = height * width;
  if (counts.length > Math.min(MAX_COUNTS_LENGTH, GROUPS * (pixels + 1))) {
    throw new BrokenCounts(`${counts.length} characters are too many for ${width} × ${height} pixels`);
  }
  const runs = numbers(counts);
  let sum = 0;
  for (let i = 0; i < runs.length; i++) {
    if (i > 2) runs[i]! += runs[i - 2]!;
    if (runs[i]! < 0) throw new BrokenCounts("a run is shorter than 0");
    sum += runs[i]!;
  }
  if (sum !== pixels) {
    throw new BrokenCounts(`its runs do not add up to the ${width} × ${height} = ${pixels} pixels of the image`);
  }
  return runs;
}

function numbers(counts: string): number[] {
  if (counts.length === 0) throw new BrokenCounts("it is empty");
  const found: number[] = [];
  let value = 0;
  let groups = 0;
  for (let i = 0; i < counts.length; i++) {
    const bits = counts.charCodeAt(i) - 48;
    if (bits < 0 || bits > 63) throw new BrokenCounts("it holds a character outside '0'…'o'");
    if (groups === GROUPS) throw new BrokenCounts("a number is too large");
    // Powers instead of shifts: 35 bits do not fit the 32 of bitwise operators.
    value += (bits & 31) * 32 ** groups;
    groups += 1;
    if (bits < 32) {
      found.push((bits & 16) !== 0 ? value - 32 ** groups : value);
      value = 0;
      groups = 0;
    }
  }
  if (groups > 0) throw new BrokenCounts("the last number is cut off");
  return found;
}

export function formatRuns(runs: readonly number[]): string {
  let text = "";
  runs.forEach((run, i) => {
    let rest = i > 2 ? run - runs[i - 2]! : run;
    for (let more = true; more; ) {
      const low = ((rest % 32) + 32) % 32;
      rest = Math.floor(rest / 32);
      more = (low & 16) !== 0 ? rest !== -1 : rest !== 0;
      text += String.fromCharCode(low + (more ? 32 : 0) + 48);
    }
  });
  return text;
}

/** Fill bytes, column by column, with 1 inside. */
export function decodeRuns(runs: readonly number[]): Uint8Array {
  const pixels = new Uint8Array(runs.reduce((sum, run) => sum + run, 0));
  let at = 0;
  runs.forEach((run, i) => {
    if (i % 2 === 1) pixels.fill(1, at, at + run);
    at += run;
  });
  return pixels;
}

export function encodeRuns(pixels: Uint8Array): number[] {
  const runs: number[] = [];
  let inside = 0;
  let start = 0;
  for (let i = 0; i <= pixels.length; i++) {
    if (i === pixels.length || pixels[i] !== inside) {
      runs.push(i - start);
      start = i;
      inside = 1 - inside;
    }
  }
  return runs;
}
