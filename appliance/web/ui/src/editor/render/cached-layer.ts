import type { Camera, Size } from "../camera";
import type { Bounds } from "../shape";
import { TILE } from "./raster";
import { RasterClient } from "./raster-client";
import type { LevelSpec, Tell } from "./rasterizer";
import type { StaticLayer } from "./static-layer";
import type { Batch } from "./store";
import { leaves, overviewScale, tilePlace, tilesIn, viewIn } from "./tile-plan";

const SETTLE_MS = 80;

/** Tiles at one scale; null where there is nothing to see. */
class Level {
  readonly spec: LevelSpec;
  readonly tiles = new Map<number, ImageBitmap | null>();

  constructor(spec: LevelSpec) {
    this.spec = spec;
  }

  set(key: number, bitmap: ImageBitmap | null): void {
    this.tiles.get(key)?.close();
    this.tiles.set(key, bitmap);
  }

  keep(keys: ReadonlySet<number>): void {
    for (const [key, bitmap] of this.tiles) {
      if (keys.has(key)) continue;
      bitmap?.close();
      this.tiles.delete(key);
    }
  }

  close(): void {
    this.keep(new Set());
  }
}

/**
 * Static shapes as tiles that a worker draws: a gesture only moves them.
 *
 * Three levels: the present scale, the one before until that is complete, and an overview of the
 * whole image beneath. Tiles of the present scale are made for the view and a margin around it.
 */
export class CachedLayer implements StaticLayer {
  shown = 0;
  private readonly client: RasterClient;
  private readonly changed: () => void;
  private epoch = 0;
  private stamp = 0;
  private levels = 0;
  private size: Size | null = null;
  private present: Level | null = null;
  private before: Level | null = null;
  private overview: Level | null = null;
  private wanted = "";
  private visible: readonly number[] = [];
  private timer = 0;
  /** Nobody looks at it yet, or any more: only what the view shows is made. */
  private ahead = false;

  /** `changed` is called when there is something new to draw. */
  constructor(changed: () => void) {
    this.changed = changed;
    this.client = new RasterClient((tell) => this.hear(tell));
  }

  destroy(): void {
    this.close();
    this.client.destroy();
  }

  open(size: Size | null): void {
    this.close();
    this.size = size;
    this.client.ask({ kind: "open", surface: this.client.surface, epoch: ++this.epoch });
    this.shown = this.stamp;
    this.changed();
  }

  put(batch: Batch, removed: Uint32Array): number {
    const { slots, sizes, points, boxes, colors, flags, orders } = batch;
    const transfer = [slots, sizes, points, boxes, colors, flags, orders].map((array) => array.buffer);
    this.client.ask({ kind: "put", surface: this.client.surface, batch, removed, stamp: ++this.stamp }, transfer);
    return this.stamp;
  }

  restyle(flags: Uint8Array, colors: Uint32Array): number {
    this.client.ask({ kind: "restyle", surface: this.client.surface, flags, colors, stamp: ++this.stamp });
    return this.stamp;
  }

  prepare(camera: Camera, view: Size, ratio: number): void {
    if (!this.size) return;
    this.ahead = true;
    this.before?.close();
    this.before = null;
    this.follow(camera, view, ratio);
    clearTimeout(this.timer);
    this.overview?.close();
  }

  draw(context: CanvasRenderingContext2D, camera: Camera, view: Size, ratio: number, moving: boolean): void {
    if (!this.size) return;
    this.ahead = false;
    this.follow(camera, view, ratio);
    context.setTransform(1, 0, 0, 1, 0, 0);
    const levels = [this.present, this.before, this.overview].filter((level) => level !== null);
    // Smoothing what is scaled takes most of a frame without a GPU, and nobody sees it in a gesture.
    context.imageSmoothingEnabled = !moving;
    drawLevels(context, levels, this.size, { x: camera.x * ratio, y: camera.y * ratio, scale: camera.scale * ratio }, {
      x1: 0, y1: 0, x2: view.width * ratio, y2: view.height * ratio,
    });
  }

  private close(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    for (const level of [this.present, this.before, this.overview]) level?.close();
    this.present = this.before = this.overview = null;
    this.wanted = "";
  }

