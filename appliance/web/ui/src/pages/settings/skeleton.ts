import type { Skeleton } from "../../api/types";

/** The seventeen points of a person and their lines. Source: COCO 2017, person keypoints. */
export const PERSON: Skeleton = {
  points: [
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
  ],
  edges: [
    [15, 13], [13, 11], [16, 14], [14, 12], [11, 12], [5, 11], [6, 12], [5, 6], [5, 7], [6, 8], [7, 9], [8, 10],
    [1, 2], [0, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 6],
  ],
  layout: [
    0.5, 0.09, 0.55, 0.06, 0.45, 0.06, 0.61, 0.08, 0.39, 0.08, 0.68, 0.22, 0.32, 0.22, 0.77, 0.38, 0.23, 0.38, 0.82,
    0.53, 0.18, 0.53, 0.61, 0.54, 0.39, 0.54, 0.63, 0.76, 0.37, 0.76, 0.64, 0.97, 0.36, 0.97,
  ],
};

/** Where a skeleton's points are drawn: its layout, or a circle where it has none. */
export function placesOf({ points, layout }: Skeleton): [number, number][] {
  return points.map((_, i) => {
    if (layout.length === 2 * points.length) return [layout[2 * i], layout[2 * i + 1]];
    const turn = (2 * Math.PI * i) / points.length - Math.PI / 2;
    return [0.5 + 0.4 * Math.cos(turn), 0.5 + 0.4 * Math.sin(turn)];
  });
}

const share = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;

function withPlaces(skeleton: Skeleton, places: readonly (readonly [number, number])[]): Skeleton {
  return { ...skeleton, layout: places.flatMap(([x, y]) => [share(x), share(y)]) };
}

/** Add a point at a place; its name is its number until it gets one. */
export function addPoint(skeleton: Skeleton, x: number, y: number): Skeleton {
  let number = skeleton.points.length + 1;
  while (skeleton.points.includes(String(number))) number++;
  return withPlaces({ ...skeleton, points: [...skeleton.points, String(number)] }, [...placesOf(skeleton), [x, y]]);
}

export function movePoint(skeleton: Skeleton, index: number, x: number, y: number): Skeleton {
  return withPlaces(skeleton, placesOf(skeleton).map((place, i) => (i === index ? [x, y] : place)));
}

export function renamePoint(skeleton: Skeleton, index: number, name: string): Skeleton {
  return { ...skeleton, points: skeleton.points.map((old, i) => (i === index ? name : old)) };
}

/** Take a point away with its lines; null when it was the last one. */
export function removePoint(skeleton: Skeleton, index: number): Skeleton | null {
  if (skeleton.points.length === 1) return null;
  const moved = (i: number): number => (i > index ? i - 1 : i);
  const edges = skeleton.edges.filter((edge) => !edge.includes(index)).map(([a, b]): [number, number] => [moved(a), moved(b)]);
  const places = placesOf(skeleton).filter((_, i) => i !== index);
  return withPlaces({ ...skeleton, points: skeleton.points.filter((_, i) => i !== index), edges }, places);
}

/** Join two points by a line, or take the line between them away. */
export function toggleEdge(skeleton: Skeleton, a: number, b: number): Skeleton {
  if (a === b) return skeleton;
  const same = ([c, d]: readonly [number, number]): boolean => (c === a && d === b) || (c === b && d === a);
  const edges = skeleton.edges.some(same) ? skeleton.edges.filter((edge) => !same(edge)) : [...skeleton.edges, [a, b] as [number, number]];
  return { ...skeleton, edges };
}
