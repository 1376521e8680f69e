import { boundsOf, checkInside } from "./rings";
import type { Fault, Keypoints, Variant } from "./types";

export const MAX_POINTS = 10_000;

type Triple = [number, number, number];

export function triples({ points }: Keypoints): Triple[] {
  const found: Triple[] = [];
  for (let i = 0; i + 2 < points.length; i += 3) found.push([points[i]!, points[i + 1]!, points[i + 2]!]);
  return found;
}

function checkCoordinates(shape: Keypoints, width: number, height: number): Fault | null {
  for (const [index, [x, y, visibility]] of triples(shape).entries()) {
    if (visibility !== 0) {
      const outside = checkInside([x, y], width, height, `keypoint ${index + 1}`);
      if (outside !== null) return outside;
    } else if (!Number.isFinite(x) || !Number.isFinite(y)) {
      return { code: "not-finite", words: `keypoint ${index + 1}: (${x}, ${y}) is not finite` };
    }
  }
  return null;
}

export const variant: Variant<Keypoints> = {
  type: "keypoints",

  check(shape, width, height) {
    const { points } = shape;
    if (points.length === 0 || points.length % 3 !== 0) {
      return { code: "malformed", words: `keypoints are triples x, y, visibility; got ${points.length} numbers` };
    }
    if (points.length > 3 * MAX_POINTS) return { code: "too-many-points", words: `at most ${MAX_POINTS} keypoints are allowed` };
    const all = triples(shape);
    const unknown = all.findIndex(([, , visibility]) => ![0, 1, 2].includes(visibility));
    if (unknown >= 0) return { code: "malformed", words: `keypoint ${unknown + 1} has visibility ${all[unknown]![2]}; it is 0, 1 or 2` };
    const problem = checkCoordinates(shape, width, height);
    if (problem !== null) return problem;
    const present = all.some(([, , visibility]) => visibility !== 0);
    return present ? null : { code: "no-area", words: "all keypoints are absent: at least one must be present" };
  },

  bounds(shape) {
    const present = triples(shape).filter(([, , visibility]) => visibility !== 0);
    return present.length > 0 ? boundsOf(present.flatMap(([x, y]) => [x, y])) : [0, 0, 0, 0];
  },

  area: () => 0,

  /** Points outside the image become absent. */
  clipped(shape, width, height) {
    const kept = triples(shape).map(([x, y, v]): Triple =>
      v !== 0 && x >= 0 && x <= width && y >= 0 && y <= height ? [x, y, v] : [0, 0, 0],
    );
    return kept.some(([, , v]) => v !== 0) ? { type: "keypoints", points: kept.flat() } : null;
  },

  transformed: (shape, scaleX, scaleY, dx, dy) => ({
    type: "keypoints",
    points: triples(shape).flatMap(([x, y, v]) => (v !== 0 ? [x * scaleX + dx, y * scaleY + dy, v] : [x, y, v])),
  }),

  contains: () => false,
};
