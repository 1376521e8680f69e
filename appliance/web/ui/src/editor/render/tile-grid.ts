import type { Camera, Size } from "../camera";

/** A very large picture cut into tiles. Level 0 is one tile; the last of the levels is the picture itself. */
export interface TileGrid extends Size {
  readonly tileSize: number;
  readonly levels: number;
}

export interface Tile {
  readonly level: number;
  readonly x: number;
  readonly y: number;
}

/** Columns and rows of a level: from the first to before the last. */
export interface TileRange {
  readonly level: number;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** A little coarser than the screen passes for sharp, and saves three tiles of four. */
const TOLERANCE = 0.1;

export const keyOf = ({ level, x, y }: Tile): string => `${level}/${x}/${y}`;

/** The pixels of a level along a side of `length` pixels of the picture. */
export const lengthAt = (grid: TileGrid, level: number, length: number): number =>
  Math.ceil(length / 2 ** (grid.levels - 1 - level));

/** The coarsest level that has a pixel for each of the screen's; `scale` is device pixels per image pixel. */
export function levelFor(grid: TileGrid, scale: number): number {
  const finest = grid.levels - 1;
  return Math.min(finest, Math.max(0, finest + Math.ceil(Math.log2(scale) - TOLERANCE)));
}

/** The tiles of a level that the view shows, with `margin` tiles around them. */
export function rangeIn(grid: TileGrid, level: number, camera: Camera, view: Size, margin = 0): TileRange {
  const side = sideOf(grid, level) * camera.scale;
  const [columns, rows] = [count(grid, level, grid.width), count(grid, level, grid.height)];
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  return {
    level,
    x1: within(Math.floor(-camera.x / side) - margin, columns),
    y1: within(Math.floor(-camera.y / side) - margin, rows),
    x2: within(Math.ceil((view.width - camera.x) / side) + margin, columns),
    y2: within(Math.ceil((view.height - camera.y) / side) + margin, rows),
  };
}

/** The tiles of a range, those in the middle of the view first. */
export function centreFirst(grid: TileGrid, range: TileRange, camera: Camera, view: Size): Tile[] {
  const side = sideOf(grid, range.level) * camera.scale;
  const [middleX, middleY] = [(view.width / 2 - camera.x) / side - 0.5, (view.height / 2 - camera.y) / side - 0.5];
  const far = (tile: Tile): number => (tile.x - middleX) ** 2 + (tile.y - middleY) ** 2;
  return tilesOf(range).sort((a, b) => far(a) - far(b));
}

export function tilesOf({ level, x1, y1, x2, y2 }: TileRange): Tile[] {
  const tiles: Tile[] = [];
  for (let y = y1; y < y2; y++) for (let x = x1; x < x2; x++) tiles.push({ level, x, y });
  return tiles;
}

/** The tile of the next coarser level that has a tile's part of the picture. */
export const parentOf = ({ level, x, y }: Tile): Tile => ({ level: level - 1, x: x >> 1, y: y >> 1 });

/** Where a tile lies in the picture, in its pixels. */
export function placeOf(grid: TileGrid, { level, x, y }: Tile): { x1: number; y1: number; x2: number; y2: number } {
  const side = sideOf(grid, level);
  return {
    x1: x * side,
    y1: y * side,
    x2: Math.min(grid.width, (x + 1) * side),
    y2: Math.min(grid.height, (y + 1) * side),
  };
}

/** Image pixels along the side of a tile. */
const sideOf = (grid: TileGrid, level: number): number => grid.tileSize * 2 ** (grid.levels - 1 - level);

const count = (grid: TileGrid, level: number, length: number): number => Math.ceil(lengthAt(grid, level, length) / grid.tileSize);
