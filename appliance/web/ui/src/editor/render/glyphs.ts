import type { Ink } from "./ink";
import { faded, opaque } from "./pixels";

const SIZE_PX = 10;
const FONT = "600 {}px ui-monospace, monospace";
const TEXT = opaque(0xffffff);
const GROUND = faded(opaque(0), 190);
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?";

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

interface Face {
  width: number;
  height: number;
  /** Opacities of each letter, row by row. */
  letters: ReadonlyMap<string, Uint8Array>;
}

/** Letters as pixels, drawn by the browser once for each ratio of device pixels. */
export class Glyphs {
  private readonly newContext: (width: number, height: number) => Context | null;
  private readonly faces = new Map<number, Face | null>();

  constructor(newContext: (width: number, height: number) => Context | null) {
    this.newContext = newContext;
  }

  /** Draw a word on a dark plate around a place of the tile. */
  draw(ink: Ink, word: string, x: number, y: number, ratio: number): void {
    const face = this.face(ratio);
    if (!face) return;
    const pad = Math.round(2 * ratio);
    const [left, top] = [Math.round(x - (face.width * word.length) / 2), Math.round(y - face.height / 2)];
    ink.rectangle(left - pad, top - 1, left + face.width * word.length + pad, top + face.height + 1, GROUND);
    [...word].forEach((letter, n) => {
      const opacities = face.letters.get(letter) ?? face.letters.get("?");
      for (let i = 0; opacities && i < opacities.length; i++) {
        if (opacities[i] === 0) continue;
        const [px, py] = [left + n * face.width + (i % face.width), top + Math.floor(i / face.width)];
        ink.rectangle(px, py, px + 1, py + 1, faded(TEXT, opacities[i] + 1));
      }
    });
  }

  private face(ratio: number): Face | null {
    const known = this.faces.get(ratio);
    if (known !== undefined) return known;
    const face = this.make(ratio);
    this.faces.set(ratio, face);
    return face;
  }

  private make(ratio: number): Face | null {
    const size = Math.round(SIZE_PX * ratio);
    const [width, height] = [Math.ceil(size * 0.64), size];
    const context = this.newContext(width * LETTERS.length, height);
    if (!context) return null;
    context.font = FONT.replace("{}", String(size));
    context.textBaseline = "middle";
    context.textAlign = "center";
    [...LETTERS].forEach((letter, n) => context.fillText(letter, (n + 0.5) * width, height / 2 + 0.5 * ratio));
    const letters = new Map<string, Uint8Array>();
    [...LETTERS].forEach((letter, n) => {
      const { data } = context.getImageData(n * width, 0, width, height);
      letters.set(letter, Uint8Array.from({ length: width * height }, (_, i) => data[i * 4 + 3]));
    });
    return { width, height, letters };
  }
}
