import { signal } from "@preact/signals";

import { images } from "../../api/client";
import type { Image, Label, Outline, Outlines } from "../../api/types";

const KEY = "pixelqueue.outlines";
const AT_ONCE = 200;
const KEPT = 3_000;
/** Places across and down an image, as the box counts them. */
const GRID = 512;
const PLAIN = "#E6E6E6";

/** What the outlines ask the box; tests bring their own. */
type Ask = (ids: readonly number[]) => Promise<Outlines[]>;

const stored = (): boolean => typeof localStorage !== "undefined" && localStorage.getItem(KEY) !== null;

/** True while annotations show over the thumbnails; kept for this browser. */
export const outlined = signal(stored());

export function toggleOutlines(): void {
  outlined.value = !outlined.value;
  if (outlined.value) localStorage.setItem(KEY, "1");
  else localStorage.removeItem(KEY);
}

/** Outlines of the images in sight: asked for once per revision, those in sight at last first. */
export class OutlineList {
  /** Grows whenever some came. */
  readonly told = signal(0);
  private readonly ask: Ask;
  private readonly known = new Map<number, Outlines>();
  private wanted: readonly Image[] = [];
  private asking = false;

  constructor(projectId: number, ask: Ask = (ids) => images.outlines(projectId, ids)) {
    this.ask = ask;
  }

  /** The outlines of an image, of an earlier revision until the present ones are there. */
  of(image: Image): Outlines | null {
    return this.known.get(image.id) ?? null;
  }

  want(shown: readonly Image[]): void {
    this.wanted = shown;
    if (!this.asking) void this.fetch();
  }

  private async fetch(): Promise<void> {
    this.asking = true;
    try {
      for (let missing = this.missing(); missing.length > 0; missing = this.missing()) {
        this.keep(missing, await this.ask(missing.map((image) => image.id)));
      }
    } catch {
      // The grid says what is wrong with the box; outlines are asked for again with the next look.
    } finally {
      this.asking = false;
    }
  }

  private missing(): Image[] {
    return this.wanted.filter((image) => (this.known.get(image.id)?.revision ?? -1) < image.revision).slice(0, AT_ONCE);
  }

  private keep(asked: readonly Image[], found: readonly Outlines[]): void {
    const there = new Map(found.map((one) => [one.image_id, one]));
    for (const { id, revision } of asked) {
      this.known.delete(id);
      // An image that is gone is not asked for again.
      this.known.set(id, there.get(id) ?? { image_id: id, revision, shapes: [] });
    }
    for (const id of this.known.keys()) {
      if (this.known.size <= KEPT) break;
      this.known.delete(id);
    }
    this.told.value++;
  }
}

export const colorsOf = (labels: readonly Label[]): ReadonlyMap<number, string> => new Map(labels.map((one) => [one.id, one.color]));

/** Where a place on the grid of 512 lies in a frame that the picture covers, its middle in the middle. */
export function covering(image: { width: number; height: number }, width: number, height: number) {
  const scale = Math.max(width / image.width, height / image.height);
  const [w, h] = [image.width * scale, image.height * scale];
  const [left, top] = [(width - w) / 2, (height - h) / 2];
  return (x: number, y: number): [number, number] => [left + (x * w) / GRID, top + (y * h) / GRID];
}

/** Paint the outlines of one image over its thumbnail, each in the colour of its label over a dark casing. */
export function paint(canvas: HTMLCanvasElement, image: Image, shapes: readonly Outline[], colors: ReadonlyMap<number, string>, size: { width: number; height: number }): void {
  const density = Math.min(2, devicePixelRatio);
  canvas.width = Math.round(size.width * density);
  canvas.height = Math.round(size.height * density);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.scale(density, density);
  const place = covering(image, size.width, size.height);
  for (const shape of [...shapes].reverse()) {
    const path = pathOf(shape, place);
    context.setLineDash([]);
    context.lineWidth = 3;
    context.strokeStyle = "rgba(0, 0, 0, 0.55)";
    context.stroke(path);
    if (shape.predicted) context.setLineDash([4, 3]);
    context.lineWidth = 1.5;
    context.strokeStyle = colors.get(shape.label_id) ?? PLAIN;
    context.stroke(path);
  }
}

function pathOf({ lines, open }: Outline, place: (x: number, y: number) => [number, number]): Path2D {
  const path = new Path2D();
  for (const line of lines) {
    if (line.length === 4 && !open) {
      const [[x1, y1], [x2, y2]] = [place(line[0], line[1]), place(line[2], line[3])];
      path.rect(x1, y1, x2 - x1, y2 - y1);
      continue;
    }
    for (let i = 0; i < line.length; i += 2) {
      const at = place(line[i], line[i + 1]);
      if (i === 0) path.moveTo(...at);
      else path.lineTo(...at);
    }
    if (!open) path.closePath();
  }
  return path;
}
