import { bounds as boundsOf, contains, type Geometry } from "../geometry";
import type { Point } from "./camera";

export interface Bounds {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** A run of points to draw or to hit, flat `[x, y, …]` in pixels of the image. */
export interface Run {
  points: number[];
  closed: boolean;
}

/** The four corners of a rotated box, clockwise from the one that is top left at angle 0. */
export function corners(cx: number, cy: number, width: number, height: number, angle: number): number[] {
  const turn = (angle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const [dx, dy] = [width / 2, height / 2];
  const around: [number, number][] = [
    [-dx, -dy],
    [dx, -dy],
    [dx, dy],
    [-dx, dy],
  ];
  return around.flatMap(([x, y]) => [cx + x * cos - y * sin, cy + x * sin + y * cos]);
}

/** The outlines of a geometry. A mask gives the edges of its picture, a tag nothing. */
export function runs(geometry: Geometry, edges: readonly (readonly [number, number])[] = []): Run[] {
  switch (geometry.type) {
    case "box": {
      const { x1, y1, x2, y2 } = geometry;
      return [{ points: [x1, y1, x2, y1, x2, y2, x1, y2], closed: true }];
    }
    case "rotated_box":
      return [
        { points: corners(geometry.cx, geometry.cy, geometry.width, geometry.height, geometry.angle), closed: true },
      ];
    case "polygon":
      return geometry.parts.flat().map((points) => ({ points, closed: true }));
    case "polyline":
      return [{ points: geometry.points, closed: false }];
    case "keypoints":
      return edges
        .filter(([a, b]) => seen(geometry.points, a) && seen(geometry.points, b))
        .map(([a, b]) => ({ points: [...place(geometry.points, a), ...place(geometry.points, b)], closed: false }));
    case "mask":
    case "tag":
      return [];
  }
}

const seen = (triples: number[], index: number): boolean => (triples[index * 3 + 2] ?? 0) > 0;
const place = (triples: number[], index: number): [number, number] => [triples[index * 3], triples[index * 3 + 1]];

/** The keypoints that are there, with whether each can be seen. */
export function dots(geometry: Geometry): { x: number; y: number; hidden: boolean }[] {
  if (geometry.type !== "keypoints") return [];
  const found = [];
  for (let i = 0; i + 2 < geometry.points.length; i += 3) {
    const [x, y, visibility] = geometry.points.slice(i, i + 3);
    if (visibility > 0) found.push({ x, y, hidden: visibility === 1 });
  }
  return found;
}

/** The smallest upright box around a geometry; null for what has no place: a tag, no visible point. */
export function bounds(geometry: Geometry): Bounds | null {
  if (geometry.type === "tag" || (geometry.type === "keypoints" && dots(geometry).length === 0)) return null;
  const [x1, y1, x2, y2] = boundsOf(geometry);
  return { x1, y1, x2, y2 };
}

function distance(x1: number, y1: number, x2: number, y2: number, at: Point): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((at.x - x1) * dx + (at.y - y1) * dy) / length));
  return Math.hypot(at.x - x1 - t * dx, at.y - y1 - t * dy);
}

function nearEdge(all: Run[], at: Point, reach: number): boolean {
  return all.some(({ points, closed }) => {
    const from = closed ? 0 : 2;
    for (let i = from; i < points.length; i += 2) {
      const j = (i + points.length - 2) % points.length;
      if (distance(points[j], points[j + 1], points[i], points[i + 1], at) <= reach) return true;
    }
    return false;
  });
}

/** True when `at` lies in the geometry or within `reach` pixels of its outline. */
export function hits(geometry: Geometry, at: Point, reach: number): boolean {
  if (geometry.type === "tag") return false;
  if (dots(geometry).some((dot) => Math.hypot(dot.x - at.x, dot.y - at.y) <= reach * 2)) return true;
  return contains(geometry, at.x, at.y) || nearEdge(runs(geometry), at, reach);
}

/** Area of the bounds, to tell which of several shapes is the smallest. */
export function extent(geometry: Geometry): number {
  const box = bounds(geometry);
  return box ? (box.x2 - box.x1) * (box.y2 - box.y1) : Infinity;
}

/** How many points a geometry has, in the words of the object list: "49 pt", "70 × 133", "tag". */
export function measure(geometry: Geometry): string {
  switch (geometry.type) {
    case "box":
      return `${Math.round(geometry.x2 - geometry.x1)} × ${Math.round(geometry.y2 - geometry.y1)}`;
    case "rotated_box":
      return `${Math.round(geometry.width)} × ${Math.round(geometry.height)}`;
    case "polygon":
      return `${geometry.parts.flat().reduce((sum, ring) => sum + ring.length / 2, 0)} pt`;
    case "polyline":
      return `${geometry.points.length / 2} pt`;
    case "keypoints":
      return `${dots(geometry).length} pt`;
    case "mask":
      return "mask";
    case "tag":
      return "tag";
  }
}
