import type { Geometry, Mask, Polygon } from "../geometry";
import { filled } from "../geometry/fill";
import { outline } from "../geometry/outline";
import { enclosesArea, ringArea } from "../geometry/rings";
import { simplified } from "../geometry/simplify";
import type { Size } from "./camera";
import { runs } from "./shape";

/** How far, in pixels, the outline of a mask may move to have vertices that one can work with. */
const TOLERANCE = 1;

/** What has an area as a polygon; null for the rest. */
export function asPolygon(geometry: Geometry): Polygon | null {
  if (geometry.type === "polygon") return geometry;
  if (geometry.type === "mask") return outline(geometry, TOLERANCE);
  const closed = runs(geometry).filter((run) => run.closed);
  return closed.length > 0 ? { type: "polygon", parts: closed.map(({ points }) => [points]) } : null;
}

/** The outline of a mask without details smaller than `tolerance`; the largest part stays. */
export function outlined(mask: Mask, tolerance: number): Polygon | null {
  const polygon = outline(mask, tolerance);
  if (!polygon || tolerance === 0) return polygon;
  const least = (2 * tolerance) ** 2;
  const size = (ring: readonly number[]): number => Math.abs(ringArea(ring));
  const largest = Math.max(...polygon.parts.map(([ring]) => size(ring!)));
  const parts = polygon.parts
    .filter(([ring]) => size(ring!) >= Math.min(least, largest))
    .map(([ring, ...holes]) => [ring!, ...holes.filter((hole) => size(hole) >= least)]);
  return { type: "polygon", parts };
}

/** What has an area as a mask of the image; null for the rest, and where no pixel's centre is inside. */
export function asMask(geometry: Geometry, { width, height }: Size): Mask | null {
  if (geometry.type === "mask") return geometry;
  const polygon = asPolygon(geometry);
  return polygon && filled(polygon, width, height);
}

/** A path with fewer points; a ring that would lose its area stays. */
export function thinned(geometry: Geometry, tolerance: number): Geometry {
  if (geometry.type === "polyline") return { type: "polyline", points: simplified(geometry.points, tolerance, false) };
  if (geometry.type !== "polygon") return geometry;
  const thin = (ring: number[]): number[] => {
    const fewer = simplified(ring, tolerance, true);
    return enclosesArea(fewer) ? fewer : ring;
  };
  return { type: "polygon", parts: geometry.parts.map((part) => part.map(thin)) };
}
