import type { Geometry, Label, Segmentation, SegmentPrompt } from "../../api/types";
import type { Camera, Point, Size } from "../camera";
import type { Editor } from "../editor";
import type { Brush } from "../render/brush";
import type { EditorSession } from "../session";
import type { Bounds } from "../shape";

/** One moment of a pointer, as tools read it. */
export interface Press {
  /** In pixels of the image. */
  readonly image: Point;
  /** On the screen, in CSS pixels of the stage. */
  readonly at: Point;
  readonly kind: "mouse" | "pen" | "touch";
  /** The right button, the barrel of a pen, a long press, or a click after "− click". */
  readonly secondary: boolean;
  /** 2 at the second press of a double click or a double tap. */
  readonly count: number;
  readonly shift: boolean;
  readonly alt: boolean;
  readonly ctrl: boolean;
  /** 0 to 1; 0.5 where the device knows none. */
  readonly pressure: number;
}

/** What a tool may look at and act on. All of it is asked for anew at each event. */
export interface ToolHost {
  readonly session: EditorSession;
  /** Commands on the image that is open; null while none is, or where it may only be looked at. */
  editor(): Editor | null;
  size(): Size;
  labels(): readonly Label[];
  /** The mask that is being painted. */
  brush(): Brush;
  /** The id of the topmost annotation at a place of the image, the smallest of several. */
  pick(image: Point, reachPx: number): string | null;
  /** Ids of the annotations that lie wholly within bounds in the image. */
  within(bounds: Bounds): string[];
  /** The part of the image that is in sight. */
  visible(): Bounds;
  /** Ask for the object that clicks and a box mean. */
  segment(prompt: SegmentPrompt, signal: AbortSignal): Promise<Segmentation>;
  /** Show these geometries in place of the document's; null ends it. */
  preview(changes: ReadonlyMap<string, Geometry> | null): void;
  /** Draw the overlay again before the next frame. */
  invalidate(): void;
}

/**
 * What a pointer does to the document: a state machine, and the only reader of pointer events.
 *
 * `down` answers whether the tool takes the press; when it does not, the picture is panned, and
 * a press without a drag picks. Between presses `move` follows a pointer that hovers.
 *
 * A shape that takes several presses is a draft: `cancel` takes back what the present press began
 * and leaves the draft alone, `drop` gives the draft up, `keep` and `resume` carry it over the
 * visit of another image.
 */
export interface Tool {
  /** True when the overlay follows the pointer. */
  readonly guides: boolean;
  /** True when every coalesced move counts, not the last of a frame alone. */
  readonly traces?: boolean;
  /** The cursor at a place of the screen; null where the tool has no say. */
  cursor(at: Point | null): string | null;
  down(press: Press): boolean;
  move(press: Press): void;
  up(press: Press): void;
  /** The pointer left the stage. */
  leave?(): void;
  cancel(): void;
  /** Give up the draft; false when there is none. */
  drop?(): boolean;
  /** Complete the draft; false when there is none. */
  finish?(): boolean;
  /** Take the last point of the draft back; false when there is none. */
  undoPoint?(): boolean;
  /** Delete the vertex that is chosen or under the pointer; false when there is none. */
  deletePoint?(): boolean;
  /** A key the tool has a use for right now, named as in the key map; false leaves it to the page. */
  key?(name: string): boolean;
  /** The draft, to be given to `resume` when its image is open again; null without one. */
  keep?(): unknown;
  resume?(draft: unknown): void;
  draw?(context: CanvasRenderingContext2D, camera: Camera): void;
}
