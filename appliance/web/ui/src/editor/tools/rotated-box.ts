import type { RotatedBox } from "../../geometry";
import { normalizedAngle } from "../../geometry/rotated_box";
import { type Camera, clamped, type Point, toScreen } from "../camera";
import { corners } from "../shape";
import { CLICK_PX, commit, inSteps } from "./draw";
import { pairs } from "./handles";
import { colorOf, fill, guides, ring, stroke, trace } from "./paint";
import type { Press, Tool, ToolHost } from "./tool";

const LEAST_PX = 3;

/** The box with one edge from `a` to `b` that reaches as far as `to`, which is above or below that edge. */
export function boxOnEdge(a: Point, b: Point, to: Point): RotatedBox {
  const width = Math.hypot(b.x - a.x, b.y - a.y);
  const [ux, uy] = [(b.x - a.x) / width, (b.y - a.y) / width];
  const depth = (to.x - a.x) * -uy + (to.y - a.y) * ux;
  return {
    type: "rotated_box",
    cx: (a.x + b.x) / 2 - (uy * depth) / 2,
    cy: (a.y + b.y) / 2 + (ux * depth) / 2,
    width,
    height: Math.abs(depth),
    angle: normalizedAngle((Math.atan2(uy, ux) * 180) / Math.PI),
  };
}

/** The first edge by a drag or two clicks, then the width by a click or a second drag. */
type State =
  | { name: "idle" }
  | { name: "pressing" | "edge"; start: Point; from: Point; to: Point }
  | { name: "width"; from: Point; to: Point; reach: Point };

const IDLE: State = { name: "idle" };

export class RotatedBoxTool implements Tool {
  readonly guides = true;
  private readonly host: ToolHost;
  private state: State = IDLE;
  private before: State = IDLE;
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
    const from = clamped(press.image, this.host.size());
    if (this.state.name === "idle") this.state = { name: "pressing", start: press.at, from, to: from };
    else this.follow(press);
    return true;
  }

  move(press: Press): void {
    this.pointer = press.kind === "touch" ? null : press.at;
    this.follow(press);
  }

  up(press: Press): void {
    this.follow(press);
    const { state } = this;
    if (state.name === "pressing" && Math.hypot(press.at.x - state.start.x, press.at.y - state.start.y) < CLICK_PX[press.kind]) {
      this.state = { ...state, name: "edge" };
    } else if (state.name === "pressing" || state.name === "edge") {
      const long = Math.hypot(state.to.x - state.from.x, state.to.y - state.from.y) >= LEAST_PX;
      if (long) this.state = { name: "width", from: state.from, to: state.to, reach: state.to };
      else this.drop();
    } else if (state.name === "width") this.finish();
  }

  leave(): void {
    this.pointer = null;
  }

  cancel(): void {
    this.state = this.before.name === "pressing" ? IDLE : this.before;
    this.host.session.measured.value = null;
  }

  drop(): boolean {
    const had = this.state.name !== "idle";
    this.state = IDLE;
    this.before = IDLE;
    this.host.session.measured.value = null;
    return had;
  }

  finish(): boolean {
    const box = this.box();
    if (!box || box.height < LEAST_PX) return false;
    this.drop();
    return commit(this.host, box) !== null;
  }

  undoPoint(): boolean {
    const { state } = this;
    if (state.name !== "width") return this.drop();
    this.state = { name: "edge", start: { x: 0, y: 0 }, from: state.from, to: state.to };
    return true;
  }

  key(name: string): boolean {
    if (name === "enter") return this.finish();
    if (name === "backspace") return this.undoPoint();
    return name === "escape" && this.drop();
  }

  keep(): unknown {
    return this.state.name === "edge" || this.state.name === "width" ? this.state : null;
  }

  resume(draft: unknown): void {
    this.state = draft as State;
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    const { state } = this;
    if (this.pointer && state.name === "idle") guides(this.host, context, this.pointer);
    if (state.name === "idle") return;
    const box = this.box();
    const color = colorOf(this.host);
    if (box && box.height > 0) {
      const path = trace(camera, pairs(corners(box.cx, box.cy, box.width, box.height, box.angle)), true);
      fill(context, path, color);
      stroke(context, path, color);
    }
    stroke(context, trace(camera, [state.from, state.to], false), box ? "#fff" : color);
    for (const end of [state.from, state.to]) ring(context, toScreen(camera, end), 4, "#fff");
  }

  private follow({ image, shift }: Press): void {
    const { state } = this;
    const at = clamped(image, this.host.size());
    if (state.name === "idle") return;
    if (state.name === "width") this.state = { ...state, reach: at };
    else this.state = { ...state, to: shift ? clamped(inSteps(state.from, at), this.host.size()) : at };
    this.host.session.measured.value = this.words();
    this.host.invalidate();
  }

  private words(): string | null {
    const { state } = this;
    const box = this.box();
    if (box) return `${Math.round(box.width)} × ${Math.round(box.height)} px, ${Math.round(box.angle)}°`;
    if (state.name === "idle" || state.name === "width") return null;
    return `${Math.round(Math.hypot(state.to.x - state.from.x, state.to.y - state.from.y))} px`;
  }

  private box(): RotatedBox | null {
    if (this.state.name !== "width") return null;
    const box = boxOnEdge(this.state.from, this.state.to, this.state.reach);
    const { x, y } = clamped({ x: box.cx, y: box.cy }, this.host.size());
    return { ...box, cx: x, cy: y };
  }
}
