import type { Bounds } from "../shape";
import { dashes } from "./dashes";
import type { Glyphs } from "./glyphs";
import { Ink, type Nib } from "./ink";
import { type Look, Looks } from "./looks";
import { MaskCache, type MaskPixels } from "./mask-pixels";
import { faded, opaque, over } from "./pixels";
import { CLOSED, CROSSED, DASHED, DOT, FILLED, HIDDEN_DOT, LIFTED, OPEN, SELECTED, type ShapeStore, SHOWN } from "./store";

export const TILE = 512;
/** Furthest from its outline that a shape is drawn, in screen pixels. */
export const BLEED_PX = 6;

const LEAST_PX = 3;
const STROKE_FROM_PX = 6;
const CODE_FROM_PX = 22;
const FAULTS_FROM_PX = 24;
/** Vertices closer than this to the last are passed over, in device pixels: half of a line's width. */
const STEP = 0.75;
/** More of them in what is smaller than this on the screen. */
const COARSE_BELOW_PX = 40;
const COARSE_STEP = 1.75;
const SLICE = 64;
const HATCH_PX = 6;
/** Of 256: a person's mask, a model's, and what is added for a selected one. */
const MASK_FILL = 96;
const MASK_FAINT = 60;
const MASK_EDGE = 230;

/** Where a tile lies: pixel = image × scale − (x, y); `ratio` device pixels make one of the screen. */
export interface Place {
  scale: number;
  ratio: number;
  x: number;
  y: number;
}

/** A rectangle of whole pixels in a tile. */
export interface Rect {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** Draws the static shapes into tiles of pixels; the same code in a worker and beside the page. */
export class Raster {
  private readonly ink = new Ink(TILE);
  private readonly masks = new MaskCache();
  private readonly glyphs: Glyphs | null;
  private looks = new Looks(1);
  private path = new Float32Array(1024);
  private step = STEP;

  constructor(glyphs: Glyphs | null = null) {
    this.glyphs = glyphs;
  }

  clear(): void {
    this.masks.clear();
  }

  /** Draw anew what lies in a part of a tile, resting every few shapes. */
  *draw(store: ShapeStore, pixels: Uint32Array, place: Place, part: Rect): Generator<void> {
    if (this.looks.ratio !== place.ratio) this.looks = new Looks(place.ratio);
    for (let y = part.y1; y < part.y2; y++) pixels.fill(0, y * TILE + part.x1, y * TILE + part.x2);
    const area = inImage(part, place);
    let since = 0;
    const seen = store.drawn.filter((slot) => (store.flags[slot] & (SHOWN | LIFTED)) === SHOWN && store.seen(slot, area));
    const masks = seen.filter((slot) => store.mask(slot) !== null);
    for (const slots of [masks, seen]) {
      for (const slot of slots) {
        this.ink.on(pixels, part.x1, part.y1, part.x2, part.y2);
        if (slots === masks) this.drawMask(store, slot, pixels, place, part);
        else this.drawShape(store, slot, place);
        if (++since % SLICE === 0) yield;
      }
    }
  }

  private drawShape(store: ShapeStore, slot: number, place: Place): void {
    const { x1, y1, x2, y2 } = store.box(slot);
    const [width, height] = [(x2 - x1) * place.scale, (y2 - y1) * place.scale];
    const size = Math.max(width, height) / place.ratio;
    const color = store.colors[slot];
    const flags = store.flags[slot];
    if (size < STROKE_FROM_PX && store.sizes[slot] > 0 && store.points[store.starts[slot]] === CLOSED) {
      this.drawSpeck(x1 * place.scale - place.x, y1 * place.scale - place.y, width, height, faded(opaque(color), size < LEAST_PX ? 220 : 150));
      return;
    }
    this.step = (size < COARSE_BELOW_PX ? COARSE_STEP : STEP) * place.ratio;
    const look = this.looks.of(color, flags);
    if (store.mask(slot) === null) {
      if (look.casing) this.drawRuns(store, slot, place, look, false);
      this.drawRuns(store, slot, place, look, look.casing !== null);
      if (look.cross) this.drawCross(store, slot, place, look);
    }
    const code = size >= CODE_FROM_PX ? store.code(slot) : "";
    if (code) this.drawCode(code, ((x1 + x2) / 2) * place.scale - place.x, ((y1 + y2) / 2) * place.scale - place.y, place.ratio);
    if (size >= FAULTS_FROM_PX) this.drawFaults(store.crossings(slot), place, look);
  }

