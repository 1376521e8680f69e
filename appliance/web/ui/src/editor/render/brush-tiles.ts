import { formatRuns, parseRuns } from "../../geometry/rle";
import type { Mask } from "../../geometry/types";
import type { Point, Size } from "../camera";
import type { Bounds } from "../shape";

export const BRUSH_TILE = 256;

/** The half diagonal of a pixel: any smaller brush could miss every centre. */
const LEAST_RADIUS = Math.SQRT1_2;

/** A square of the mask; `inside` holds 1 or 0, column by column: `x * BRUSH_TILE + y`. */
export interface BrushTile {
  /** Where its top-left pixel lies in the image. */
  readonly x: number;
  readonly y: number;
  readonly inside: Uint8Array;
}

/**
 * A mask being painted, in tiles of 256 px of the image: a stroke costs what it covers and
 * nothing more, however large the picture is. Tiles appear where something is painted.
 */
export class BrushTiles {
  readonly size: Size;
  private readonly rows: number;
  private readonly tiles: (BrushTile | undefined)[] = [];

  constructor(size: Size) {
    this.size = size;
    this.rows = Math.ceil(size.height / BRUSH_TILE);
  }

  static from(mask: Mask): BrushTiles {
    const [height, width] = mask.size;
    const tiles = new BrushTiles({ width, height });
    let at = 0;
    parseRuns(mask.counts, height, width).forEach((run, i) => {
      if (i % 2 === 1) tiles.fillRun(at, at + run);
      at += run;
    });
    return tiles;
  }

  /** Paint (1) or erase (0) whatever lies within `radius` of a line; return the pixels it may have changed. */
  stroke(from: Point, to: Point, radius: number, value: 0 | 1): Bounds | null {
    const reach = Math.max(radius, LEAST_RADIUS);
    const area = this.inImage(from, to, reach);
    if (!area) return null;
    for (let x = area.x1; x < area.x2; x++) {
      const span = capsuleSpan(from, to, reach, x + 0.5);
      if (!span) continue;
      this.fillColumn(x, Math.max(area.y1, Math.ceil(span[0] - 0.5)), Math.min(area.y2, Math.floor(span[1] - 0.5) + 1), value);
    }
    return area;
  }

  /** The tiles that touch an area of the image. */
  within(area: Bounds): BrushTile[] {
    return this.tiles.filter(
      (tile): tile is BrushTile =>
        tile !== undefined && tile.x < area.x2 && tile.x + BRUSH_TILE > area.x1 && tile.y < area.y2 && tile.y + BRUSH_TILE > area.y1,
    );
  }

  /** What is painted, as the API speaks it; null when nothing is. */
  encode(): Mask | null {
    const { width, height } = this.size;
    const runs: number[] = [0];
    let inside = 0;
    const add = (value: number, length: number): void => {
      if (value !== inside) {
        runs.push(0);
        inside = value;
      }
      runs[runs.length - 1]! += length;
    };
    for (let x = 0; x < width; x++) this.eachRun(x, add);
    return runs.length > 1 ? { type: "mask", size: [height, width], counts: formatRuns(runs) } : null;
  }

  private eachRun(x: number, add: (value: number, length: number) => void): void {
    const first = Math.floor(x / BRUSH_TILE) * this.rows;
    const from = (x % BRUSH_TILE) * BRUSH_TILE;
    for (let row = 0; row < this.rows; row++) {
      const length = Math.min(BRUSH_TILE, this.size.height - row * BRUSH_TILE);
      const column = this.tiles[first + row]?.inside.subarray(from, from + length);
      if (!column) add(0, length);
      for (let at = 0; column && at < length; ) {
        const value = column[at]!;
        const next = column.indexOf(1 - value, at);
        const end = next < 0 ? length : next;
        add(value, end - at);
        at = end;
      }
    }
  }

  /** Fill flat positions of the column-major image. */
  private fillRun(start: number, end: number): void {
    const { height } = this.size;
    for (let x = Math.floor(start / height); x * height < end; x++) {
      this.fillColumn(x, Math.max(0, start - x * height), Math.min(height, end - x * height), 1);
    }
  }

  private fillColumn(x: number, y1: number, y2: number, value: 0 | 1): void {
    const column = Math.floor(x / BRUSH_TILE);
    for (let y = y1; y < y2; ) {
      const row = Math.floor(y / BRUSH_TILE);
      const end = Math.min(y2, (row + 1) * BRUSH_TILE);
      const tile = this.tile(column, row, value === 1);
      const from = (x - column * BRUSH_TILE) * BRUSH_TILE - row * BRUSH_TILE;
      tile?.inside.fill(value, from + y, from + end);
      y = end;
    }
  }

  private tile(column: number, row: number, make: boolean): BrushTile | undefined {
    const at = column * this.rows + row;
    if (!this.tiles[at] && make) {
      this.tiles[at] = { x: column * BRUSH_TILE, y: row * BRUSH_TILE, inside: new Uint8Array(BRUSH_TILE * BRUSH_TILE) };
    }
    return this.tiles[at];
  }

  private inImage(from: Point, to: Point, reach: number): Bounds | null {
    const x1 = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach));
    const y1 = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach));
    const x2 = Math.min(this.size.width, Math.ceil(Math.max(from.x, to.x) + reach));
    const y2 = Math.min(this.size.height, Math.ceil(Math.max(from.y, to.y) + reach));
    return x1 < x2 && y1 < y2 ? { x1, y1, x2, y2 } : null;
  }
}

/** Where an upright line at `x` runs through all that lies within `radius` of a segment: it is convex, so once. */
export function capsuleSpan(from: Point, to: Point, radius: number, x: number): [number, number] | null {
  let [low, high] = [Infinity, -Infinity];
  const take = (y: number): void => {
    low = Math.min(low, y);
    high = Math.max(high, y);
  };
  for (const end of [from, to]) {
    const half = Math.sqrt(radius * radius - (x - end.x) ** 2);
    if (half >= 0) [end.y - half, end.y + half].forEach(take);
  }
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length > 0) {
    const [nx, ny] = [((from.y - to.y) / length) * radius, ((to.x - from.x) / length) * radius];
    for (const side of [-1, 1]) {
      const [ax, bx] = [from.x + side * nx, to.x + side * nx];
      if (ax !== bx && x >= Math.min(ax, bx) && x <= Math.max(ax, bx)) {
        take(from.y + side * ny + ((x - ax) / (bx - ax)) * (to.y - from.y));
      }
    }
  }
  return low <= high ? [low, high] : null;
}
