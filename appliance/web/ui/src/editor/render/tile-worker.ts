import { type Delivery, type Order, TileQueue, TileRefused } from "./tile-queue";

/** The part of a worker's scope that is used here; the types of pages know none. */
interface Scope {
  onmessage: ((event: { data: Order }) => void) | null;
  postMessage(delivery: Delivery<ImageBitmap>, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;

/** Fetch and decode off the page's thread; the bitmap is handed over, not copied. */
async function load(url: string, signal: AbortSignal): Promise<ImageBitmap> {
  const response = await fetch(url, { credentials: "same-origin", signal });
  if (!response.ok) throw new TileRefused(response.status);
  return createImageBitmap(await response.blob());
}

const queue = new TileQueue<ImageBitmap>(load, (delivery: Delivery<ImageBitmap>) => {
  scope.postMessage(delivery, "tile" in delivery ? [delivery.tile] : []);
});

scope.onmessage = ({ data }) => queue.take(data);
