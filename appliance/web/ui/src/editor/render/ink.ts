import { faded, over } from "./pixels";

/** Steps of the tables of a nib. */
const STEPS = 255;
const FAR = 1e9;

/** A ring of colour from the line outwards: up to `radius` px from it. */
export interface Coat {
  radius: number;
  /** Premultiplied. */
  pixel: number;
}

/** How a line and what it encloses look, as tables over the squared distance from the line. */
export interface Nib {
  reach: number;
  /** From a squared distance to a row of the tables. */
  scale: number;
  outside: Uint32Array;
  inside: Uint32Array;
  /** What the enclosed area is filled with; 0 for nothing. */
  fill: number;
  /** Nothing is drawn outside of what is enclosed. */
  clipped: boolean;
}

/** Make a nib of coats from the bottom up, with edges one pixel soft, over a fill. */
export function nib(coats: readonly Coat[], fill = 0, clipped = false): Nib {
  const reach = Math.max(0, ...coats.map((coat) => coat.radius)) + 0.5;
  const scale = STEPS / (reach * reach);
  const table = (bottom: number): Uint32Array =>
    Uint32Array.from({ length: STEPS + 2 }, (_, step) => {
      const distance = Math.sqrt((step + 0.5) / scale);
      return coats.reduce((below, { radius, pixel }) => {
        const share = Math.min(1, Math.max(0, radius + 0.5 - distance));
        return over(faded(pixel, Math.round(share * 256)), below);
      }, bottom);
    });
  return { reach, scale, outside: table(0), inside: table(fill), fill, clipped };
}

/**
 * Strokes and fills lines into a square of premultiplied pixels.
 *
 * All lines of one shape are laid down first (as the least squared distance of each pixel) and
 * blended once, so that joints of a translucent line do not darken. A tenth of the time that the
 * browser's own path strokes take without a GPU, which is what lets thousands be sharp at once.
 */
export class Ink {
  readonly side: number;
  pixels: Uint32Array;
  private readonly near: Float32Array;
  private readonly turns: Uint8Array;
  private clip = { x1: 0, y1: 0, x2: 0, y2: 0 };
  private area = { x1: 0, y1: 0, x2: 0, y2: 0 };
  private reach = 0;

  constructor(side: number) {
    this.side = side;
    this.pixels = new Uint32Array(0);
    this.near = new Float32Array(side * side).fill(FAR);
    this.turns = new Uint8Array(side * side);
  }

  /** Draw into these pixels, only inside a rectangle of whole pixels. */
  on(pixels: Uint32Array, x1: number, y1: number, x2: number, y2: number): void {
    this.pixels = pixels;
    this.clip = { x1, y1, x2, y2 };
  }

  /** Start a shape whose lines reach so far. */
  begin(reach: number): void {
    this.reach = reach;
    this.area = { x1: this.clip.x2, y1: this.clip.y2, x2: this.clip.x1, y2: this.clip.y1 };
  }

  line(x0: number, y0: number, x1: number, y1: number): void {
    const { clip, reach, side, near } = this;
    // Whole numbers by `| 0`: loops over them and the places they give are then not doubles.
    const top = Math.max(clip.y1, Math.floor(Math.min(y0, y1) - reach)) | 0;
    const bottom = Math.min(clip.y2, Math.ceil(Math.max(y0, y1) + reach)) | 0;
    const left = Math.max(clip.x1, Math.floor(Math.min(x0, x1) - reach)) | 0;
    const right = Math.min(clip.x2, Math.ceil(Math.max(x0, x1) + reach)) | 0;
    if (top >= bottom || left >= right) return;
    this.grow(left, top, right, bottom);
    const ex = x1 - x0;
    const ey = y1 - y0;
    const length2 = ex * ex + ey * ey;
    const inverse = length2 > 0 ? 1 / length2 : 0;
    // In a row the line's strip is this wide and moves by this much; a level line fills its box.
    const slope = ey === 0 ? 0 : ex / ey;
    const half = ey === 0 ? FAR : (reach * Math.sqrt(length2)) / Math.abs(ey) + 1;
    for (let y = top; y < bottom; y++) {
      const dy = y + 0.5 - y0;
      const middle = x0 + slope * dy;
      const from = Math.max(left, Math.floor(middle - half)) | 0;
      const to = Math.min(right, Math.ceil(middle + half)) | 0;
      const row = y * side;
      for (let x = from; x < to; x++) {
        const at = row + x;
        const dx = x + 0.5 - x0;
        let t = (dx * ex + dy * ey) * inverse;
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        const px = dx - t * ex;
        const py = dy - t * ey;
        const distance = px * px + py * py;
        if (distance < near[at]) near[at] = distance;
      }
    }
  }