  private drawSpeck(x: number, y: number, width: number, height: number, pixel: number): void {
    const [left, top] = [Math.round(x), Math.round(y)];
    this.ink.rectangle(left, top, Math.max(left + 1, Math.round(x + width)), Math.max(top + 1, Math.round(y + height)), pixel);
  }

  /** All runs of a shape as one: either its dashes, or its whole outline with what it encloses. */
  private drawRuns(store: ShapeStore, slot: number, place: Place, look: Look, dashed: boolean): void {
    const { ink } = this;
    const nib = dashed ? look.line : (look.casing ?? look.line);
    const [start, end] = [store.starts[slot], store.starts[slot] + store.sizes[slot]];
    const line = (x0: number, y0: number, x1: number, y1: number): void => ink.line(x0, y0, x1, y1);
    ink.begin(nib.reach);
    for (let at = start; at < end; at += 2 + store.points[at + 1] * 2) {
      const kind = store.points[at];
      if (kind !== OPEN && kind !== CLOSED) continue;
      const path = this.onTile(store.points, at + 2, store.points[at + 1], place);
      if (dashed) dashes(path, kind === CLOSED, place.ratio, TILE, line);
      else this.outline(path, kind === CLOSED);
    }
    ink.flush(nib);
    if (dashed === (look.casing !== null)) this.drawDots(store, slot, place, look);
  }

  private outline(path: Float32Array, closed: boolean): void {
    const { ink } = this;
    const count = path.length;
    let from = closed ? count - 2 : 0;
    for (let i = closed ? 0 : 2; i < count; from = i, i += 2) {
      ink.line(path[from], path[from + 1], path[i], path[i + 1]);
      if (closed) ink.edge(path[from], path[from + 1], path[i], path[i + 1]);
    }
  }

  private drawDots(store: ShapeStore, slot: number, place: Place, look: Look): void {
    const { points } = store;
    const end = store.starts[slot] + store.sizes[slot];
    for (let at = store.starts[slot]; at < end; at += 2 + points[at + 1] * 2) {
      if (points[at] !== DOT && points[at] !== HIDDEN_DOT) continue;
      this.drawDot(points[at + 2], points[at + 3], place, points[at] === DOT ? look.dot : look.hiddenDot);
    }
  }

  private drawFaults(places: readonly number[], place: Place, look: Look): void {
    for (let i = 0; i < places.length; i += 2) this.drawDot(places[i], places[i + 1], place, look.fault);
  }

  private drawDot(imageX: number, imageY: number, { scale, x, y }: Place, nib: Nib): void {
    const [at, row] = [imageX * scale - x, imageY * scale - y];
    this.ink.begin(nib.reach);
    this.ink.line(at, row, at, row);
    this.ink.flush(nib);
  }

  /** Diagonals and a cross inside the outline. */
  private drawCross(store: ShapeStore, slot: number, place: Place, look: Look): void {
    if (!look.cross) return;
    const { ink } = this;
    const box = store.box(slot);
    const [left, top] = [box.x1 * place.scale - place.x, box.y1 * place.scale - place.y];
    const [right, bottom] = [box.x2 * place.scale - place.x, box.y2 * place.scale - place.y];
    ink.begin(look.cross.reach);
    const end = store.starts[slot] + store.sizes[slot];
    for (let at = store.starts[slot]; at < end; at += 2 + store.points[at + 1] * 2) {
      if (store.points[at] !== CLOSED) continue;
      const path = this.onTile(store.points, at + 2, store.points[at + 1], place);
      for (let i = 0, j = path.length - 2; i < path.length; j = i, i += 2) ink.edge(path[j], path[j + 1], path[i], path[i + 1]);
    }
    ink.line(left, top, right, bottom);
    ink.line(left, bottom, right, top);
    // Diagonals keep their place in the image, whichever tile or part is drawn.
    const step = HATCH_PX * 2 * place.ratio;
    const height = bottom - top;
    const from = Math.max(left - height, -height - TILE);
    for (let x = left - height + Math.ceil((from - (left - height)) / step) * step; x < Math.min(right, TILE + height); x += step) {
      if (x + height > 0 && x < TILE + height) ink.line(x, bottom, x + height, top);
    }
    ink.flush(look.cross);
  }

