import type { Size } from "../editor/camera";
import type { EditorSession } from "../editor/session";

/** Where the pointer is, in pixels of the image. Its own component: it draws at every move. */
export function PointerLine({ session, size }: { session: EditorSession; size: Size | null }) {
  const at = session.pointer.value;
  const inside = at && size && at.x >= 0 && at.y >= 0 && at.x <= size.width && at.y <= size.height;
  return (
    <span class="mono pointer">
      {inside ? `x ${at.x.toFixed(1).padStart(6)}  y ${at.y.toFixed(1).padStart(6)}` : "x      –  y      –"}
    </span>
  );
}

/** How large the picture is shown. */
export function ZoomLine({ session }: { session: EditorSession }) {
  return <span class="mono">{Math.round(session.camera.value.scale * 100)} %</span>;
}
