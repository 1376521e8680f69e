import type { Annotation, Geometry } from "../../api/types";
import { type Camera, type Point, toScreen } from "../camera";
import { type Bounds, bounds, runs } from "../shape";
import { pairs } from "./handles";
import { ACCENT, ring } from "./paint";
import type { ToolHost } from "./tool";

export const SNAP_PX = 12;

/** A place of another shape that catches the pointer. */
export interface Snap {
  readonly place: Point;
  /** A vertex, not somewhere along an edge. */
  readonly vertex: boolean;
}

const known = new WeakMap<Geometry, Bounds>();
const NOWHERE = { x1: Infinity, y1: Infinity, x2: -Infinity, y2: -Infinity };

function boundsOf(geometry: Geometry): Bounds {
  const held = known.get(geometry) ?? bounds(geometry) ?? NOWHERE;
  known.set(geometry, held);
  return held;
}

/** The nearest vertex of other shapes within reach, else the nearest place on one of their edges. */
export function snapTo(all: readonly Annotation[], at: Point, reach: number, except: ReadonlySet<string>): Snap | null {
  let [vertex, edge]: [Point | null, Point | null] = [null, null];
  let [toVertex, toEdge] = [reach, reach];
  for (const { id, geometry } of all) {
    const box = boundsOf(geometry);
    if (at.x < box.x1 - reach || at.x > box.x2 + reach || at.y < box.y1 - reach || at.y > box.y2 + reach || except.has(id)) continue;
    for (const { points, closed } of runs(geometry)) {
      const places = pairs(points);
      places.forEach((place, i) => {
        const far = Math.hypot(place.x - at.x, place.y - at.y);
        if (far <= toVertex) [vertex, toVertex] = [place, far];
        if (i === 0 && !closed) return;
        const on = onSegment(places[(i + places.length - 1) % places.length]!, place, at);
        const off = Math.hypot(on.x - at.x, on.y - at.y);
        if (off <= toEdge) [edge, toEdge] = [on, off];
      });
    }
  }
  if (vertex) return { place: vertex, vertex: true };
  return edge && { place: edge, vertex: false };
}

function onSegment(a: Point, b: Point, at: Point): Point {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((at.x - a.x) * dx + (at.y - a.y) * dy) / length));
  return { x: a.x + t * dx, y: a.y + t * dy };
}

/** Where a press with the snapping key held is caught by the shapes that are shown. */
export function snapped(host: ToolHost, at: Point, except: ReadonlySet<string> = new Set()): Snap | null {
  const { camera, hidden, hiddenAll } = host.session;
  if (hiddenAll.value) return null;
  return snapTo(host.editor()?.document.all ?? [], at, SNAP_PX / camera.value.scale, new Set([...except, ...hidden.value]));
}

/** A ring on a vertex, a smaller one on an edge. */
export function drawSnap(context: CanvasRenderingContext2D, camera: Camera, snap: Snap): void {
  ring(context, toScreen(camera, snap.place), snap.vertex ? 8 : 5, ACCENT);
}
