import type { Geometry } from "../../api/types";
import type { Box, Keypoints, RotatedBox } from "../../geometry";
import { normalizedAngle } from "../../geometry/rotated_box";
import { clamped, type Point, type Size } from "../camera";
import { axes, type Grip, pairs, pointsOf } from "./handles";

const SNAP_DEGREES = 15;
const LEAST = 1;

/** Drag a handle of a box to a point; edges may cross, the box stays inside the image. */
export function resized(box: Box, [h, v]: readonly [number, number], to: Point, size: Size): Box {
  const { x, y } = clamped(to, size);
  const xs = [h === -1 ? x : box.x1, h === 1 ? x : box.x2].sort((a, b) => a - b) as [number, number];
  const ys = [v === -1 ? y : box.y1, v === 1 ? y : box.y2].sort((a, b) => a - b) as [number, number];
  const [x1, x2] = apart(xs, size.width);
  const [y1, y2] = apart(ys, size.height);
  return { type: "box", x1, y1, x2, y2 };
}

/** Never without extent: at the far border it grows backwards. */
function apart([from, to]: [number, number], most: number): [number, number] {
  if (to - from >= LEAST) return [from, to];
  return from + LEAST <= most ? [from, from + LEAST] : [most - LEAST, most];
}

/** Drag an edge or corner of a rotated box along its own axes; the opposite one stays. */
function stretched(box: RotatedBox, [h, v]: readonly [number, number], to: Point, size: Size): RotatedBox {
  const { u, v: w } = axes(box.angle);
  const [dx, dy] = [to.x - box.cx, to.y - box.cy];
  const [a, b] = [dx * u.x + dy * u.y, dx * w.x + dy * w.y];
  const width = h === 0 ? box.width : Math.max(LEAST, h * a + box.width / 2);
  const height = v === 0 ? box.height : Math.max(LEAST, v * b + box.height / 2);
  const [sx, sy] = [(h * (width - box.width)) / 2, (v * (height - box.height)) / 2];
  const centre = clamped({ x: box.cx + u.x * sx + w.x * sy, y: box.cy + u.y * sx + w.y * sy }, size);
  return { ...box, cx: centre.x, cy: centre.y, width, height };
}

/** Turn a box so that its upper side looks to a point; `snap` stops at every 15 degrees. */
function turned(box: RotatedBox, to: Point, snap: boolean): RotatedBox {
  const angle = (Math.atan2(to.y - box.cy, to.x - box.cx) * 180) / Math.PI + 90;
  return { ...box, angle: normalizedAngle(snap ? Math.round(angle / SNAP_DEGREES) * SNAP_DEGREES : angle) };
}

/** The geometry after its grip was dragged to a point of the image. A middle becomes a new vertex. */
export function dragged(geometry: Geometry, grip: Grip, to: Point, size: Size, snap: boolean): Geometry {
  if (grip.kind === "turn") return geometry.type === "rotated_box" ? turned(geometry, to, snap) : geometry;
  if (grip.kind === "edge") {
    if (geometry.type === "rotated_box") return stretched(geometry, grip.edge, to, size);
    return geometry.type === "box" ? resized(geometry, grip.edge, to, size) : geometry;
  }
  if (grip.kind === "middle") return inserted(geometry, grip.index, clamped(to, size));
  return placed(geometry, new Map([[grip.index, clamped(to, size)]]));
}

/** Move several points by one distance, which ends where the first of them meets a border. */
export function pointsMoved(geometry: Geometry, indexes: ReadonlySet<number>, dx: number, dy: number, size: Size): Geometry {
  const all = pointsOf(geometry).map((place, index) => [index, place] as const).filter(([index]) => indexes.has(index));
  const [xs, ys] = [all.map(([, { x }]) => x), all.map(([, { y }]) => y)];
  const x = Math.max(-Math.min(...xs), Math.min(size.width - Math.max(...xs), dx));
  const y = Math.max(-Math.min(...ys), Math.min(size.height - Math.max(...ys), dy));
  return placed(geometry, new Map(all.map(([index, place]) => [index, { x: place.x + x, y: place.y + y }])));
}

type Rewrite = (points: Point[], offset: number) => Point[];

/** Rewrite the points ring by ring; a ring that is left with too few goes, and a part with its outer ring. */
function rewritten(geometry: Geometry, how: Rewrite): Geometry | null {
  if (geometry.type === "polyline") {
    const points = how(pairs(geometry.points), 0);
    return points.length < 2 ? null : { type: "polyline", points: flat(points) };
  }
  if (geometry.type !== "polygon") return geometry;
  let offset = 0;
  const parts = geometry.parts.map((part) =>
    part.map((ring) => {
      const points = how(pairs(ring), offset);
      offset += ring.length / 2;
      return flat(points);
    }),
  );
  const kept = parts.filter(([outer]) => (outer?.length ?? 0) >= 6).map((part) => part.filter((ring) => ring.length >= 6));
  return kept.length > 0 ? { type: "polygon", parts: kept } : null;
}

export const flat = (points: readonly Point[]): number[] => points.flatMap(({ x, y }) => [x, y]);

/** Put points at new places. */
function placed(geometry: Geometry, places: ReadonlyMap<number, Point>): Geometry {
  if (geometry.type === "keypoints") {
    const points = [...geometry.points];
    for (const [index, { x, y }] of places) [points[index * 3], points[index * 3 + 1]] = [x, y];
    return { type: "keypoints", points };
  }
  return rewritten(geometry, (points, offset) => points.map((point, i) => places.get(offset + i) ?? point)) ?? geometry;
}

/** Add a vertex after the one at `index`. */
function inserted(geometry: Geometry, index: number, at: Point): Geometry {
  const how: Rewrite = (points, offset) => (index >= offset && index < offset + points.length ? points.toSpliced(index - offset + 1, 0, at) : points);
  return rewritten(geometry, how) ?? geometry;
}

/** Take points away; null when nothing is left to be a shape. A keypoint becomes absent. */
export function without(geometry: Geometry, indexes: ReadonlySet<number>): Geometry | null {
  if (geometry.type === "keypoints") return seenAs(geometry, indexes, 0);
  return rewritten(geometry, (points, offset) => points.filter((_, i) => !indexes.has(offset + i)));
}

/** Set how keypoints are seen: 0 absent, 1 hidden, 2 visible; null when none would be there. */
export function seenAs(geometry: Keypoints, indexes: ReadonlySet<number>, visibility: 0 | 1 | 2): Keypoints | null {
  const points = geometry.points.map((value, i) => (i % 3 === 2 && indexes.has((i - 2) / 3) ? visibility : value));
  return points.some((value, i) => i % 3 === 2 && value > 0) ? { type: "keypoints", points } : null;
}
