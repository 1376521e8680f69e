import type { Box } from "../../geometry";
import { type Camera, type Point, type Size, toScreen } from "../camera";
import type { Tool, ToolHost } from "./tool";

const LEAST_PX = 3;
const GUIDE = "rgb(255 255 255 / 45%)";

/** The box between two points, inside the image. */
export function boxBetween(a: Point, b: Point, size: Size): Box {
  const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  const [x1, x2] = [clamp(a.x, size.width), clamp(b.x, size.width)].sort((m, n) => m - n);
  const [y1, y2] = [clamp(a.y, size.height), clamp(b.y, size.height)].sort((m, n) => m - n);
  return { type: "box", x1, y1, x2, y2 };
}

/** Drag a box, anywhere, also over other shapes; nothing is selected by it. */
export class BoxTool implements Tool {
  readonly guides = true;
  private readonly host: ToolHost;
  private from: Point | null = null;
  private to: Point = { x: 0, y: 0 };
  private pointer: Point | null = null;

  constructor(host: ToolHost) {
    this.host = host;
  }

  cursor(): string {
    return "crosshair";
  }

  down(image: Point): boolean {
    this.from = image;
    this.to = image;
    return true;
  }

  move(image: Point, event: PointerEvent, at: Point): void {
    this.pointer = event.pointerType === "touch" ? null : at;
    if (!this.from) return;
    this.to = image;
    const box = boxBetween(this.from, this.to, this.host.size());
    this.host.session.measured.value = `${Math.round(box.x2 - box.x1)} × ${Math.round(box.y2 - box.y1)} px`;
    this.host.invalidate();
  }

  up(image: Point): void {
    if (!this.from) return;
    const box = boxBetween(this.from, image, this.host.size());
    this.cancel();
    if (box.x2 - box.x1 < LEAST_PX || box.y2 - box.y1 < LEAST_PX) return;
    this.host.editor()?.add(box, this.host.session.labelId.value);
  }

  cancel(): void {
    this.from = null;
    this.host.session.measured.value = null;
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    if (this.from) this.drawBox(context, camera, boxBetween(this.from, this.to, this.host.size()));
    else if (this.pointer) drawGuides(context, this.pointer);
  }

  private color(): string {
    const { labelId } = this.host.session;
    return this.host.labels().find((label) => label.id === labelId.value)?.color ?? "#E6E6E6";
  }

  private drawBox(context: CanvasRenderingContext2D, camera: Camera, box: Box): void {
    const [a, b] = [toScreen(camera, { x: box.x1, y: box.y1 }), toScreen(camera, { x: box.x2, y: box.y2 })];
    context.lineWidth = 3.5;
    context.strokeStyle = "rgb(0 0 0 / 72%)";
    context.strokeRect(a.x, a.y, b.x - a.x, b.y - a.y);
    context.lineWidth = 1.5;
    context.strokeStyle = this.color();
    context.strokeRect(a.x, a.y, b.x - a.x, b.y - a.y);
  }
}

function drawGuides(context: CanvasRenderingContext2D, at: Point): void {
  context.lineWidth = 1;
  context.strokeStyle = GUIDE;
  context.beginPath();
  context.moveTo(at.x + 0.5, 0);
  context.lineTo(at.x + 0.5, 1e5);
  context.moveTo(0, at.y + 0.5);
  context.lineTo(1e5, at.y + 0.5);
  context.stroke();
}
