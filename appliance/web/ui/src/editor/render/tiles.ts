import type { Camera, Size } from "../camera";
import { TileCache } from "./tile-cache";
import { centreFirst, keyOf, levelFor, parentOf, placeOf, rangeIn, type Tile, type TileGrid, tilesOf } from "./tile-grid";
import type { Delivery, Order, Wanted } from "./tile-queue";

/** A very large picture: what lies under its tiles, and where they come from. */
export interface TileSource extends TileGrid {
  readonly overview: ImageBitmap;
  url(tile: Tile): string;
  /** Called when the box has no such tile any more. */
  lost(): void;
}

/** The part of a worker that the layer needs; tests bring their own. */
export interface TileLoader {
  onmessage: ((event: { data: Delivery<ImageBitmap> }) => void) | null;
  postMessage(order: Order): void;
  terminate(): void;
}

const BUDGET_BYTES = 256 * 2 ** 20;
const SMOOTH_BELOW = 4;
const GONE = 404;
const RETRY_MS = 2_000;

const startLoader = (): TileLoader =>
  new Worker(new URL("./tile-worker.ts", import.meta.url), { type: "module" }) as TileLoader;

/**
 * Paints a very large picture: the tiles that fit the camera, and what is there until they are.
 *
 * It asks for what is missing while it paints, and calls `onReady` when a tile has come.
 */
export class TileLayer {
  private readonly source: TileSource;
  private readonly onReady: () => void;
  private readonly cache = new TileCache<ImageBitmap>(BUDGET_BYTES);
  private readonly loader: TileLoader;
  private readonly refused = new Set<string>();
  private asked = "";
  private received = 0;
  private destroyed = false;

  constructor(source: TileSource, onReady: () => void, start: () => TileLoader = startLoader) {
    this.source = source;
    this.onReady = onReady;
    this.loader = start();
    this.loader.onmessage = ({ data }) => this.receive(data);
  }

  destroy(): void {
    this.destroyed = true;
    this.loader.terminate();
    this.cache.clear();
  }

  /** Paint the picture into a context whose unit is the CSS pixel, `dpr` device pixels each. */
  draw(context: CanvasRenderingContext2D, camera: Camera, view: Size, dpr = devicePixelRatio): void {
    const level = levelFor(this.source, camera.scale * dpr);
    const visible = rangeIn(this.source, level, camera, view);
    const tiles = centreFirst(this.source, visible, camera, view);
    context.imageSmoothingEnabled = camera.scale < SMOOTH_BELOW;
    context.imageSmoothingQuality = "medium";
    const there = tiles.map((tile) => this.cache.use(keyOf(tile)));
    if (!there.every(Boolean)) this.drawUnderneath(context, camera, view, dpr, tiles);
    there.forEach((bitmap, n) => bitmap && this.drawPart(context, camera, dpr, tiles[n], bitmap));
    this.ask([...tiles, ...this.around(level, camera, view, tiles)]);
  }

  /** The overview, then the nearest coarser tile of each one that is missing, the coarsest first. */
  private drawUnderneath(context: CanvasRenderingContext2D, camera: Camera, view: Size, dpr: number, tiles: Tile[]): void {
    this.drawOverview(context, camera, view, dpr);
    const stand = new Map<string, Tile>();
    for (const tile of tiles) {
      if (this.cache.has(keyOf(tile))) continue;
      for (let at = tile; at.level > 0;) {
        at = parentOf(at);
        if (!this.cache.has(keyOf(at))) continue;
        stand.set(keyOf(at), at);
        break;
      }
    }
    for (const tile of [...stand.values()].sort((a, b) => a.level - b.level)) {
      const bitmap = this.cache.use(keyOf(tile));
      if (bitmap) this.drawPart(context, camera, dpr, tile, bitmap);
    }
  }

  /** Only the part in view: at full zoom the whole would be a million pixels wide. */
  private drawOverview(context: CanvasRenderingContext2D, camera: Camera, view: Size, dpr: number): void {
    const { overview, width, height } = this.source;
    const x1 = Math.max(0, Math.floor(-camera.x / camera.scale));
    const y1 = Math.max(0, Math.floor(-camera.y / camera.scale));
    const x2 = Math.min(width, Math.ceil((view.width - camera.x) / camera.scale));
    const y2 = Math.min(height, Math.ceil((view.height - camera.y) / camera.scale));
    if (x1 >= x2 || y1 >= y2) return;
    const [sx, sy] = [overview.width / width, overview.height / height];
    const to = onScreen(camera, dpr, { x1, y1, x2, y2 });
    context.drawImage(overview, x1 * sx, y1 * sy, (x2 - x1) * sx, (y2 - y1) * sy, to.x, to.y, to.width, to.height);
  }

  private drawPart(context: CanvasRenderingContext2D, camera: Camera, dpr: number, tile: Tile, bitmap: ImageBitmap): void {
    const to = onScreen(camera, dpr, placeOf(this.source, tile));
    context.drawImage(bitmap, to.x, to.y, to.width, to.height);
  }

  /** The ring around what is seen: a pan finds it there. */
  private around(level: number, camera: Camera, view: Size, seen: readonly Tile[]): Tile[] {
    const known = new Set(seen.map(keyOf));
    return tilesOf(rangeIn(this.source, level, camera, view, 1)).filter((tile) => !known.has(keyOf(tile)));
  }

  private ask(tiles: readonly Tile[]): void {
    const missing = tiles.filter((tile) => !this.cache.has(keyOf(tile)) && !this.refused.has(keyOf(tile)));
    const wanted = missing.map((tile): Wanted => ({ key: keyOf(tile), url: this.source.url(tile) }));
    const asked = wanted.map(({ key }) => key).join(" ");
    if (asked === this.asked) return;
    this.asked = asked;
    this.loader.postMessage({ wanted, received: this.received });
  }

  private receive(delivery: Delivery<ImageBitmap>): void {
    const { key, number } = delivery;
    this.received = number;
    if ("tile" in delivery) {
      this.cache.put(key, delivery.tile);
      this.onReady();
      return;
    }
    this.refused.add(key);
    if (delivery.status === GONE) this.source.lost();
    else setTimeout(() => this.again(key), RETRY_MS);
  }

  private again(key: string): void {
    this.refused.delete(key);
    if (!this.destroyed) this.onReady();
  }
}

/** A part of the picture on the screen, its edges on device pixels so that neighbours leave no seam. */
function onScreen(camera: Camera, dpr: number, part: { x1: number; y1: number; x2: number; y2: number }) {
  const snap = (value: number): number => Math.round(value * dpr) / dpr;
  const [x, y] = [snap(part.x1 * camera.scale + camera.x), snap(part.y1 * camera.scale + camera.y)];
  const [right, bottom] = [snap(part.x2 * camera.scale + camera.x), snap(part.y2 * camera.scale + camera.y)];
  return { x, y, width: right - x, height: bottom - y };
}
