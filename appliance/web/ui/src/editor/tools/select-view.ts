import { type Camera, type Point, toScreen } from "../camera";
import type { Handle } from "./handles";
import { ACCENT, drawHandle, fill, stroke, trace } from "./paint";

/** Vertices closer to each other than this on the screen are shown around the pointer only. */
const CROWDED_PX = 7;
const AROUND_PX = 70;

interface Look {
  hot: Handle | null;
  chosen: ReadonlySet<number>;
  pointer: Point | null;
}

/** The frame that selects what lies within. */
export function drawFrame(context: CanvasRenderingContext2D, camera: Camera, from: Point, to: Point): void {
  const path = trace(camera, [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }], true);
  fill(context, path, ACCENT, 0.1);
  stroke(context, path, ACCENT, [4, 3]);
}

/** The handles of the selected shape: middles lowest, what is hot or chosen on top. */
export function drawHandles(context: CanvasRenderingContext2D, camera: Camera, all: readonly Handle[], look: Look): void {
  drawStem(context, camera, all);
  const rank = (handle: Handle): number => (how(handle, look) === "plain" ? (handle.grip.kind === "middle" ? 0 : 1) : 2);
  const shown = crowded(all, camera) ? all.filter((handle) => rank(handle) === 2 || near(handle, camera, look.pointer)) : all;
  for (const level of [0, 1, 2]) {
    for (const handle of shown) if (rank(handle) === level) drawHandle(context, camera, handle, how(handle, look));
  }
}

function how(handle: Handle, { hot, chosen }: Look): "plain" | "hot" | "chosen" {
  if (handle.grip.kind === "point" && chosen.has(handle.grip.index)) return "chosen";
  return handle === hot ? "hot" : "plain";
}

function crowded(all: readonly Handle[], { scale }: Camera): boolean {
  const points = all.filter((handle) => handle.grip.kind === "point");
  if (points.length < 24) return false;
  let length = 0;
  points.forEach(({ place }, i) => {
    const before = points[(i + points.length - 1) % points.length]!.place;
    length += Math.hypot(place.x - before.x, place.y - before.y);
  });
  return (length * scale) / points.length < CROWDED_PX;
}

function near(handle: Handle, camera: Camera, pointer: Point | null): boolean {
  if (!pointer) return false;
  const { x, y } = toScreen(camera, handle.place);
  return Math.hypot(x - pointer.x, y - pointer.y) <= AROUND_PX;
}

/** From a rotated box to its knob. */
function drawStem(context: CanvasRenderingContext2D, camera: Camera, all: readonly Handle[]): void {
  const knob = all.find((handle) => handle.grip.kind === "turn");
  const corners = all.filter(({ grip }) => grip.kind === "edge" && grip.edge[1] === -1 && grip.edge[0] !== 0);
  if (!knob || corners.length < 2) return;
  const [a, b] = [corners[0]!.place, corners[1]!.place];
  stroke(context, trace(camera, [{ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, knob.place], false), "#fff");
}
