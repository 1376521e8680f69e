import { describe, expect, it, vi } from "vitest";

import { type Camera, fit, toImage, toScreen } from "../../../src/editor/camera";
import { TileCache } from "../../../src/editor/render/tile-cache";
import { centreFirst, keyOf, lengthAt, levelFor, parentOf, placeOf, rangeIn, type TileGrid, tilesOf } from "../../../src/editor/render/tile-grid";
import { type Delivery, type Order, TileQueue, TileRefused } from "../../../src/editor/render/tile-queue";
import { TileLayer, type TileLoader, type TileSource } from "../../../src/editor/render/tiles";
import { preparingWords } from "../../../src/parts/preparing";

const GRID: TileGrid = { width: 20_000, height: 10_000, tileSize: 512, levels: 7 };
const VIEW = { width: 1600, height: 900 };

describe("the level for a camera", () => {
  it.each([
    [64, 6],
    [1, 6],
    [0.55, 6],
    [0.5, 5],
    [0.08, 3],
    [1 / 64, 0],
    [0.0001, 0],
  ])("is at %d device pixels an image pixel level %d", (scale, level) => {
    expect(levelFor(GRID, scale)).toBe(level);
  });

  it("has a pixel for nearly each of the screen's, and not twice as many", () => {
    for (let scale = 0.02; scale < 1; scale *= 1.07) {
      const perPixel = 2 ** (levelFor(GRID, scale) - 6) / scale;
      expect(perPixel).toBeGreaterThan(0.9);
      expect(perPixel).toBeLessThan(2);
    }
  });
});

describe("tiles in view", () => {
  it("cover the view and nothing beyond the picture", () => {
    const camera: Camera = { x: -19_000, y: -9_500, scale: 1 };
    const range = rangeIn(GRID, 6, camera, VIEW);
    expect(range).toEqual({ level: 6, x1: 37, y1: 18, x2: 40, y2: 20 });
    expect(rangeIn(GRID, 6, camera, VIEW, 1)).toEqual({ level: 6, x1: 36, y1: 17, x2: 40, y2: 20 });
  });

  it("are all of the level where the picture fits", () => {
    const range = rangeIn(GRID, 0, fit(GRID, VIEW), VIEW);
    expect(tilesOf(range)).toEqual([{ level: 0, x: 0, y: 0 }]);
  });

  it("are none where the picture is out of sight", () => {
    expect(tilesOf(rangeIn(GRID, 6, { x: 2_000, y: 0, scale: 1 }, VIEW))).toEqual([]);
  });

  it("come centre first", () => {
    const camera: Camera = { x: -512 * 10, y: -512 * 10, scale: 1 };
    const order = centreFirst(GRID, rangeIn(GRID, 6, camera, VIEW), camera, VIEW);
    const far = order.map(({ x, y }) => Math.hypot((x + 0.5) * 512 + camera.x - 800, (y + 0.5) * 512 + camera.y - 450));
    expect(far).toEqual([...far].sort((a, b) => a - b));
    expect(order[0]).toEqual({ level: 6, x: 11, y: 10 });
  });

  it("lie where their parents lie, to the last pixel of an odd side", () => {
    const odd: TileGrid = { width: 9001, height: 700, tileSize: 512, levels: 6 };
    for (const tile of tilesOf({ level: 5, x1: 0, y1: 0, x2: 18, y2: 2 })) {
      const [own, parent] = [placeOf(odd, tile), placeOf(odd, parentOf(tile))];
      expect(own.x1).toBeGreaterThanOrEqual(parent.x1);
      expect(own.x2).toBeLessThanOrEqual(parent.x2);
      expect(own.y2).toBeLessThanOrEqual(parent.y2);
    }
    expect(placeOf(odd, { level: 5, x: 17, y: 1 })).toEqual({ x1: 8704, y1: 512, x2: 9001, y2: 700 });
    expect(lengthAt(odd, 0, 9001)).toBe(282);
  });
});

describe("precision at full zoom", () => {
  it("keeps a quarter of a pixel far from the origin", () => {
    const camera: Camera = { scale: 64, x: -20_000.25 * 64 + 803.5, y: -9_999.75 * 64 + 411.5 };
    const at = toScreen(camera, { x: 20_000.25, y: 9_999.75 });
    expect(at).toEqual({ x: 803.5, y: 411.5 });
    expect(toImage(camera, at)).toEqual({ x: 20_000.25, y: 9_999.75 });
  });
});

const decoded = (side = 512) => ({ width: side, height: side, close: vi.fn() });

