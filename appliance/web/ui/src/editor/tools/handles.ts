import type { Geometry } from "../../api/types";
import { type Camera, type Point, toScreen } from "../camera";

type Edge = -1 | 0 | 1;

/** What can be taken hold of: an edge or corner of a box, its turning knob, a point, the middle between two. */
export type Grip =
  | { readonly kind: "edge"; readonly edge: readonly [Edge, Edge] }
  | { readonly kind: "turn" }
  | { readonly kind: "point"; readonly index: number }
  | { readonly kind: "middle"; readonly index: number };

/** A grip with its place in the image. */
export interface Handle {
  readonly grip: Grip;
  readonly place: Point;
  /** For a keypoint: there, though something covers it. */
  readonly covered?: boolean;
}

const EDGES: readonly (readonly [Edge, Edge])[] = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]];
/** How far above a rotated box its knob stands, on the screen. */
export const KNOB_PX = 26;
/** Sides shorter than this on the screen have no handle in the middle. */
const MIDDLE_FROM_PX = 28;
const SIDE_FROM_PX = 22;

/** The turning of a rotated box: its axes as unit vectors. */
export function axes(angle: number): { u: Point; v: Point } {
  const turn = (angle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return { u: { x: cos, y: sin }, v: { x: -sin, y: cos } };
}

/** The points of a path or keypoints, all rings after one another. */
export function pointsOf(geometry: Geometry): Point[] {
  if (geometry.type === "polygon") return geometry.parts.flat().flatMap(pairs);
  if (geometry.type === "polyline") return pairs(geometry.points);
  if (geometry.type === "keypoints") return pairs(geometry.points.filter((_, i) => i % 3 !== 2));
  return [];
}

export function pairs(flat: readonly number[]): Point[] {
  const all: Point[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) all.push({ x: flat[i]!, y: flat[i + 1]! });
  return all;
}

/** The handles of a geometry at a scale of the view. Middles come last: points lie above them. */
export function handlesOf(geometry: Geometry, scale: number): Handle[] {
  switch (geometry.type) {
    case "box": {
      const { x1, y1, x2, y2 } = geometry;
      return sides(x2 - x1, y2 - y1, scale).map((edge) => ({
        grip: { kind: "edge", edge },
        place: { x: edge[0] < 0 ? x1 : edge[0] > 0 ? x2 : (x1 + x2) / 2, y: edge[1] < 0 ? y1 : edge[1] > 0 ? y2 : (y1 + y2) / 2 },
      }));
    }
    case "rotated_box":
      return turnable(geometry, scale);
    case "polygon":
      return [...vertices(pointsOf(geometry)), ...middles(geometry.parts.flat(), true, scale)];
    case "polyline":
      return [...vertices(pointsOf(geometry)), ...middles([geometry.points], false, scale)];
    case "keypoints":
      return pointsOf(geometry).flatMap((place, index): Handle[] => {
        const visibility = geometry.points[index * 3 + 2];
        return visibility ? [{ grip: { kind: "point", index }, place, covered: visibility === 1 }] : [];
      });
    case "mask":
    case "tag":
      return [];
  }
}

function sides(width: number, height: number, scale: number): (readonly [Edge, Edge])[] {
  return EDGES.filter(([h, v]) => (h !== 0 || width * scale >= SIDE_FROM_PX) && (v !== 0 || height * scale >= SIDE_FROM_PX));
}

function turnable({ cx, cy, width, height, angle }: Extract<Geometry, { type: "rotated_box" }>, scale: number): Handle[] {
  const { u, v } = axes(angle);
  const at = (a: number, b: number): Point => ({ x: cx + u.x * a + v.x * b, y: cy + u.y * a + v.y * b });
  const edges = sides(width, height, scale).map(
    (edge): Handle => ({ grip: { kind: "edge", edge }, place: at((edge[0] * width) / 2, (edge[1] * height) / 2) }),
  );
  return [{ grip: { kind: "turn" }, place: at(0, -height / 2 - KNOB_PX / scale) }, ...edges];
}

function vertices(points: readonly Point[]): Handle[] {
  return points.map((place, index) => ({ grip: { kind: "point", index }, place }));
}

/** Between each two points that lie far enough apart; `index` is that of the first. */
function middles(rings: readonly (readonly number[])[], closed: boolean, scale: number): Handle[] {
  const found: Handle[] = [];
  let offset = 0;
  for (const ring of rings) {
    const points = pairs(ring);
    for (let i = 0; i < points.length - (closed ? 0 : 1); i++) {
      const [a, b] = [points[i]!, points[(i + 1) % points.length]!];
      if (Math.hypot(b.x - a.x, b.y - a.y) * scale < MIDDLE_FROM_PX) continue;
      found.push({ grip: { kind: "middle", index: offset + i }, place: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } });
    }
    offset += points.length;
  }
  return found;
}

/** The handle nearest to a place of the screen, within reach; a middle only where no point is. */
export function nearest(handles: readonly Handle[], camera: Camera, at: Point, reach: number): Handle | null {
  let [best, distance]: [Handle | null, number] = [null, reach];
  for (const handle of handles) {
    const { x, y } = toScreen(camera, handle.place);
    const far = Math.hypot(x - at.x, y - at.y) + (handle.grip.kind === "middle" ? 2 : 0);
    if (far <= distance) [best, distance] = [handle, far];
  }
  return best;
}

const DIRECTIONS = ["ew-resize", "nwse-resize", "ns-resize", "nesw-resize"];

/** The cursor over a grip; that of an edge turns with its box. */
export function cursorOf(grip: Grip, geometry: Geometry): string {
  if (grip.kind === "turn") return "grab";
  if (grip.kind === "middle") return "copy";
  if (grip.kind === "point") return "crosshair";
  const turned = geometry.type === "rotated_box" ? geometry.angle : 0;
  const angle = (Math.atan2(grip.edge[1], grip.edge[0]) * 180) / Math.PI + turned;
  return DIRECTIONS[((Math.round(angle / 45) % 4) + 4) % 4]!;
}
