type Place = readonly [number, number];

/** Where two segments cross within both of them; null when they only touch, or run along each other. */
export function crossing(a: Place, b: Place, c: Place, d: Place): Place | null {
  const [rx, ry, sx, sy] = [b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]];
  const cross = rx * sy - ry * sx;
  if (cross === 0) return null;
  const t = ((c[0] - a[0]) * sy - (c[1] - a[1]) * sx) / cross;
  const u = ((c[0] - a[0]) * ry - (c[1] - a[1]) * rx) / cross;
  return t > 0 && t < 1 && u > 0 && u < 1 ? [a[0] + t * rx, a[1] + t * ry] : null;
}

interface Segment {
  a: Place;
  b: Place;
  left: number;
  right: number;
}

/** The first place found where rings cross themselves or each other; null when none do. */
export function firstCrossing(rings: readonly (readonly number[])[]): Place | null {
  const segments = rings.flatMap(segmentsOf).sort((one, other) => one.left - other.left);
  let open: Segment[] = [];
  for (const segment of segments) {
    open = open.filter((other) => other.right >= segment.left);
    for (const other of open) {
      const found = crossing(segment.a, segment.b, other.a, other.b);
      if (found) return found;
    }
    open.push(segment);
  }
  return null;
}

function segmentsOf(ring: readonly number[]): Segment[] {
  const count = ring.length / 2;
  return Array.from({ length: count }, (_, i) => {
    const j = (i + 1) % count;
    const [a, b]: [Place, Place] = [[ring[2 * i]!, ring[2 * i + 1]!], [ring[2 * j]!, ring[2 * j + 1]!]];
    return { a, b, left: Math.min(a[0], b[0]), right: Math.max(a[0], b[0]) };
  });
}
