/** Pictures smaller than this are drawn from as they are. */
const FROM_PIXELS = 3e6;
const LEVELS = 2;
/** Pixels halved in one go, a few milliseconds of work. */
const STRIP_PIXELS = 1.5e6;
const REST_MS = 30;
/** First of all, what is on the picture is to be seen. */
const FIRST_MS = 250;

/**
 * A picture at a half and a quarter of its size, made bit by bit once it shows: a smaller copy is
 * quicker to draw and does not shimmer.
 */
export class Mips {
  private readonly copies: (ImageBitmap | HTMLCanvasElement)[];
  private readonly first: ImageBitmap | null;
  private readonly levels: number;
  private readonly changed: () => void;
  private timer = 0;
  private closed = false;

  /** `changed` is called when there is a copy more; `first` is a smaller one that shows until they are there. */
  constructor(bitmap: ImageBitmap | HTMLCanvasElement, changed: () => void, first: ImageBitmap | null = null) {
    this.copies = [bitmap];
    this.first = first;
    this.changed = changed;
    this.levels = bitmap.width * bitmap.height > FROM_PIXELS ? LEVELS : 0;
    if (this.levels > 0) this.later(() => void this.make(1), FIRST_MS);
  }

  /** True when no copy is on its way that would be better to draw from: drawing finely is quick. */
  fine(scale: number): boolean {
    return this.made(scale) || this.at(scale) === this.first;
  }

  /** The smallest copy with no fewer pixels than are drawn at a scale. */
  at(scale: number): ImageBitmap | HTMLCanvasElement {
    const { first } = this;
    if (first && !this.made(scale) && first.width >= scale * this.copies[0].width) return first;
    return this.copies[Math.min(this.copies.length - 1, level(scale))];
  }

  /** Let go of the copies; the picture itself belongs to whoever fetched it. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    for (const copy of this.copies.splice(1)) if (copy instanceof HTMLCanvasElement) copy.width = 0;
  }

  private made(scale: number): boolean {
    return this.copies.length > Math.min(this.levels, level(scale));
  }

  private later(then: () => void, afterMs = REST_MS): void {
    this.timer = setTimeout(then, afterMs) as unknown as number;
  }

  private async make(at: number): Promise<void> {
    const source = this.copies[at - 1];
    const { width, height } = source;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
    const context = canvas.getContext("2d");
    const rows = Math.max(2, Math.floor(STRIP_PIXELS / width / 2) * 2);
    for (let y = 0; context && y < height; y += rows) {
      const strip = Math.min(rows, height - y);
      // At exactly a half, four pixels are averaged into each.
      context.imageSmoothingQuality = "low";
      context.drawImage(source, 0, y, width, strip, 0, y / 2, canvas.width, strip / 2);
      await new Promise<void>((done) => this.later(done));
      if (this.closed) return;
    }
    this.copies[at] = canvas;
    this.changed();
    if (at < LEVELS) this.later(() => void this.make(at + 1));
  }
}

/** How often the picture is halved before a scale needs all that is left. */
const level = (scale: number): number => Math.max(0, Math.floor(-Math.log2(scale)));
