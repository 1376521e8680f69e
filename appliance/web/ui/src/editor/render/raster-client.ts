import { bitmapOf } from "./bitmap";
import { Glyphs } from "./glyphs";
import { type Ask, Rasterizer, type Tell } from "./rasterizer";

const SLICE_MS = 5;

type Listener = (tell: Tell) => void;
type AskOne = (ask: Ask, transfer: Transferable[]) => void;

let asks: AskOne | null = null;
let surfaces = 0;
const listeners = new Map<number, Listener>();

function hear(tell: Tell): void {
  const listener = listeners.get(tell.surface);
  if (listener) listener(tell);
  else if (tell.kind === "tile") tell.bitmap?.close();
}

/** Where there are no workers that draw, the same code runs beside the page, in slices. */
function beside(): AskOne {
  const context = (width: number, height: number): CanvasRenderingContext2D | null => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    return canvas.getContext("2d", { willReadFrequently: true });
  };
  const rasterizer = new Rasterizer({
    glyphs: new Glyphs(context),
    bitmapOf,
    sliceMs: SLICE_MS,
    rest: () => new Promise((done) => setTimeout(done)),
    tell: hear,
  });
  return (ask) => rasterizer.ask(ask);
}

function inWorker(begun: Worker | null): AskOne {
  const worker = begun ?? new Worker(new URL("./raster-worker.ts", import.meta.url), { type: "module", name: "raster" });
  worker.onmessage = (event: MessageEvent<Tell>) => hear(event.data);
  return (ask, transfer) => worker.postMessage(ask, { transfer });
}

/** Have the worker begin before the first canvas needs it, or take one that has begun. */
export function startRaster(begun: Worker | null = null): void {
  if (asks) begun?.terminate();
  else asks = typeof Worker === "undefined" || typeof OffscreenCanvas === "undefined" ? beside() : inWorker(begun);
}

/** One surface of the rasterizer that all canvases of the console share, for as long as it is open. */
export class RasterClient {
  readonly surface = ++surfaces;

  constructor(listener: Listener) {
    startRaster();
    listeners.set(this.surface, listener);
  }

  ask(ask: Ask, transfer: Transferable[] = []): void {
    asks?.(ask, transfer);
  }

  destroy(): void {
    listeners.delete(this.surface);
    this.ask({ kind: "close", surface: this.surface });
  }
}
