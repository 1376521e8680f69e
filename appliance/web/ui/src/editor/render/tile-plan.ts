import type { Camera, Size } from "../camera";
import type { Bounds } from "../shape";
import { TILE } from "./raster";

/** Pixels before the image that a first tile covers: what lies at an edge is drawn past it. */
const BORDER = 16;
const MARGIN = 0.25;
const ROWS = 65_536;
const LEAST_ZOOM = 0.66;
const MOST_ZOOM = 1.5;
const OVERVIEW = 2048;
const OVERVIEW_MOST_SCALE = 2;

export const tileKey = (column: number, row: number): number => column * ROWS + row;

/** Where a tile's top-left pixel lies in its level. */
export const tilePlace = (key: number): { x: number; y: number } => ({
  x: Math.floor(key / ROWS) * TILE - BORDER,
  y: (key % ROWS) * TILE - BORDER,
});

/** The tiles of a level that touch an area of its pixels, those nearest to its centre first. */
export function tilesIn(area: Bounds, size: Size, scale: number): number[] {
  const last = (length: number): number => Math.floor((length * scale + 2 * BORDER - 1) / TILE);
  const [c1, c2] = [Math.max(0, Math.floor((area.x1 + BORDER) / TILE)), Math.min(last(size.width), Math.ceil((area.x2 + BORDER) / TILE) - 1)];
  const [r1, r2] = [Math.max(0, Math.floor((area.y1 + BORDER) / TILE)), Math.min(last(size.height), Math.ceil((area.y2 + BORDER) / TILE) - 1)];
  const found: { key: number; distance: number }[] = [];
  const [x, y] = [(area.x1 + area.x2 - TILE) / 2, (area.y1 + area.y2 - TILE) / 2];
  for (let column = c1; column <= c2; column++) {
    for (let row = r1; row <= r2; row++) {
      const key = tileKey(column, row);
      const place = tilePlace(key);
      found.push({ key, distance: Math.hypot(place.x - x, place.y - y) });
    }
  }
  return found.sort((a, b) => a.distance - b.distance).map(({ key }) => key);
}

/** What is in view, in pixels of a level; with a margin of a quarter of it, when one is asked for. */
export function viewIn(camera: Camera, view: Size, scale: number, margin = false): Bounds {
  const by = scale / camera.scale;
  const [width, height] = [view.width * by, view.height * by];
  const [x, y] = [-camera.x * by, -camera.y * by];
  const more = margin ? MARGIN : 0;
  return { x1: x - width * more, y1: y - height * more, x2: x + width * (1 + more), y2: y + height * (1 + more) };
}

/** True when a level is too coarse or too fine to be moved about any longer. */
export const leaves = (scale: number, cached: number): boolean =>
  scale / cached < LEAST_ZOOM || scale / cached > MOST_ZOOM;

/** The scale at which the whole image lies beneath, so that no edge is ever blank. */
export const overviewScale = ({ width, height }: Size): number =>
  Math.min(OVERVIEW_MOST_SCALE, OVERVIEW / Math.max(width, height));
