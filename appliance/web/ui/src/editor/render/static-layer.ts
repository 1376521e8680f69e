import type { Camera, Size } from "../camera";
import type { Batch } from "./store";

/**
 * The shapes nobody is working on, drawn somewhere.
 *
 * The canvas knows no more of it than this, so another way of drawing can take its place.
 */
export interface StaticLayer {
  /** Every change up to this number can be seen. */
  readonly shown: number;
  /** Start anew with an image of this size and no shapes; null: with no image. */
  open(size: Size | null): void;
  /** Add or change shapes and take some away; return the number of the change. */
  put(batch: Batch, removed: Uint32Array): number;
  /** Change flags and colours of all slots. */
  restyle(flags: Uint8Array, colors: Uint32Array): number;
  /** Have what this view shows made, to be drawn later. */
  prepare(camera: Camera, view: Size, ratio: number): void;
  /** Draw what there is for this view, quickly while it is being moved, and have what is missing made. */
  draw(context: CanvasRenderingContext2D, camera: Camera, view: Size, ratio: number, moving: boolean): void;
  destroy(): void;
}
