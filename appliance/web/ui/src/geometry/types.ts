/**
 * Shapes on an image, as the API speaks them. Canonical frame: pixels of the upright image,
 * origin at the top-left corner of the top-left pixel, x to the right, y down.
 */

/** Edges, `x1 < x2`, `y1 < y2`. */
export interface Box {
  type: "box";
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** `angle` in degrees, clockwise on the screen, -180 ≤ angle < 180; `width` along +x at 0. */
export interface RotatedBox {
  type: "rotated_box";
  cx: number;
  cy: number;
  width: number;
  height: number;
  angle: number;
}

/** `parts[p][0]` is the outer ring of part p, the others its holes; a ring is `[x1, y1, …]`. */
export interface Polygon {
  type: "polygon";
  parts: number[][][];
}

export interface Polyline {
  type: "polyline";
  points: number[];
}

/** Triples `x, y, visibility`: 0 absent, 1 hidden, 2 visible. */
export interface Keypoints {
  type: "keypoints";
  points: number[];
}

/** `size` is `[height, width]` of the image, `counts` COCO's compressed run lengths. */
export interface Mask {
  type: "mask";
  size: [number, number];
  counts: string;
}

/** The whole image. */
export interface Tag {
  type: "tag";
}

export type Geometry = Box | RotatedBox | Polygon | Polyline | Keypoints | Mask | Tag;

/** `[x1, y1, x2, y2]`. */
export type Bounds = [number, number, number, number];

/** What is wrong with a shape: the server's words for it, in `appliance/geometry/validity.py`. */
export interface Fault {
  code: "malformed" | "too-few-points" | "too-many-points" | "not-finite" | "outside" | "no-area" | "self-crossing";
  words: string;
}

/** What each variant knows; one file each, exporting it as `variant`. */
export interface Variant<G extends Geometry> {
  readonly type: G["type"];
  /** Say what is wrong with the shape on an image of this size, or null. */
  check(shape: G, width: number, height: number): Fault | null;
  bounds(shape: G): Bounds;
  area(shape: G): number;
  /** The part inside the image, or null when nothing is left. */
  clipped(shape: G, width: number, height: number): G | null;
  /** `x * scaleX + dx`, `y * scaleY + dy`. */
  transformed(shape: G, scaleX: number, scaleY: number, dx: number, dy: number): G;
  /** Whether the point is inside; false for what has no area. */
  contains(shape: G, x: number, y: number): boolean;
}
