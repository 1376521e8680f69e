import type { Mask } from "../../geometry/types";
import { type Camera, type Point, type Size, toScreen } from "../camera";
import type { Bounds } from "../shape";
import { BRUSH_TILE, type BrushTile, BrushTiles } from "./brush-tiles";

const OPACITY = 0.5;

interface Painted {
  id: string | null;
  rgba: number;
  tiles: BrushTiles;
  pictures: Map<BrushTile, CanvasRenderingContext2D>;
}

/** What a brush needs of the renderer that owns it. */
export interface BrushHost {
  /** The size of the picture that is open. */
  size(): Size;
  /** Take an annotation off the static layer, or put it back with null. */
  lift(id: string | null): void;
  /** What was painted can go, once the static layer shows what comes of it. */
  ended(): void;
  /** Draw before the next frame. */
  invalidate(): void;
}

/**
 * The mask that is being painted, above the other shapes.
 *
 * `beginMask(mask, color, id)` on pointer down, with the mask and the id of the annotation to go on
 * with, or null for a new one; `paint(from, to, radius, erase)` for every piece of the stroke, in
 * pixels of the image; `endMask()` on pointer up gives the geometry to commit, or null when nothing
 * is left; `cancelMask()` drops it all. What was painted stays until the committed shape is drawn.
 */
export class Brush {
  /** Nothing lies on the layer: there is nothing to clear. */
  private empty = true;
  private readonly host: BrushHost;
  private painted: Painted | null = null;
  private dirty: Bounds | null = null;
  private busy = false;

  constructor(host: BrushHost) {
    this.host = host;
  }

  /** True between `beginMask` and `endMask`. */
  get active(): boolean {
    return this.busy;
  }

  /** True while there is something to draw. */
  get visible(): boolean {
    return this.painted !== null;
  }

  /** Nothing lies on the layer, and nothing is to be drawn on it. */
  get blank(): boolean {
    return this.empty && !this.painted;
  }

  beginMask(mask: Mask | null, color: string, id: string | null = null): void {
    const tiles = mask ? BrushTiles.from(mask) : new BrushTiles(this.host.size());
    this.painted = { id, rgba: opaque(color), tiles, pictures: new Map() };
    this.busy = true;
    this.host.lift(id);
    this.touch({ x1: 0, y1: 0, x2: tiles.size.width, y2: tiles.size.height });
  }

  paint(from: Point, to: Point, radius: number, erase: boolean): void {
    const area = this.painted?.tiles.stroke(from, to, radius, erase ? 0 : 1);
    if (area) this.touch(area);
  }

  endMask(): Mask | null {
    this.busy = false;
    this.host.ended();
    return this.painted?.tiles.encode() ?? null;
  }

  cancelMask(): void {
    this.busy = false;
    this.clear();
    this.host.lift(null);
  }

  /** Let go of what was painted, now that it is drawn elsewhere; not while a stroke goes on. */
  clear(): void {
    if (this.busy || !this.painted) return;
    const { width, height } = this.painted.tiles.size;
    this.painted = null;
    this.touch({ x1: 0, y1: 0, x2: width, y2: height });
  }

  /** Draw what changed, or all of it when the view moved, onto a layer whose unit is the CSS pixel. */
  draw(context: CanvasRenderingContext2D, camera: Camera, view: Size, all: boolean): void {
    const { dirty } = this;
    this.dirty = null;
    if (dirty) this.refresh(dirty);
    const area = all ? inImage(camera, view) : dirty;
    if (!area) return;
    const from = toScreen(camera, { x: area.x1, y: area.y1 });
    const to = toScreen(camera, { x: area.x2, y: area.y2 });
    const [x, y] = [Math.floor(Math.max(-1, from.x)), Math.floor(Math.max(-1, from.y))];
    const [right, bottom] = [Math.ceil(Math.min(view.width + 1, to.x)), Math.ceil(Math.min(view.height + 1, to.y))];
    if (right <= x || bottom <= y || this.blank) return;
    context.clearRect(x, y, right - x, bottom - y);
    this.empty = all && !this.painted;
    if (!this.painted) return;
    context.save();
    context.beginPath();
    context.rect(x, y, right - x, bottom - y);
    context.clip();
    context.globalAlpha = OPACITY;
    context.imageSmoothingEnabled = camera.scale < 4;
    for (const tile of this.painted.tiles.within(area)) this.drawTile(context, camera, tile);
    context.restore();
  }

  /** Edges at whole pixels: neighbours neither overlap nor leave a seam. */
  private drawTile(context: CanvasRenderingContext2D, camera: Camera, tile: BrushTile): void {
    const picture = this.painted?.pictures.get(tile);
    if (!picture) return;
    const snap = (value: number): number => Math.round(value * devicePixelRatio) / devicePixelRatio;
    const from = toScreen(camera, tile);
    const to = toScreen(camera, { x: tile.x + BRUSH_TILE, y: tile.y + BRUSH_TILE });
    const [x, y] = [snap(from.x), snap(from.y)];
    context.drawImage(picture.canvas, x, y, snap(to.x) - x, snap(to.y) - y);
  }

  private touch(area: Bounds): void {
    const old = this.dirty ?? area;
    this.dirty = {
      x1: Math.min(old.x1, area.x1), y1: Math.min(old.y1, area.y1),
      x2: Math.max(old.x2, area.x2), y2: Math.max(old.y2, area.y2),
    };
    this.host.invalidate();
  }

  /** Bring the pictures of the tiles up to date where they changed. */
  private refresh(area: Bounds): void {
    if (!this.painted) return;
    const { tiles, pictures, rgba } = this.painted;
    for (const tile of tiles.within(area)) {
      const fresh = !pictures.has(tile);
      const context = pictures.get(tile) ?? newPicture();
      pictures.set(tile, context);
      const clamp = (value: number): number => Math.min(BRUSH_TILE, Math.max(0, value));
      const x1 = fresh ? 0 : clamp(Math.floor(area.x1 - tile.x));
      const y1 = fresh ? 0 : clamp(Math.floor(area.y1 - tile.y));
      const x2 = fresh ? BRUSH_TILE : clamp(Math.ceil(area.x2 - tile.x));
      const y2 = fresh ? BRUSH_TILE : clamp(Math.ceil(area.y2 - tile.y));
      if (x2 > x1 && y2 > y1) context.putImageData(crop(tile.inside, x1, y1, x2 - x1, y2 - y1, rgba), x1, y1);
    }
  }
}

function crop(inside: Uint8Array, x: number, y: number, width: number, height: number, rgba: number): ImageData {
  const data = new ImageData(width, height);
  const pixels = new Uint32Array(data.data.buffer);
  for (let column = 0; column < width; column++) {
    const from = (x + column) * BRUSH_TILE + y;
    for (let row = 0; row < height; row++) if (inside[from + row]) pixels[row * width + column] = rgba;
  }
  return data;
}

function newPicture(): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [BRUSH_TILE, BRUSH_TILE];
  return canvas.getContext("2d")!;
}

/** A colour as the four bytes of a pixel, alpha full: every machine a browser runs on is little-endian. */
function opaque(color: string): number {
  const value = Number.parseInt(color.slice(1), 16);
  return (0xff000000 | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

function inImage(camera: Camera, view: Size): Bounds {
  const { x, y, scale } = camera;
  return { x1: -x / scale, y1: -y / scale, x2: (view.width - x) / scale, y2: (view.height - y) / scale };
}
