import type { Signal } from "@preact/signals";

import type { Point, Size } from "../editor/camera";

/** Where the pointer is, in pixels of the image. Its own component: it draws at every move. */
export function PointerLine({ pointer, size }: { pointer: Signal<Point | null>; size: Size | null }) {
  const at = pointer.value;
  const inside = at && size && at.x >= 0 && at.y >= 0 && at.x <= size.width && at.y <= size.height;
  return (
    <span class="mono pointer">
      {inside ? `x ${at.x.toFixed(1).padStart(6)}  y ${at.y.toFixed(1).padStart(6)}` : "x      –  y      –"}
    </span>
  );
}
