import { bounds, type Mask } from "../../geometry";
import { decodeMask } from "../../geometry/mask";

export interface MaskPicture {
  canvas: HTMLCanvasElement;
  /** Where its top-left pixel lies in the image. */
  x: number;
  y: number;
}

const cache = new WeakMap<Mask, { color: string; picture: MaskPicture | null }>();

/** The mask as a picture in one opaque colour, cropped to its bounds; null when nothing is in it. */
export function maskPicture(mask: Mask, color: string): MaskPicture | null {
  const known = cache.get(mask);
  if (known && known.color === color) return known.picture;
  const picture = paint(mask, color);
  cache.set(mask, { color, picture });
  return picture;
}

function paint(mask: Mask, color: string): MaskPicture | null {
  const [x1, y1, x2, y2] = bounds(mask);
  if (x2 <= x1 || y2 <= y1) return null;
  const canvas = document.createElement("canvas");
  canvas.width = x2 - x1;
  canvas.height = y2 - y1;
  const data = new ImageData(canvas.width, canvas.height);
  tint(data.data, decodeMask(mask), mask.size[0], { x: x1, y: y1, width: canvas.width }, color);
  canvas.getContext("2d")?.putImageData(data, 0, 0);
  return { canvas, x: x1, y: y1 };
}

/** Set the colour where the column-major `pixels` are 1, in a crop of rows `to`. */
export function tint(
  to: Uint8ClampedArray,
  pixels: Uint8Array,
  height: number,
  crop: { x: number; y: number; width: number },
  color: string,
): void {
  const value = Number.parseInt(color.slice(1), 16);
  const rgba = [value >> 16, (value >> 8) & 255, value & 255, 255];
  const lines = to.length / 4 / crop.width;
  for (let x = 0; x < crop.width; x++) {
    const column = (x + crop.x) * height + crop.y;
    for (let y = 0; y < lines; y++) {
      if (pixels[column + y] === 1) to.set(rgba, (y * crop.width + x) * 4);
    }
  }
}