describe("the cache", () => {
  it("drops and closes what was not used for longest", () => {
    const cache = new TileCache(3 * 512 * 512 * 4);
    const tiles = [decoded(), decoded(), decoded(), decoded()];
    tiles.slice(0, 3).forEach((tile, n) => cache.put(String(n), tile));
    expect(cache.use("0")).toBe(tiles[0]);
    cache.put("3", tiles[3]);
    expect(tiles.map((tile) => tile.close.mock.calls.length)).toEqual([0, 1, 0, 0]);
    expect([cache.has("0"), cache.has("1")]).toEqual([true, false]);
    expect(cache.sizeBytes).toBe(3 * 512 * 512 * 4);
  });

  it("closes the tile that a newer one replaces, and all at the end", () => {
    const cache = new TileCache(1e9);
    const [old, fresh] = [decoded(), decoded()];
    cache.put("a", old);
    cache.put("a", fresh);
    expect(old.close).toHaveBeenCalledOnce();
    cache.clear();
    expect(fresh.close).toHaveBeenCalledOnce();
    expect(cache.sizeBytes).toBe(0);
  });

  it("holds one tile that is larger than all of its room", () => {
    const cache = new TileCache(10);
    const tile = decoded();
    cache.put("a", tile);
    expect(cache.use("a")).toBe(tile);
  });
});

/** A queue whose loads end when the test says so. */
function queued() {
  const asked: { url: string; signal: AbortSignal; end: (tile: ReturnType<typeof decoded>) => void; fail: (error: unknown) => void }[] = [];
  const delivered: Delivery<ReturnType<typeof decoded>>[] = [];
  const queue = new TileQueue<ReturnType<typeof decoded>>(
    (url, signal) => new Promise((end, fail) => asked.push({ url, signal, end, fail })),
    (delivery) => delivered.push(delivery),
  );
  const order = (keys: string[], received = 0): void => queue.take({ wanted: keys.map((key) => ({ key, url: `/${key}` })), received });
  return { asked, delivered, order };
}

const settled = () => new Promise((done) => setTimeout(done));

describe("the worker's queue", () => {
  it("loads six at a time, in the order that is wanted", async () => {
    const { asked, delivered, order } = queued();
    order(["a", "b", "c", "d", "e", "f", "g", "h"]);
    expect(asked.map((one) => one.url)).toEqual(["/a", "/b", "/c", "/d", "/e", "/f"]);
    asked[2].end(decoded());
    await settled();
    expect(delivered.map((one) => [one.number, one.key])).toEqual([[1, "c"]]);
    expect(asked.at(-1)?.url).toBe("/g");
  });

  it("aborts what nobody wants any more and closes what came too late", async () => {
    const { asked, delivered, order } = queued();
    order(["a", "b"]);
    order(["b", "c"]);
    expect(asked.map((one) => one.signal.aborted)).toEqual([true, false, false]);
    const late = decoded();
    asked[0].end(late);
    await settled();
    expect(late.close).toHaveBeenCalledOnce();
    expect(delivered).toEqual([]);
  });

  it("does not load again what is on its way to the page", async () => {
    const { asked, order } = queued();
    order(["a"]);
    asked[0].end(decoded());
    await settled();
    order(["a", "b"], 0);
    expect(asked.map((one) => one.url)).toEqual(["/a", "/b"]);
    order(["a", "b"], 1);
    expect(asked.map((one) => one.url)).toEqual(["/a", "/b", "/a"]);
  });

  it("tells what the box answered instead of a tile", async () => {
    const { asked, delivered, order } = queued();
    order(["a", "b"]);
    asked[0].fail(new TileRefused(404));
    asked[1].fail(new TypeError("offline"));
    await settled();
    expect(delivered).toEqual([
      { number: 1, key: "a", status: 404 },
      { number: 2, key: "b", status: 0 },
    ]);
  });
});

/** A layer over a loader and a context that write down what they are told. */
function layer() {
  const orders: Order[] = [];
  const drawn: { what: unknown; x: number; y: number; width: number; height: number }[] = [];
  const loader: TileLoader = { onmessage: null, postMessage: (order) => orders.push(order), terminate: vi.fn() };
  const overview = { width: 2048, height: 1024, close: vi.fn() } as unknown as ImageBitmap;
  const source: TileSource = { ...GRID, overview, url: (tile) => `/${keyOf(tile)}`, lost: vi.fn() };
  const onReady = vi.fn();
  const made = new TileLayer(source, onReady, () => loader);
  const context = {
    drawImage: (what: unknown, ...place: number[]) => {
      const [x, y, width, height] = place.slice(-4);
      drawn.push({ what, x, y, width, height });
    },
  } as unknown as CanvasRenderingContext2D;
  let number = 0;
  const come = (key: string) => {
    const tile = decoded() as unknown as ImageBitmap;
    loader.onmessage?.({ data: { number: ++number, key, tile } });
    return tile;
  };
  const refuse = (key: string, status: number) => loader.onmessage?.({ data: { number: ++number, key, status } });
  const paint = (camera: Camera, dpr = 1): typeof drawn => {
    drawn.length = 0;
    made.draw(context, camera, VIEW, dpr);
    return [...drawn];
  };
  return { made, orders, overview, source, onReady, loader, come, refuse, paint };
}