  private drawCode(code: string, x: number, y: number, ratio: number): void {
    this.glyphs?.draw(this.ink, code, x, y, ratio);
  }

  private drawMask(store: ShapeStore, slot: number, pixels: Uint32Array, place: Place, part: Rect): void {
    const mask = store.mask(slot);
    const decoded = mask && this.masks.get(mask);
    if (!decoded) return;
    const flags = store.flags[slot];
    const pixel = opaque(store.colors[slot]);
    const selected = (flags & SELECTED) !== 0;
    const fill = faded(pixel, ((flags & FILLED) !== 0 ? MASK_FILL : MASK_FAINT) + (selected ? 48 : 0));
    const edge = faded(selected ? opaque(0xffffff) : pixel, MASK_EDGE);
    const broken = flags & DASHED ? 8 * place.ratio : flags & CROSSED ? 3 * place.ratio : 0;
    const reach = selected ? 1.5 * place.ratio : place.ratio;
    paintMask(decoded, pixels, place, part, { fill, edge, broken, reach });
  }

  /** A run on the tile, without the vertices that cannot be told apart; a view that the next call reuses. */
  private onTile(points: Float32Array, start: number, count: number, { scale, x, y }: Place): Float32Array {
    if (this.path.length < count * 2) this.path = new Float32Array(count * 4);
    const { path, step } = this;
    const last = start + count * 2 - 2;
    let end = 0;
    for (let i = start; i <= last; i += 2) {
      const px = points[i] * scale - x;
      const py = points[i + 1] * scale - y;
      if (end > 0 && i < last && Math.abs(px - path[end - 2]) < step && Math.abs(py - path[end - 1]) < step) continue;
      path[end] = px;
      path[end + 1] = py;
      end += 2;
    }
    return path.subarray(0, end);
  }
}

/** The part of the image whose shapes can show in a part of a tile. */
export function inImage(part: Rect, { scale, ratio, x, y }: Place): Bounds {
  const bleed = BLEED_PX * ratio;
  return { x1: (part.x1 + x - bleed) / scale, y1: (part.y1 + y - bleed) / scale, x2: (part.x2 + x + bleed) / scale, y2: (part.y2 + y + bleed) / scale };
}

/** `broken`: length of the pieces of a broken edge, 0 for a whole one. */
function paintMask(
  mask: MaskPixels, pixels: Uint32Array, place: Place, part: Rect,
  { fill, edge, broken, reach }: { fill: number; edge: number; broken: number; reach: number },
): void {
  const { left, top, width, height, inside } = mask;
  const { scale } = place;
  const at = (x: number, y: number): number => {
    const [column, row] = [Math.floor((x + place.x) / scale) - left, Math.floor((y + place.y) / scale) - top];
    return column >= 0 && row >= 0 && column < width && row < height ? inside[column * height + row] : 0;
  };
  const x1 = Math.max(part.x1, Math.floor(left * scale - place.x));
  const y1 = Math.max(part.y1, Math.floor(top * scale - place.y));
  const x2 = Math.min(part.x2, Math.ceil((left + width) * scale - place.x));
  const y2 = Math.min(part.y2, Math.ceil((top + height) * scale - place.y));
  for (let y = y1; y < y2; y++) {
    for (let x = x1; x < x2; x++) {
      if (at(x + 0.5, y + 0.5) === 0) continue;
      const middle = at(x + 0.5 - reach, y + 0.5) & at(x + 0.5 + reach, y + 0.5) & at(x + 0.5, y + 0.5 - reach) & at(x + 0.5, y + 0.5 + reach);
      const rim = middle === 0 && (broken === 0 || (x + place.x + y + place.y) % (broken * 2) < broken);
      const index = y * TILE + x;
      pixels[index] = over(rim ? edge : fill, pixels[index]);
    }
  }
}
