import { boundsOf, clipRing, enclosesArea } from "./rings";
import type { RotatedBox, Variant } from "./types";

const RADIANS = Math.PI / 180;

/** Bring degrees into -180 ≤ angle < 180. */
export function normalizedAngle(angle: number): number {
  const turned = ((((angle + 180) % 360) + 360) % 360) - 180;
  return turned < 180 ? turned : -180;
}

/** The flat ring of the four corners, clockwise from the box's own top left. */
export function corners({ cx, cy, width, height, angle }: RotatedBox): number[] {
  const c = Math.cos(angle * RADIANS);
  const s = Math.sin(angle * RADIANS);
  const [ux, uy] = [(c * width) / 2, (s * width) / 2];
  const [vx, vy] = [(-s * height) / 2, (c * height) / 2];
  return [
    cx - ux - vx, cy - uy - vy, cx + ux - vx, cy + uy - vy,
    cx + ux + vx, cy + uy + vy, cx - ux + vx, cy - uy + vy,
  ];
}

export const variant: Variant<RotatedBox> = {
  type: "rotated_box",

  check({ cx, cy, width: w, height: h, angle }, width, height) {
    if (!(cx >= 0 && cx <= width && cy >= 0 && cy <= height)) {
      const words = `the centre of a rotated box must be finite and inside ${width} × ${height}, got ${cx}, ${cy}`;
      return { code: Number.isFinite(cx) && Number.isFinite(cy) ? "outside" : "not-finite", words };
    }
    if (!(w > 0 && w < Infinity && h > 0 && h < Infinity)) {
      return { code: w <= 0 || h <= 0 ? "no-area" : "not-finite", words: `a rotated box needs a finite width and height above 0, got ${w}, ${h}` };
    }
    if (angle >= -180 && angle < 180) return null;
    return { code: Number.isFinite(angle) ? "malformed" : "not-finite", words: `the angle of a rotated box is -180 ≤ angle < 180 degrees, got ${angle}` };
  },

  bounds: (box) => boundsOf(corners(box)),

  area: ({ width, height }) => width * height,

  /** The box itself while its centre is inside, else the one of this angle around what is. */
  clipped(box, width, height) {
    if (box.cx >= 0 && box.cx <= width && box.cy >= 0 && box.cy <= height) return box;
    const ring = clipRing(corners(box), width, height);
    if (!enclosesArea(ring)) return null;
    const c = Math.cos(box.angle * RADIANS);
    const s = Math.sin(box.angle * RADIANS);
    const own = ring.map((value, i) => (i % 2 === 0 ? value * c + ring[i + 1]! * s : value * c - ring[i - 1]! * s));
    const [u1, v1, u2, v2] = boundsOf(own);
    const [u, v] = [(u1 + u2) / 2, (v1 + v2) / 2];
    return {
      type: "rotated_box",
      cx: Math.min(Math.max(u * c - v * s, 0), width),
      cy: Math.min(Math.max(u * s + v * c, 0), height),
      width: u2 - u1,
      height: v2 - v1,
      angle: box.angle,
    };
  },

  /** Exact for mirrors and equal scales; unequal ones follow the width side and keep the sheared area. */
  transformed(box, scaleX, scaleY, dx, dy) {
    const c = Math.cos(box.angle * RADIANS);
    const s = Math.sin(box.angle * RADIANS);
    const stretch = Math.hypot(c * scaleX, s * scaleY);
    return {
      type: "rotated_box",
      cx: box.cx * scaleX + dx,
      cy: box.cy * scaleY + dy,
      width: box.width * stretch,
      height: (box.height * Math.abs(scaleX * scaleY)) / stretch,
      angle: normalizedAngle(Math.atan2(s * scaleY, c * scaleX) / RADIANS),
    };
  },

  contains({ cx, cy, width, height, angle }, x, y) {
    const c = Math.cos(angle * RADIANS);
    const s = Math.sin(angle * RADIANS);
    const [dx, dy] = [x - cx, y - cy];
    return Math.abs(dx * c + dy * s) <= width / 2 && Math.abs(dy * c - dx * s) <= height / 2;
  },
};
