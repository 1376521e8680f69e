import type { Camera, Point } from "../camera";

/**
 * What a pointer does to the document: a state machine, and the only reader of pointer events.
 *
 * `down` answers whether the tool takes the gesture; when it does not, the picture is panned, and
 * a press without a drag picks. `at` is the place on the screen, the first argument that in the image.
 */
export interface Tool {
  readonly name: string;
  /** True when the overlay follows the pointer. */
  readonly guides: boolean;
  /** The cursor at a place of the screen; null where the tool has no say. */
  cursor(at: Point | null): string | null;
  down(image: Point, event: PointerEvent, at: Point): boolean;
  move(image: Point, event: PointerEvent, at: Point): void;
  up(image: Point, event: PointerEvent, at: Point): void;
  cancel(): void;
  draw?(context: CanvasRenderingContext2D, camera: Camera): void;
}