  /** Have tiles made for this view: at another scale at once when it is far off, else when it has settled. */
  private follow(camera: Camera, view: Size, ratio: number): void {
    const scale = camera.scale * ratio;
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.present || this.present.spec.ratio !== ratio || leaves(scale, this.present.spec.scale)) this.renew(scale, ratio);
    else if (this.present.spec.scale !== scale) {
      this.timer = setTimeout(() => {
        this.renew(scale, ratio);
        this.changed();
      }, SETTLE_MS) as unknown as number;
    }
    this.want(camera, view);
  }

  private renew(scale: number, ratio: number): void {
    const size = this.size!;
    if (this.overview?.spec.ratio !== ratio) {
      this.overview?.close();
      this.overview = new Level({ level: ++this.levels, scale: overviewScale(size), ratio });
    }
    if (this.present && this.present.tiles.size > 0) {
      this.before?.close();
      this.before = this.present;
    }
    this.present = new Level({ level: ++this.levels, scale, ratio });
  }

  private want(camera: Camera, view: Size): void {
    const { present, overview, size } = this;
    if (!present || !overview || !size) return;
    const { scale } = present.spec;
    const visible = tilesIn(viewIn(camera, view, scale), size, scale);
    const around = this.ahead ? [] : tilesIn(viewIn(camera, view, scale, true), size, scale).filter((key) => !visible.includes(key));
    if (this.before && visible.every((key) => present.tiles.has(key))) {
      this.before.close();
      this.before = null;
    }
    const name = `${present.spec.level}:${visible.join()};${around.join()};${this.ahead}`;
    if (name === this.wanted) return;
    this.wanted = name;
    this.visible = visible;
    present.keep(new Set([...visible, ...around]));
    const whole = { x1: 0, y1: 0, x2: size.width * overview.spec.scale, y2: size.height * overview.spec.scale };
    const beneath = this.ahead ? [] : tilesIn(whole, size, overview.spec.scale);
    const of = (level: Level, keys: number[]): [number, number][] => keys.map((key) => [level.spec.level, key]);
    this.client.ask({
      kind: "want",
      surface: this.client.surface,
      levels: [present.spec, overview.spec],
      tiles: [...of(present, visible), ...of(overview, beneath), ...of(present, around)],
      visible: visible.length,
      ahead: this.ahead,
    });
  }

  private hear(tell: Tell): void {
    if (tell.kind === "shown") {
      if (tell.epoch !== this.epoch) return;
      this.shown = tell.stamp;
      this.changed();
      return;
    }
    const level = [this.present, this.overview].find((one) => one?.spec.level === tell.level);
    if (tell.epoch !== this.epoch || !level) {
      tell.bitmap?.close();
      return;
    }
    const seen = this.sees(level, tell.key);
    level.set(tell.key, tell.bitmap);
    if (seen) this.changed();
  }

  /** True when a tile that has come shows: in view, or beneath where tiles in view are missing. */
  private sees(level: Level, key: number): boolean {
    const { present, visible } = this;
    return level === present ? visible.includes(key) : visible.some((one) => !present?.tiles.has(one));
  }
}

/** Draw the first level and, where its tiles are missing, the next one; all in device pixels. */
function drawLevels(context: CanvasRenderingContext2D, levels: readonly Level[], size: Size, camera: Camera, area: Bounds): void {
  const [level, ...rest] = levels;
  if (!level) return;
  const by = camera.scale / level.spec.scale;
  const missing: Bounds[] = [];
  const seen = {
    x1: (area.x1 - camera.x) / by, y1: (area.y1 - camera.y) / by,
    x2: (area.x2 - camera.x) / by, y2: (area.y2 - camera.y) / by,
  };
  for (const key of tilesIn(seen, size, level.spec.scale)) {
    const { x, y } = tilePlace(key);
    // Edges at whole pixels: neighbours neither overlap nor leave a seam.
    const place = {
      x1: Math.round(x * by + camera.x), y1: Math.round(y * by + camera.y),
      x2: Math.round((x + TILE) * by + camera.x), y2: Math.round((y + TILE) * by + camera.y),
    };
    const bitmap = level.tiles.get(key);
    if (bitmap) context.drawImage(bitmap, place.x1, place.y1, place.x2 - place.x1, place.y2 - place.y1);
    else if (bitmap === undefined) missing.push(place);
  }
  if (missing.length === 0 || rest.length === 0) return;
  context.save();
  context.beginPath();
  for (const { x1, y1, x2, y2 } of missing) context.rect(x1, y1, x2 - x1, y2 - y1);
  context.clip();
  const within = {
    x1: Math.max(area.x1, Math.min(...missing.map((one) => one.x1))), y1: Math.max(area.y1, Math.min(...missing.map((one) => one.y1))),
    x2: Math.min(area.x2, Math.max(...missing.map((one) => one.x2))), y2: Math.min(area.y2, Math.max(...missing.map((one) => one.y2))),
  };
  drawLevels(context, rest, size, camera, within);
  context.restore();
}
