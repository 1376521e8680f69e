import type { Annotation, Geometry } from "../../api/types";
import { type Box, transformed } from "../../geometry";
import { type Camera, type Point, type Size, toImage, toScreen } from "../camera";
import { bounds, hits } from "../shape";
import type { Tool, ToolHost } from "./tool";

type Edge = -1 | 0 | 1;
export type Handle = readonly [Edge, Edge];

const HANDLES: readonly Handle[] = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]];
const HANDLE_PX = 6;
const REACH_PX = 8;
const TOUCH_REACH_PX = 22;
const SLACK_PX = 3;

/** Move a geometry by a distance, stopping at the borders of the image. */
export function moved(geometry: Geometry, dx: number, dy: number, size: Size): Geometry {
  const box = bounds(geometry);
  if (!box || geometry.type === "mask") return geometry;
  const x = Math.max(-box.x1, Math.min(size.width - box.x2, dx));
  const y = Math.max(-box.y1, Math.min(size.height - box.y2, dy));
  return transformed(geometry, 1, 1, x, y);
}

/** Drag a handle of a box to a point; edges may cross, the box stays inside the image. */
export function resized(box: Box, [h, v]: Handle, to: Point, size: Size): Box {
  const x = Math.max(0, Math.min(size.width, to.x));
  const y = Math.max(0, Math.min(size.height, to.y));
  const xs = [h === -1 ? x : box.x1, h === 1 ? x : box.x2].sort((a, b) => a - b);
  const ys = [v === -1 ? y : box.y1, v === 1 ? y : box.y2].sort((a, b) => a - b);
  return { type: "box", x1: xs[0], y1: ys[0], x2: Math.max(xs[1], xs[0] + 1), y2: Math.max(ys[1], ys[0] + 1) };
}

type Drag = { id: string; start: Point; before: Geometry; handle: Handle | null; now: Geometry | null };

/** Move and resize the selected shape; everything else is left to the viewer: panning and picking. */
export class SelectTool implements Tool {
  readonly guides = false;
  private readonly host: ToolHost;
  private drag: Drag | null = null;

  constructor(host: ToolHost) {
    this.host = host;
  }

  cursor(at: Point | null): string | null {
    const handle = at && this.handleAt(at, REACH_PX);
    if (handle) return handle[0] === 0 ? "ns-resize" : handle[1] === 0 ? "ew-resize" : handle[0] === handle[1] ? "nwse-resize" : "nesw-resize";
    return at && this.over(at) ? "move" : null;
  }

  down(image: Point, event: PointerEvent, at: Point): boolean {
    const one = this.selected();
    if (!one) return false;
    const handle = this.handleAt(at, event.pointerType === "mouse" ? REACH_PX : TOUCH_REACH_PX);
    if (!handle && !this.over(at)) return false;
    this.drag = { id: one.id, start: image, before: one.geometry, handle, now: null };
    return true;
  }

  move(image: Point): void {
    const { drag } = this;
    if (!drag) return;
    const [dx, dy] = [image.x - drag.start.x, image.y - drag.start.y];
    if (!drag.now && Math.hypot(dx, dy) * this.camera().scale < SLACK_PX) return;
    const size = this.host.size();
    drag.now =
      drag.handle && drag.before.type === "box"
        ? resized(drag.before, drag.handle, image, size)
        : moved(drag.before, dx, dy, size);
    this.host.preview(new Map([[drag.id, drag.now]]));
  }

  up(): void {
    const { drag } = this;
    this.cancel();
    if (drag?.now) this.host.editor()?.reshape(drag.id, drag.now);
  }

  cancel(): void {
    this.drag = null;
    this.host.preview(null);
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    const one = this.selected();
    const geometry = this.drag?.now ?? one?.geometry;
    if (geometry?.type !== "box") return;
    for (const point of places(geometry)) {
      const { x, y } = toScreen(camera, point);
      context.fillStyle = "#fff";
      context.strokeStyle = "#000";
      context.lineWidth = 1;
      context.fillRect(x - HANDLE_PX / 2, y - HANDLE_PX / 2, HANDLE_PX, HANDLE_PX);
      context.strokeRect(x - HANDLE_PX / 2, y - HANDLE_PX / 2, HANDLE_PX, HANDLE_PX);
    }
  }

  private camera(): Camera {
    return this.host.session.camera.value;
  }

  private selected(): Annotation | null {
    const id = this.host.session.single;
    return id === null ? null : (this.host.editor()?.document.get(id) ?? null);
  }

  private over(at: Point): boolean {
    const one = this.selected();
    const camera = this.camera();
    return one !== null && hits(one.geometry, toImage(camera, at), REACH_PX / camera.scale);
  }

  private handleAt(at: Point, reach: number): Handle | null {
    const one = this.selected();
    if (one?.geometry.type !== "box") return null;
    const camera = this.camera();
    const distances = places(one.geometry).map((point) => {
      const { x, y } = toScreen(camera, point);
      return Math.hypot(x - at.x, y - at.y);
    });
    const nearest = distances.indexOf(Math.min(...distances));
    return distances[nearest] <= reach ? HANDLES[nearest] : null;
  }
}

function places(box: Box): Point[] {
  return HANDLES.map(([h, v]) => ({
    x: h === -1 ? box.x1 : h === 1 ? box.x2 : (box.x1 + box.x2) / 2,
    y: v === -1 ? box.y1 : v === 1 ? box.y2 : (box.y1 + box.y2) / 2,
  }));
}
