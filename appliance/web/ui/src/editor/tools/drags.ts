import type { Annotation, Geometry } from "../../api/types";
import type { Point, Size } from "../camera";
import { movedTogether } from "../moved";
import { measure } from "../shape";
import { type Handle, pointsOf } from "./handles";
import { dragged, pointsMoved } from "./reshape";

/** What a drag makes of the shapes it has hold of, at each place of the pointer. */
export interface Drag {
  readonly ids: ReadonlySet<string>;
  /** True where one vertex moves, which may be caught by another shape. */
  readonly snaps: boolean;
  at(image: Point, shift: boolean): ReadonlyMap<string, Geometry>;
  /** What is being done, for the status line. */
  words(changes: ReadonlyMap<string, Geometry>): string;
}

/** Move shapes together. */
export function shapesDrag(all: readonly Annotation[], from: Point, size: Size): Drag {
  const before = all.map((one) => one.geometry);
  return {
    ids: new Set(all.map((one) => one.id)),
    snaps: false,
    at: (to) => {
      const places = movedTogether(before, to.x - from.x, to.y - from.y, size);
      return new Map(all.map((one, i) => [one.id, places[i]!]));
    },
    words: (changes) => (changes.size > 1 ? `${changes.size} shapes` : measured(changes)),
  };
}

/** Drag one handle; it keeps its distance to the pointer that took it, save where a shape catches it. */
export function gripDrag({ id, geometry }: Annotation, { grip, place }: Handle, from: Point, size: Size): Drag {
  const points = pointsOf(geometry).length;
  const vertex = grip.kind === "point" || grip.kind === "middle";
  return {
    ids: new Set([id]),
    snaps: vertex,
    at: (to, shift) => new Map([[id, dragged(geometry, grip, { x: place.x + to.x - from.x, y: place.y + to.y - from.y }, size, shift)]]),
    words: (changes) => {
      if (grip.kind === "turn") return turn(changes.get(id));
      if (!vertex) return measured(changes);
      return grip.kind === "point" ? `vertex ${grip.index + 1} of ${points}` : `vertex ${grip.index + 2} of ${points + 1}`;
    },
  };
}

/** Move some vertices of one shape. */
export function pointsDrag({ id, geometry }: Annotation, indexes: ReadonlySet<number>, from: Point, size: Size): Drag {
  return {
    ids: new Set([id]),
    snaps: false,
    at: (to) => new Map([[id, pointsMoved(geometry, indexes, to.x - from.x, to.y - from.y, size)]]),
    words: () => `${indexes.size} of ${pointsOf(geometry).length} vertices`,
  };
}

function measured(changes: ReadonlyMap<string, Geometry>): string {
  const [geometry] = changes.values();
  if (!geometry) return "";
  const text = measure(geometry);
  return text.includes("×") ? `${text} px` : text;
}

const turn = (geometry: Geometry | undefined): string => (geometry?.type === "rotated_box" ? `${Math.round(geometry.angle)}°` : "");