const CLOSE: Camera = { x: -512 * 10, y: -512 * 4, scale: 1 };

describe("the layer", () => {
  it("paints the overview, the parent, then the tile as they come", () => {
    const { paint, come, overview, onReady } = layer();
    expect(paint(CLOSE).map((one) => one.what)).toEqual([overview]);
    const grandparent = come("4/2/1");
    expect(onReady).toHaveBeenCalledOnce();
    expect(paint(CLOSE).map((one) => one.what)).toEqual([overview, grandparent]);
    const parent = come("5/5/2");
    const tile = come("6/10/4");
    const painted = paint(CLOSE);
    expect(painted.map((one) => one.what)).toEqual([overview, parent, tile]);
    expect(painted.at(-1)).toEqual({ what: tile, x: 0, y: 0, width: 512, height: 512 });
    expect(painted[1]).toEqual({ what: parent, x: 0, y: 0, width: 1024, height: 1024 });
  });

  it("paints tiles alone once all in view are there", () => {
    const { paint, come, orders, overview } = layer();
    paint(CLOSE);
    for (const { key } of orders[0].wanted) come(key);
    const painted = paint(CLOSE).map((one) => one.what);
    expect(painted).toHaveLength(4 * 2);
    expect(painted).not.toContain(overview);
  });

  it("asks once for what is in view, then for the ring around it", () => {
    const { paint, orders } = layer();
    paint(CLOSE);
    paint(CLOSE);
    expect(orders).toHaveLength(1);
    const keys = orders[0].wanted.map(({ key }) => key);
    expect(new Set(keys).size).toBe(6 * 4);
    expect(keys.slice(0, 8).every((key) => /^6\/1[0-3]\/[45]$/.test(key))).toBe(true);
  });

  it("drops what a new camera does not show", () => {
    const { paint, orders } = layer();
    paint(CLOSE);
    paint({ x: 0, y: 0, scale: 1 });
    expect(orders).toHaveLength(2);
    expect(orders[1].wanted.some(({ key }) => key === "6/10/4")).toBe(false);
  });

  it("leaves no seam between neighbours at any scale", () => {
    const { paint, come, orders } = layer();
    const camera: Camera = { x: -3000.3, y: -1200.7, scale: 0.7391 };
    paint(camera, 1.5);
    for (const { key } of orders[0].wanted) come(key);
    const painted = paint(camera, 1.5);
    const device = (value: number): number => Math.round(value * 1.5);
    const edges = new Set(painted.map((one) => device(one.x)));
    const inner = painted.filter((one) => one.x + one.width < VIEW.width);
    expect(inner.length).toBeGreaterThan(2);
    expect(inner.every((one) => edges.has(device(one.x + one.width)))).toBe(true);
    expect(painted.every(({ x }) => Math.abs(x * 1.5 - device(x)) < 1e-6)).toBe(true);
  });

  it("does not ask again for tiles that are gone, and says so", () => {
    const { paint, refuse, orders, source } = layer();
    paint(CLOSE);
    refuse("6/10/4", 404);
    expect(source.lost).toHaveBeenCalledOnce();
    paint(CLOSE);
    expect(orders.at(-1)?.wanted.some(({ key }) => key === "6/10/4")).toBe(false);
  });

  it("asks again a moment later where the box did not answer", () => {
    vi.useFakeTimers();
    const { paint, refuse, orders, source, onReady } = layer();
    paint(CLOSE);
    refuse("6/10/4", 0);
    vi.advanceTimersByTime(2_000);
    expect(onReady).toHaveBeenCalledOnce();
    paint(CLOSE);
    expect(orders.at(-1)?.wanted.some(({ key }) => key === "6/10/4")).toBe(true);
    expect(source.lost).not.toHaveBeenCalled();
    vi.useRealTimers();
  });

  it("closes its tiles and ends its worker when it goes", () => {
    const { made, come, loader } = layer();
    const tile = come("0/0/0");
    made.destroy();
    expect(loader.terminate).toHaveBeenCalledOnce();
    expect(tile.close).toHaveBeenCalledOnce();
  });
});

describe("the words for what is prepared", () => {
  it.each([
    [{ state: "running", progress: 42, total: 100, error: null }, "Preparing tiles · 42 %"],
    [{ state: "running", progress: 0, total: 0, error: null }, "Preparing tiles · 0 %"],
    [{ state: "queued", progress: 0, total: 0, error: null }, "Preparing tiles · waiting"],
    [
      { state: "failed", progress: 0, total: 0, error: { message: "the disk is full" } },
      "No tiles: the disk is full. Retry it on the page Jobs",
    ],
  ] as const)("are for %o: %s", (job, words) => {
    expect(preparingWords(job)).toBe(words);
  });
});
