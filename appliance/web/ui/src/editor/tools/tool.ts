import type { Geometry, Label } from "../../api/types";
import type { Camera, Point, Size } from "../camera";
import type { Editor } from "../editor";
import type { EditorSession } from "../session";
import type { Bounds } from "../shape";

/** What a tool may look at and act on. All of it is asked for anew at each event. */
export interface ToolHost {
  readonly session: EditorSession;
  /** Commands on the image that is open; null while none is, or where it may only be looked at. */
  editor(): Editor | null;
  size(): Size;
  labels(): readonly Label[];
  /** The id of the topmost annotation at a place of the image, the smallest of several. */
  pick(image: Point, reachPx: number): string | null;
  /** Ids of the annotations that lie wholly within bounds in the image. */
  within(bounds: Bounds): string[];
  /** Show these geometries in place of the document's; null ends it. */
  preview(changes: ReadonlyMap<string, Geometry> | null): void;
  /** Draw the overlay again before the next frame. */
  invalidate(): void;
}

/**
 * What a pointer does to the document: a state machine, and the only reader of pointer events.
 *
 * `down` answers whether the tool takes the gesture; when it does not, the picture is panned, and
 * a press without a drag picks. `at` is the place on the screen, the first argument that in the image.
 */
export interface Tool {
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
