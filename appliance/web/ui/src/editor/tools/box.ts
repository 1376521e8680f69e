import type { Box } from "../../geometry";
import { type Camera, type Point, type Size, toScreen } from "../camera";
import type { Tool } from "./tool";

interface Host {
  size: () => Size;
  color: () => string;
  drawn: (box: Box) => void;
  /** The size of what is being drawn, for the status line; null when it ends. */
  measure: (box: Box | null) => void;
}

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
  readonly name = "box";
  readonly guides = true;
  private readonly host: Host;
  private from: Point | null = null;
  private to: Point = { x: 0, y: 0 };
  private pointer: Point | null = null;

  constructor(host: Host) {
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
    this.host.measure(boxBetween(this.from, this.to, this.host.size()));
  }

  up(image: Point): void {
    if (!this.from) return;
    const box = boxBetween(this.from, image, this.host.size());
    this.cancel();
    if (box.x2 - box.x1 >= LEAST_PX && box.y2 - box.y1 >= LEAST_PX) this.host.drawn(box);
  }

  cancel(): void {
    this.from = null;
    this.host.measure(null);
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    if (this.from) this.drawBox(context, camera, boxBetween(this.from, this.to, this.host.size()));
    else if (this.pointer) drawGuides(context, this.pointer);
  }

  private drawBox(context: CanvasRenderingContext2D, camera: Camera, box: Box): void {
    const [a, b] = [toScreen(camera, { x: box.x1, y: box.y1 }), toScreen(camera, { x: box.x2, y: box.y2 })];
    context.lineWidth = 3.5;
    context.strokeStyle = "rgb(0 0 0 / 72%)";
    context.strokeRect(a.x, a.y, b.x - a.x, b.y - a.y);
    context.lineWidth = 1.5;
    context.strokeStyle = this.host.color();
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
