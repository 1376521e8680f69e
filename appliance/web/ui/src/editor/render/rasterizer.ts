import type { Glyphs } from "./glyphs";
import { BLEED_PX, Raster, type Rect, TILE } from "./raster";
import { type Batch, ShapeStore } from "./store";
import { tilePlace } from "./tile-plan";

/** A scale at which tiles are drawn; a new one has a new number. */
export interface LevelSpec {
  level: number;
  scale: number;
  ratio: number;
}

/** What is asked of a rasterizer about one surface. */
export type Ask =
  /** Start anew: no shapes, no tiles; what was drawn before `epoch` is stale. */
  | { kind: "open"; surface: number; epoch: number }
  /** `stamp` comes back once the tiles in view show it. */
  | { kind: "put"; surface: number; batch: Batch; removed: Uint32Array; stamp: number }
  | { kind: "restyle"; surface: number; flags: Uint8Array; colors: Uint32Array; stamp: number }
  /**
   * Which tiles there shall be, as pairs of level and key, most urgent first; `visible` of them are in view.
   * A surface `ahead` is looked at later: it waits for those that are looked at now.
   */
  | { kind: "want"; surface: number; levels: LevelSpec[]; tiles: [number, number][]; visible: number; ahead: boolean }
  | { kind: "close"; surface: number };

export type Tell =
  | { kind: "tile"; surface: number; epoch: number; level: number; key: number; bitmap: ImageBitmap | null }
  | { kind: "shown"; surface: number; epoch: number; stamp: number };

interface Tile {
  spec: LevelSpec;
  key: number;
  pixels: Uint32Array | null;
  /** What has to be drawn; null when it is as it should be. */
  dirty: Rect | null;
}

interface Surface {
  id: number;
  epoch: number;
  store: ShapeStore;
  /** Most urgent first. */
  tiles: Tile[];
  visible: number;
  ahead: boolean;
  stamp: number;
  told: number;
}

const WHOLE: Rect = { x1: 0, y1: 0, x2: TILE, y2: TILE };

/** Keeps the shapes of surfaces and the tiles they want, and draws what is not up to date, a slice at a time. */
export class Rasterizer {
  private readonly surfaces = new Map<number, Surface>();
  private readonly raster: Raster;
  private readonly tell: (tell: Tell, transfer: Transferable[]) => void;
  private readonly sliceMs: number;
  private readonly rest: () => Promise<void>;
  private readonly bitmapOf: (pixels: Uint32Array) => Promise<ImageBitmap>;
  private running = false;

  /** `rest` lets messages and, beside the page, its events pass; it is called every `sliceMs`. */
  constructor(options: {
    glyphs: Glyphs | null;
    bitmapOf: (pixels: Uint32Array) => Promise<ImageBitmap>;
    sliceMs: number;
    rest: () => Promise<void>;
    tell: (tell: Tell, transfer: Transferable[]) => void;
  }) {
    this.raster = new Raster(options.glyphs);
    this.bitmapOf = options.bitmapOf;
    this.sliceMs = options.sliceMs;
    this.rest = options.rest;
    this.tell = options.tell;
  }

  ask(ask: Ask): void {
    if (ask.kind === "open") {
      this.raster.clear();
      this.surfaces.set(ask.surface, { id: ask.surface, epoch: ask.epoch, store: new ShapeStore(), tiles: [], visible: 0, ahead: false, stamp: 0, told: 0 });
      return;
    }
    const surface = this.surfaces.get(ask.surface);
    if (!surface) return;
    if (ask.kind === "close") this.surfaces.delete(ask.surface);
    else if (ask.kind === "put") this.put(surface, ask.batch, ask.removed, ask.stamp);
    else if (ask.kind === "restyle") this.restyle(surface, ask.flags, ask.colors, ask.stamp);
    else this.want(surface, ask);
    if (!this.running) void this.run();
  }

  private put(surface: Surface, batch: Batch, removed: Uint32Array, stamp: number): void {
    const { store } = surface;
    for (const slot of batch.slots) this.soil(surface, slot);
    for (const slot of removed) {
      this.soil(surface, slot);
      store.remove(slot);
    }
    store.take(batch);
    for (const slot of batch.slots) this.soil(surface, slot);
    surface.stamp = stamp;
  }

