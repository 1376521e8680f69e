import type { Label } from "../../api/types";
import { type Camera, type Point, toScreen } from "../camera";
import type { Handle } from "./handles";
import type { ToolHost } from "./tool";

type Context = CanvasRenderingContext2D;

/** The console's own colour in both themes on a picture; selection and snapping, never a label. */
export const ACCENT = "#22D3EE";
const CASING = "rgb(0 0 0 / 72%)";
const GUIDE = "rgb(255 255 255 / 55%)";
const FONT = '500 12px "Inter Variable", system-ui, sans-serif';
const UNKNOWN = "#E6E6E6";

export function labelOf(host: ToolHost): Label | null {
  return host.labels().find((label) => label.id === host.session.labelId.value) ?? null;
}

export const colorOf = (host: ToolHost): string => labelOf(host)?.color ?? UNKNOWN;

/** A line over a dark casing, in screen pixels whatever the zoom. */
export function stroke(context: Context, path: Path2D, color: string, dash: readonly number[] = []): void {
  context.lineJoin = "round";
  context.lineCap = "round";
  for (const [width, style] of [[3.5, CASING], [1.5, color]] as const) {
    context.setLineDash(style === CASING ? [] : [...dash]);
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke(path);
  }
  context.setLineDash([]);
}

export function fill(context: Context, path: Path2D, color: string, alpha = 0.12): void {
  context.globalAlpha = alpha;
  context.fillStyle = color;
  context.fill(path, "evenodd");
  context.globalAlpha = 1;
}

/** Points of the image as a path on the screen. */
export function trace(camera: Camera, points: readonly Point[], closed: boolean, path = new Path2D()): Path2D {
  points.forEach((point, i) => {
    const { x, y } = toScreen(camera, point);
    if (i === 0) path.moveTo(x, y);
    else path.lineTo(x, y);
  });
  if (closed) path.closePath();
  return path;
}

/** A line each way through the pointer, with a gap around it so that the place itself is seen. */
export function guides(host: ToolHost, context: Context, at: Point): void {
  if (host.session.crosshair.value === "pointer") return;
  const path = new Path2D();
  const [x, y, gap, far] = [Math.round(at.x) + 0.5, Math.round(at.y) + 0.5, 9, 1e5];
  for (const side of [-1, 1]) {
    path.moveTo(x + side * gap, y);
    path.lineTo(x + side * far, y);
    path.moveTo(x, y + side * gap);
    path.lineTo(x, y + side * far);
  }
  for (const [width, style] of [[2.5, "rgb(0 0 0 / 45%)"], [1, GUIDE]] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke(path);
  }
}

/** A few words on a plate beside a place of the screen, inside the canvas. */
export function words(context: Context, at: Point, text: string, mark?: string): void {
  context.font = FONT;
  const width = Math.ceil(context.measureText(text).width) + (mark ? 22 : 12);
  const ratio = devicePixelRatio;
  const room = { width: context.canvas.width / ratio, height: context.canvas.height / ratio };
  const x = Math.round(at.x + 14 + width > room.width ? at.x - 14 - width : at.x + 14);
  const y = Math.round(at.y + 34 > room.height ? at.y - 34 : at.y + 14);
  context.fillStyle = "rgb(0 0 0 / 84%)";
  context.beginPath();
  context.roundRect(x, y, width, 20, 4);
  context.fill();
  if (mark) {
    context.fillStyle = mark;
    context.fillRect(x + 7, y + 6, 8, 8);
  }
  context.fillStyle = "#e6eaf0";
  context.textBaseline = "middle";
  context.fillText(text, x + (mark ? 20 : 6), y + 10.5);
}

/** A ring around a place that catches the pointer. */
export function ring(context: Context, at: Point, radius: number, color = ACCENT): void {
  const path = new Path2D();
  path.arc(at.x, at.y, radius, 0, Math.PI * 2);
  stroke(context, path, color);
}

/** A plus or a minus on a disc: a click on the object, or beside it. */
export function sign(context: Context, camera: Camera, place: Point, positive: boolean): void {
  const { x, y } = toScreen(camera, place);
  context.beginPath();
  context.arc(x, y, 7, 0, Math.PI * 2);
  context.fillStyle = positive ? "#fff" : "#000";
  context.strokeStyle = positive ? "#000" : "#fff";
  context.lineWidth = 1.5;
  context.setLineDash([]);
  context.fill();
  context.stroke();
  context.beginPath();
  context.moveTo(x - 3.5, y);
  context.lineTo(x + 3.5, y);
  if (positive) {
    context.moveTo(x, y - 3.5);
    context.lineTo(x, y + 3.5);
  }
  context.stroke();
}

/** A small cross where a line crosses itself. */
export function cross(context: Context, at: Point): void {
  const path = new Path2D();
  path.moveTo(at.x - 5, at.y - 5);
  path.lineTo(at.x + 5, at.y + 5);
  path.moveTo(at.x + 5, at.y - 5);
  path.lineTo(at.x - 5, at.y + 5);
  for (const [width, style] of [[5, CASING], [2, "#FF5A5A"]] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke(path);
  }
}

/** One handle: squares for corners and vertices, circles for knobs, middles and keypoints. */
export function drawHandle(context: Context, camera: Camera, handle: Handle, how: "plain" | "hot" | "chosen"): void {
  const { x, y } = toScreen(camera, handle.place);
  const { kind } = handle.grip;
  const round = kind === "middle" || kind === "turn";
  const half = (kind === "middle" ? 2.5 : kind === "turn" ? 5 : 3.5) + (how === "plain" ? 0 : 1.5);
  context.beginPath();
  if (round) context.arc(x, y, half, 0, Math.PI * 2);
  else context.rect(Math.round(x) - half, Math.round(y) - half, half * 2, half * 2);
  context.lineWidth = 1.5;
  context.strokeStyle = "#000";
  context.fillStyle = how === "plain" ? "#fff" : ACCENT;
  context.globalAlpha = kind === "middle" && how === "plain" ? 0.75 : 1;
  context.fill();
  context.stroke();
  context.globalAlpha = 1;
}
