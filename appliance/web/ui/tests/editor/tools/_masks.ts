import type { Size } from "../../../src/editor/camera";
import type { Mask } from "../../../src/geometry";
import { encodeMask } from "../../../src/geometry/mask";

/** A mask that is a square with its top-left pixel at (x, y). */
export function square({ width, height }: Size, x: number, y: number, side: number): Mask {
  const pixels = new Uint8Array(width * height);
  for (let column = x; column < x + side; column++) pixels.fill(1, column * height + y, column * height + y + side);
  return encodeMask(pixels, height, width);
}
