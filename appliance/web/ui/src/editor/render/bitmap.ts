import { straighten } from "./pixels";
import { TILE } from "./raster";

let shared: ImageData | null = null;

/** The pixels of a tile as what the page can draw. */
export function bitmapOf(pixels: Uint32Array): Promise<ImageBitmap> {
  shared ??= new ImageData(TILE, TILE);
  straighten(pixels, new Uint32Array(shared.data.buffer));
  return createImageBitmap(shared);
}