  private restyle(surface: Surface, flags: Uint8Array, colors: Uint32Array, stamp: number): void {
    surface.store.flags.set(flags);
    surface.store.colors.set(colors);
    for (const tile of surface.tiles) tile.dirty = { ...WHOLE };
    surface.stamp = stamp;
  }

  private want(surface: Surface, { levels, tiles: wanted, visible, ahead }: Extract<Ask, { kind: "want" }>): void {
    const specs = new Map(levels.map((spec) => [spec.level, spec]));
    const known = new Map(surface.tiles.map((tile) => [`${tile.spec.level}/${tile.key}`, tile]));
    surface.tiles = wanted.map(
      ([level, key]) => known.get(`${level}/${key}`) ?? { spec: specs.get(level)!, key, pixels: null, dirty: { ...WHOLE } },
    );
    surface.visible = visible;
    surface.ahead = ahead;
  }

  /** Note that what a shape covers has to be drawn again. */
  private soil({ store, tiles }: Surface, slot: number): void {
    if (slot >= store.length) return;
    const box = store.box(slot);
    if (Number.isNaN(box.x1)) return;
    for (const tile of tiles) {
      const { x, y } = tilePlace(tile.key);
      const { scale, ratio } = tile.spec;
      const bleed = BLEED_PX * ratio;
      const part = {
        x1: Math.max(0, Math.floor(box.x1 * scale - x - bleed)), y1: Math.max(0, Math.floor(box.y1 * scale - y - bleed)),
        x2: Math.min(TILE, Math.ceil(box.x2 * scale - x + bleed)), y2: Math.min(TILE, Math.ceil(box.y2 * scale - y + bleed)),
      };
      if (part.x1 < part.x2 && part.y1 < part.y2) tile.dirty = union(tile.dirty, part);
    }
  }

  private async run(): Promise<void> {
    this.running = true;
    for (let next = this.next(); next; next = this.next()) await this.drawTile(...next);
    this.running = false;
  }

  /** The most urgent tile that is not as it should be. */
  private next(): [Surface, Tile] | null {
    const all = [...this.surfaces.values()];
    for (const surface of [...all.filter((one) => !one.ahead), ...all.filter((one) => one.ahead)]) {
      const at = surface.tiles.findIndex((tile) => tile.dirty !== null);
      if (surface.told < surface.stamp && surface.visible > 0 && (at < 0 || at >= surface.visible)) {
        surface.told = surface.stamp;
        this.tell({ kind: "shown", surface: surface.id, epoch: surface.epoch, stamp: surface.stamp }, []);
      }
      if (at >= 0) return [surface, surface.tiles[at]];
    }
    return null;
  }

  private async drawTile(surface: Surface, tile: Tile): Promise<void> {
    const part = tile.dirty ?? WHOLE;
    tile.dirty = null;
    const pixels = (tile.pixels ??= new Uint32Array(TILE * TILE));
    const drawing = this.raster.draw(surface.store, pixels, { ...tile.spec, ...tilePlace(tile.key) }, part);
    let until = performance.now() + this.sliceMs;
    for (let step = drawing.next(); !step.done; step = drawing.next()) {
      if (performance.now() < until) continue;
      await this.rest();
      if (this.surfaces.get(surface.id) !== surface || !surface.tiles.includes(tile)) return;
      until = performance.now() + this.sliceMs;
    }
    // Changed meanwhile: it is drawn again before anybody sees half of the change.
    if (tile.dirty) tile.dirty = union(tile.dirty, part);
    else await this.hand(surface, tile);
    await this.rest();
  }

  private async hand(surface: Surface, tile: Tile): Promise<void> {
    const { id, epoch } = surface;
    const { key, spec, pixels } = tile;
    let bitmap: ImageBitmap | null = null;
    if (pixels?.some((pixel) => pixel !== 0)) {
      bitmap = await this.bitmapOf(pixels);
    } else tile.pixels = null;
    this.tell({ kind: "tile", surface: id, epoch, level: spec.level, key, bitmap }, bitmap ? [bitmap] : []);
  }
}

function union(a: Rect | null, b: Rect): Rect {
  if (!a) return b;
  return { x1: Math.min(a.x1, b.x1), y1: Math.min(a.y1, b.y1), x2: Math.max(a.x2, b.x2), y2: Math.max(a.y2, b.y2) };
}
