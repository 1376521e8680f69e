import type { Box } from "../../geometry";
import type { Camera, Point, Size } from "../camera";
import { clamped } from "../camera";
import { CLICK_PX, commit } from "./draw";
import { colorOf, fill, guides, stroke, trace } from "./paint";
import type { Press, Tool, ToolHost } from "./tool";

const LEAST_PX = 3;

/** The box between two points, inside the image. */
export function boxBetween(a: Point, b: Point, size: Size): Box {
  const [from, to] = [clamped(a, size), clamped(b, size)];
  return {
    type: "box",
    x1: Math.min(from.x, to.x), y1: Math.min(from.y, to.y),
    x2: Math.max(from.x, to.x), y2: Math.max(from.y, to.y),
  };
}

/** The corner that makes a square with `from` on the side of `to`. */
function squared(from: Point, to: Point): Point {
  const side = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
  return { x: from.x + side * Math.sign(to.x - from.x), y: from.y + side * Math.sign(to.y - from.y) };
}

/** Idle; pressing since the first corner went down; placed after a click, waiting for the second corner. */
type State = { name: "idle" } | { name: "pressing" | "placed"; from: Press; to: Point };

/** Drag a box or click its two corners, anywhere, also over other shapes; nothing is selected by it. */
export class BoxTool implements Tool {
  readonly guides = true;
  private readonly host: ToolHost;
  private state: State = { name: "idle" };
  private before: State = { name: "idle" };
  private pointer: Point | null = null;

  constructor(host: ToolHost) {
    this.host = host;
  }

  cursor(): string {
    return "crosshair";
  }

  down(press: Press): boolean {
    if (press.secondary) return this.drop();
    this.before = this.state;
    if (this.state.name === "idle") this.state = { name: "pressing", from: press, to: press.image };
    else this.follow(press);
    return true;
  }

  move(press: Press): void {
    this.pointer = press.kind === "touch" ? null : press.at;
    this.follow(press);
  }

  up(press: Press): void {
    const { state } = this;
    if (state.name === "idle") return;
    this.follow(press);
    const strayed = Math.hypot(press.at.x - state.from.at.x, press.at.y - state.from.at.y);
    if (state.name === "pressing" && strayed < CLICK_PX[press.kind]) {
      this.state = { ...state, name: "placed" };
      return;
    }
    const box = this.box();
    this.drop();
    if (box && box.x2 - box.x1 >= LEAST_PX && box.y2 - box.y1 >= LEAST_PX) commit(this.host, box);
  }

  leave(): void {
    this.pointer = null;
  }

  cancel(): void {
    this.state = this.before.name === "placed" ? this.before : { name: "idle" };
    this.host.session.measured.value = null;
  }

  drop(): boolean {
    const had = this.state.name !== "idle";
    this.state = { name: "idle" };
    this.before = this.state;
    this.host.session.measured.value = null;
    return had;
  }

  undoPoint(): boolean {
    return this.drop();
  }

  key(name: string): boolean {
    return (name === "escape" || name === "backspace") && this.drop();
  }

  keep(): unknown {
    return this.state.name === "placed" ? this.state : null;
  }

  resume(draft: unknown): void {
    this.state = draft as State;
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    const box = this.box();
    if (this.pointer) guides(this.host, context, this.pointer);
    if (!box) return;
    const corners = [{ x: box.x1, y: box.y1 }, { x: box.x2, y: box.y1 }, { x: box.x2, y: box.y2 }, { x: box.x1, y: box.y2 }];
    const path = trace(camera, corners, true);
    fill(context, path, colorOf(this.host));
    stroke(context, path, colorOf(this.host));
  }

  private follow({ image, shift }: Press): void {
    const { state } = this;
    if (state.name === "idle") return;
    this.state = { ...state, to: shift ? squared(state.from.image, image) : image };
    const box = this.box();
    if (box) this.host.session.measured.value = `${Math.round(box.x2 - box.x1)} × ${Math.round(box.y2 - box.y1)} px`;
    this.host.invalidate();
  }

  private box(): Box | null {
    return this.state.name === "idle" ? null : boxBetween(this.state.from.image, this.state.to, this.host.size());
  }
}
