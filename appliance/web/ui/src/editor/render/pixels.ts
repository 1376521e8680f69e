/**
 * Arithmetic on premultiplied RGBA pixels, one 32-bit number each with red lowest, four channels
 * at a time. Shares run from 0 to 256.
 */

/** `0xRRGGBB` as an opaque pixel. */
export const opaque = (rgb: number): number =>
  (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | ((rgb >> 16) & 0xff)) >>> 0;

/** A pixel at a share of its opacity. */
export const faded = (pixel: number, share: number): number =>
  (((Math.imul(pixel & 0xff00ff, share) >>> 8) & 0xff00ff) | (Math.imul((pixel >>> 8) & 0xff00ff, share) & 0xff00ff00)) >>> 0;

/** `top` over `bottom`. */
export const over = (top: number, bottom: number): number => (top + faded(bottom, 256 - (top >>> 24))) >>> 0;

const RECIPROCALS = Float32Array.from({ length: 256 }, (_, alpha) => (alpha === 0 ? 0 : 255 / alpha));

/** Write premultiplied pixels as the straight ones that `ImageData` holds. */
export function straighten(pixels: Uint32Array, to: Uint32Array): void {
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i];
    const alpha = pixel >>> 24;
    if (alpha === 0 || alpha === 255) {
      to[i] = pixel;
      continue;
    }
    const by = RECIPROCALS[alpha];
    const red = Math.min(255, ((pixel & 255) * by + 0.5) | 0);
    const green = Math.min(255, (((pixel >>> 8) & 255) * by + 0.5) | 0);
    const blue = Math.min(255, (((pixel >>> 16) & 255) * by + 0.5) | 0);
    to[i] = (alpha << 24) | (blue << 16) | (green << 8) | red;
  }
}
