import { type Camera, clamped, type Point, toScreen } from "../camera";
import { commit } from "./draw";
import { colorOf, guides, labelOf, ring, stroke, trace, words } from "./paint";
import type { Press, Tool, ToolHost } from "./tool";

/** A placed keypoint; `visibility` 0 stands for one that is not there. */
interface Placed extends Point {
  visibility: 0 | 1 | 2;
}

const ABSENT: Placed = { x: 0, y: 0, visibility: 0 };

/** Place the points of the label's skeleton one after another; without a skeleton, any number until Enter. */
export class KeypointsTool implements Tool {
  readonly guides = true;
  private readonly host: ToolHost;
  private placed: readonly Placed[] = [];
  private pressing: Placed | null = null;
  private pointer: Point | null = null;

  constructor(host: ToolHost) {
    this.host = host;
  }

  cursor(): string {
    return "crosshair";
  }

  down(press: Press): boolean {
    if (press.count === 2 && this.names.length === 0) return this.finish();
    this.pressing = this.at(press, press.secondary || press.alt ? 1 : 2);
    this.tell();
    return true;
  }

  move(press: Press): void {
    this.pointer = press.kind === "touch" ? null : press.at;
    if (this.pressing) this.pressing = this.at(press, this.pressing.visibility);
    else this.tell();
    this.host.invalidate();
  }

  up(press: Press): void {
    const { pressing } = this;
    this.pressing = null;
    if (pressing) this.place(this.at(press, pressing.visibility));
  }

  leave(): void {
    this.pointer = null;
    if (this.placed.length === 0) this.host.session.measured.value = null;
  }

  cancel(): void {
    this.pressing = null;
    this.host.invalidate();
  }

  drop(): boolean {
    const had = this.placed.length > 0;
    this.placed = [];
    this.pressing = null;
    this.host.session.measured.value = null;
    return had;
  }

  /** Points that are not placed yet are absent. */
  finish(): boolean {
    const { names } = this;
    const count = names.length || this.placed.length;
    const all = Array.from({ length: count }, (_, i) => this.placed[i] ?? ABSENT);
    const done = this.placed.length > 0 && commit(this.host, { type: "keypoints", points: all.flatMap(({ x, y, visibility }) => [x, y, visibility]) }) !== null;
    if (done) this.drop();
    return done;
  }

  undoPoint(): boolean {
    if (this.placed.length === 0) return false;
    this.placed = this.placed.slice(0, -1);
    this.tell();
    return true;
  }

  key(name: string): boolean {
    if (name === "tab" && this.names.length > 0) return this.place(ABSENT);
    if (name === "enter") return this.finish();
    if (name === "backspace" || name === "ctrl+z") return this.undoPoint();
    return name === "escape" && this.drop();
  }

  keep(): unknown {
    return this.placed.length > 0 ? this.placed : null;
  }

  resume(draft: unknown): void {
    this.placed = draft as readonly Placed[];
    this.tell();
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    const color = colorOf(this.host);
    const all = this.pressing ? [...this.placed, this.pressing] : this.placed;
    if (this.pointer) guides(this.host, context, this.pointer);
    for (const [a, b] of labelOf(this.host)?.skeleton?.edges ?? []) {
      const ends = [all[a], all[b]].filter((one) => one !== undefined && one.visibility > 0) as Placed[];
      if (ends.length === 2) stroke(context, trace(camera, ends, false), color);
    }
    for (const one of all) if (one.visibility > 0) drawDot(context, toScreen(camera, one), color, one.visibility === 1);
    const next = this.nextName();
    const last = all.at(-1);
    if (this.pressing && last) ring(context, toScreen(camera, last), 9);
    const beside = this.pointer ?? (last && last.visibility > 0 ? toScreen(camera, last) : { x: 0, y: 0 });
    if (next) words(context, beside, next, color);
  }

  private get names(): readonly string[] {
    return labelOf(this.host)?.skeleton?.points ?? [];
  }

  private nextName(): string | null {
    const { names, placed } = this;
    if (names.length === 0) return placed.length > 0 ? `point ${placed.length + 1}` : null;
    return `${names[placed.length] ?? ""} · ${Math.min(placed.length + 1, names.length)} of ${names.length}`;
  }

  private at({ image }: Press, visibility: 0 | 1 | 2): Placed {
    return { ...clamped(image, this.host.size()), visibility };
  }

  private place(one: Placed): boolean {
    this.placed = [...this.placed, one];
    this.tell();
    if (this.names.length > 0 && this.placed.length >= this.names.length && !this.finish()) this.drop();
    return true;
  }

  private tell(): void {
    this.host.session.measured.value = this.nextName();
    this.host.invalidate();
  }
}

/** Filled where it can be seen, hollow where something covers it. */
function drawDot(context: CanvasRenderingContext2D, { x, y }: Point, color: string, covered: boolean): void {
  context.beginPath();
  context.arc(x, y, 4.5, 0, Math.PI * 2);
  context.fillStyle = covered ? "#000" : color;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = covered ? color : "#000";
  context.stroke();
}