  /** An edge of what is enclosed (even-odd): rows change sides right of where it crosses them. */
  edge(x0: number, y0: number, x1: number, y1: number): void {
    const { clip, side, turns } = this;
    const top = Math.max(clip.y1, Math.ceil(Math.min(y0, y1) - 0.5)) | 0;
    const bottom = Math.min(clip.y2, Math.ceil(Math.max(y0, y1) - 0.5)) | 0;
    if (top >= bottom) return;
    const slope = (x1 - x0) / (y1 - y0);
    let least = clip.x2;
    let most = clip.x1;
    for (let y = top; y < bottom; y++) {
      const x = Math.max(clip.x1, Math.min(clip.x2, Math.ceil(x0 + slope * (y + 0.5 - y0) - 0.5))) | 0;
      if (x < least) least = x;
      if (x > most) most = x;
      if (x < clip.x2) turns[y * side + x] ^= 1;
    }
    this.grow(least, top, Math.min(clip.x2, most + 1), bottom);
  }

  /** Blend what was laid down since `begin`. */
  flush(nib: Nib): void {
    const { near, turns, side, pixels } = this;
    const { x1, y1, x2, y2 } = this.area;
    const { outside, inside, fill, scale, clipped } = nib;
    const reach2 = nib.reach * nib.reach;
    for (let y = y1; y < y2; y++) {
      let within = 0;
      const end = y * side + x2;
      for (let at = y * side + x1; at < end; at++) {
        if (turns[at] !== 0) {
          within ^= 1;
          turns[at] = 0;
        }
        const distance = near[at];
        let source = 0;
        if (distance < FAR) {
          near[at] = FAR;
          if (distance >= reach2) source = within * fill;
          else if (within) source = inside[(distance * scale) | 0];
          else if (!clipped) source = outside[(distance * scale) | 0];
        } else source = within * fill;
        if (source === 0) continue;
        const below = pixels[at];
        if (below === 0) {
          pixels[at] = source;
          continue;
        }
        const rest = 256 - (source >>> 24);
        const kept = ((Math.imul(below & 0xff00ff, rest) >>> 8) & 0xff00ff) | (Math.imul((below >>> 8) & 0xff00ff, rest) & 0xff00ff00);
        pixels[at] = source + kept;
      }
    }
  }

  /** Blend one pixel value over a rectangle. */
  rectangle(x0: number, y0: number, x1: number, y1: number, pixel: number): void {
    const { clip, side, pixels } = this;
    const [left, right] = [Math.max(clip.x1, x0), Math.min(clip.x2, x1)];
    for (let y = Math.max(clip.y1, y0); y < Math.min(clip.y2, y1); y++) {
      for (let at = y * side + left; at < y * side + right; at++) pixels[at] = over(pixel, pixels[at]);
    }
  }

  private grow(x1: number, y1: number, x2: number, y2: number): void {
    const { area } = this;
    if (x1 < area.x1) area.x1 = x1;
    if (y1 < area.y1) area.y1 = y1;
    if (x2 > area.x2) area.x2 = x2;
    if (y2 > area.y2) area.y2 = y2;
  }
}
