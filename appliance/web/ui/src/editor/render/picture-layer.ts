import type { Camera, Size } from "../camera";
import type { Picture } from "../picture";
import type { Adjustment, Surround } from "../session";
import { Mips } from "./mips";
import { TileLayer } from "./tiles";

const SURROUNDS: Readonly<Record<Surround, string>> = { black: "#000", grey: "#6e6e6e", white: "#fff" };
const KEEP = 2;
/** First of all, what is on the picture is to be seen; then the page gets ready. */
const WHOLE_MS = 600;
const AGAIN_MS = 5_000;
const SVG = "http://www.w3.org/2000/svg";
let filters = 0;

/** The picture beneath everything, seen through its adjustment. */
export class PictureLayer {
  private readonly host: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly changed: () => void;
  private readonly filter = gammaFilter();
  private picture: Picture | null = null;
  private mips: Mips | null = null;
  private tiles: TileLayer | null = null;
  /** Smaller copies of what was shown last and of what comes next. */
  private readonly kept = new Map<ImageBitmap, Mips>();
  /** Whole pictures by the smaller copies that showed them first; a promise while one is on its way. */
  private readonly wholes = new WeakMap<ImageBitmap, ImageBitmap | Promise<void>>();
  private waiting: ImageBitmap | null = null;
  private timer = 0;

  /** `changed` is called when there is more of the picture to draw. */
  constructor(host: HTMLElement, canvas: HTMLCanvasElement, changed: () => void) {
    this.host = host;
    this.canvas = canvas;
    this.changed = changed;
    host.append(this.filter);
  }

  destroy(): void {
    this.set(null);
    for (const mips of this.kept.values()) mips.close();
    this.filter.remove();
  }

  get size(): Size | null {
    return this.picture;
  }

  set(picture: Picture | null): void {
    if (picture?.bitmap !== this.picture?.bitmap) {
      clearTimeout(this.timer);
      this.waiting = null;
      if (this.picture && this.mips) this.keep(this.picture, this.mips);
      this.mips = picture && (this.taken(picture) ?? this.copies(picture));
    }
    if (picture?.tiles !== this.picture?.tiles) {
      this.tiles?.destroy();
      this.tiles = picture?.tiles ? new TileLayer(picture.tiles, this.changed) : null;
    }
    this.picture = picture;
  }

  /** Have the smaller copies of a picture made that will be shown soon. */
  prepare(picture: Picture): void {
    if (picture.bitmap !== this.picture?.bitmap) this.keep(picture, this.taken(picture) ?? this.copies(picture));
  }

  private copies({ bitmap }: Picture): Mips {
    const whole = this.wholes.get(bitmap);
    const there = whole && !(whole instanceof Promise) ? whole : null;
    const mips = new Mips(there ?? bitmap, () => {
      if (this.mips === mips) this.changed();
    }, there && bitmap);
    return mips;
  }

  /** Have the whole of a picture that shows by a smaller copy: at once where more of it is seen than that has. */
  private refine(picture: Picture, now: boolean): void {
    const { bitmap, whole } = picture;
    if (!whole || this.wholes.has(bitmap) || (!now && this.waiting === bitmap)) return;
    clearTimeout(this.timer);
    this.waiting = now ? null : bitmap;
    if (now) this.wholes.set(bitmap, this.fetch(picture, whole));
    else this.timer = setTimeout(() => this.refine(picture, true), WHOLE_MS) as unknown as number;
  }

  private async fetch(picture: Picture, whole: () => Promise<ImageBitmap>): Promise<void> {
    const { bitmap } = picture;
    try {
      this.wholes.set(bitmap, await whole());
    } catch {
      // The box is away: what is there shows, and is asked about again while somebody looks.
      setTimeout(() => {
        this.wholes.delete(bitmap);
        this.changed();
      }, AGAIN_MS);
      return;
    }
    if (this.picture?.bitmap === bitmap) {
      this.mips?.close();
      this.mips = this.copies(picture);
      this.changed();
    }
  }

  private taken({ bitmap }: Picture): Mips | null {
    const mips = this.kept.get(bitmap) ?? null;
    this.kept.delete(bitmap);
    return mips;
  }

  private keep({ bitmap }: Picture, mips: Mips): void {
    this.kept.set(bitmap, mips);
    for (const [oldest, copies] of this.kept) {
      if (this.kept.size <= KEEP) return;
      copies.close();
      this.kept.delete(oldest);
    }
  }

  surround(surround: Surround): void {
    this.host.style.backgroundColor = SURROUNDS[surround];
  }

  /** Through the compositor: changing it draws nothing anew, and neither does moving the picture. */
  adjust({ brightness, contrast, gamma }: Adjustment): void {
    for (const channel of this.filter.querySelectorAll("[exponent]")) channel.setAttribute("exponent", String(1 / gamma));
    const parts = [
      ...(brightness === 1 ? [] : [`brightness(${brightness})`]),
      ...(contrast === 1 ? [] : [`contrast(${contrast})`]),
      ...(gamma === 1 ? [] : [`url(#${this.filter.dataset.filter})`]),
    ];
    this.canvas.style.filter = parts.join(" ");
  }

  /** Draw it onto its layer, whose unit is the CSS pixel; quickly while it is being moved. */
  draw(context: CanvasRenderingContext2D, camera: Camera, view: Size, moving: boolean): void {
    if (!this.picture || !this.mips) return;
    if (this.tiles) {
      this.tiles.draw(context, camera, view);
      return;
    }
    const { x, y, scale } = camera;
    const { width, height, bitmap } = this.picture;
    const whole = this.wholes.get(bitmap);
    const full = whole && !(whole instanceof Promise) ? whole : bitmap;
    this.refine(this.picture, scale * devicePixelRatio * width > bitmap.width);
    context.imageSmoothingEnabled = scale < 4;
    const drawn = (scale * devicePixelRatio * width) / full.width;
    context.imageSmoothingQuality = moving || !this.mips.fine(drawn) ? "low" : "high";
    context.drawImage(this.mips.at(drawn), x, y, width * scale, height * scale);
    this.canvas.dataset.width = String(full.width);
  }
}

function gammaFilter(): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const id = `gamma-${++filters}`;
  svg.dataset.filter = id;
  svg.setAttribute("width", "0");
  svg.setAttribute("height", "0");
  svg.setAttribute("aria-hidden", "true");
  svg.style.position = "absolute";
  const filter = svg.appendChild(document.createElementNS(SVG, "filter"));
  filter.id = id;
  filter.setAttribute("color-interpolation-filters", "sRGB");
  const transfer = filter.appendChild(document.createElementNS(SVG, "feComponentTransfer"));
  for (const name of ["feFuncR", "feFuncG", "feFuncB"]) {
    const channel = transfer.appendChild(document.createElementNS(SVG, name));
    channel.setAttribute("type", "gamma");
    channel.setAttribute("exponent", "1");
  }
  return svg;
}
