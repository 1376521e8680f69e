import type { Box, Variant } from "./types";

export const variant: Variant<Box> = {
  type: "box",

  check({ x1, y1, x2, y2 }, width, height) {
    if (x1 >= 0 && x1 < x2 && x2 <= width && y1 >= 0 && y1 < y2 && y2 <= height) return null;
    const words = `a box needs 0 ≤ x1 < x2 ≤ ${width} and 0 ≤ y1 < y2 ≤ ${height}, got ${x1}, ${y1}, ${x2}, ${y2}`;
    if (![x1, y1, x2, y2].every(Number.isFinite)) return { code: "not-finite", words };
    return { code: x1 >= x2 || y1 >= y2 ? "no-area" : "outside", words };
  },

  bounds: ({ x1, y1, x2, y2 }) => [x1, y1, x2, y2],

  area: ({ x1, y1, x2, y2 }) => (x2 - x1) * (y2 - y1),

  clipped(box, width, height) {
    const x1 = Math.max(box.x1, 0);
    const y1 = Math.max(box.y1, 0);
    const x2 = Math.min(box.x2, width);
    const y2 = Math.min(box.y2, height);
    return x1 < x2 && y1 < y2 ? { type: "box", x1, y1, x2, y2 } : null;
  },

  transformed(box, scaleX, scaleY, dx, dy) {
    const xs = [box.x1 * scaleX + dx, box.x2 * scaleX + dx] as const;
    const ys = [box.y1 * scaleY + dy, box.y2 * scaleY + dy] as const;
    return { type: "box", x1: Math.min(...xs), y1: Math.min(...ys), x2: Math.max(...xs), y2: Math.max(...ys) };
  },

  contains: ({ x1, y1, x2, y2 }, x, y) => x >= x1 && x <= x2 && y >= y1 && y <= y2,
};
