/** Enough to see that something is wrong. */
const MOST = 8;

/**
 * Where the edges of rings cross each other, as `[x, y, …]`, no more than eight places.
 *
 * Edges in order of their left ends: each is compared with those that begin before it ends.
 */
export function crossings(rings: readonly ArrayLike<number>[]): number[] {
  const edges = rings.flatMap((ring, part) => edgesOf(ring, part)).sort((a, b) => a.left - b.left);
  const found: number[] = [];
  for (let i = 0; i < edges.length; i++) {
    for (let j = i + 1; j < edges.length && edges[j].left <= edges[i].right; j++) {
      const place = crossing(edges[i], edges[j]);
      if (place) found.push(...place);
      if (found.length >= MOST * 2) return found;
    }
  }
  return found;
}

interface Edge {
  x0: number;
  y0: number;
  dx: number;
  dy: number;
  left: number;
  right: number;
  ring: number;
  at: number;
  count: number;
}

function edgesOf(ring: ArrayLike<number>, part: number): Edge[] {
  const count = ring.length / 2;
  return Array.from({ length: count }, (_, at) => {
    const next = ((at + 1) % count) * 2;
    const [x0, y0, x1, y1] = [ring[at * 2], ring[at * 2 + 1], ring[next], ring[next + 1]];
    return { x0, y0, dx: x1 - x0, dy: y1 - y0, left: Math.min(x0, x1), right: Math.max(x0, x1), ring: part, at, count };
  });
}

/** The place inside both edges; neighbours share an end and do not count. */
function crossing(a: Edge, b: Edge): [number, number] | null {
  const apart = Math.abs(a.at - b.at);
  if (a.ring === b.ring && (apart === 1 || apart === a.count - 1)) return null;
  const across = a.dx * b.dy - a.dy * b.dx;
  if (across === 0) return null;
  const [x, y] = [b.x0 - a.x0, b.y0 - a.y0];
  const [t, u] = [(x * b.dy - y * b.dx) / across, (x * a.dy - y * a.dx) / across];
  return t > 0 && t < 1 && u > 0 && u < 1 ? [a.x0 + t * a.dx, a.y0 + t * a.dy] : null;
}
