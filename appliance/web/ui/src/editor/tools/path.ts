import { crossing } from "../../geometry/crossings";
import { simplified } from "../../geometry/simplify";
import { type Camera, clamped, type Point, toScreen } from "../camera";
import { CLICK_PX, imagePx, inSteps } from "./draw";
import { pairs } from "./handles";
import { colorOf, cross, drawHandle, fill, guides, ring, stroke, trace } from "./paint";
import { flat } from "./reshape";
import { drawSnap, type Snap, snapped } from "./snap";
import type { Press, Tool, ToolHost } from "./tool";

/** Freehand points this close to each other on the screen are one. */
const STEP_PX = 2;
/** How far, on the screen, simplifying may move a freehand line. */
const TOLERANCE_PX = 1.2;
const CLOSE_PX = { mouse: 9, pen: 12, touch: 22 };

/** A press that may become a freehand line; `before` is the draft without it. */
interface Stroke {
  press: Press;
  before: readonly Point[];
  trail: Point[];
  freehand: boolean;
}

/** Click points, or draw freehand while dragging: what polygons and polylines have in common. */
export abstract class PathTool implements Tool {
  readonly guides = true;
  readonly traces = true;
  protected readonly host: ToolHost;
  protected points: readonly Point[] = [];
  private stroke: Stroke | null = null;
  private pointer: Point | null = null;
  private next: Point | null = null;
  private snap: Snap | null = null;
  private closes = false;

  constructor(host: ToolHost) {
    this.host = host;
  }

  /** Whether the last point is joined with the first. */
  protected abstract readonly closed: boolean;
  protected abstract readonly least: number;
  /** Take the points as a shape; false when they are none. */
  protected abstract complete(points: readonly Point[]): boolean;
  /** Told before the first point of a draft. */
  protected begin?(press: Press): void;

  cursor(): string {
    return "crosshair";
  }

  down(press: Press): boolean {
    if (press.secondary && this.points.length > 0) return this.undoPoint();
    if (press.count === 2 && this.finish()) return true;
    if (this.points.length === 0) this.begin?.(press);
    this.aim(press);
    this.stroke = { press, before: this.points, trail: [], freehand: false };
    if (this.next && !this.closes) this.points = [...this.points, this.next];
    return true;
  }

  move(press: Press): void {
    this.pointer = press.kind === "touch" ? null : press.at;
    const { stroke } = this;
    if (stroke) this.follow(stroke, press);
    else this.aim(press);
    this.host.invalidate();
  }

  up(press: Press): void {
    const { stroke } = this;
    this.stroke = null;
    if (!stroke) return;
    if (stroke.freehand) this.points = [...stroke.before, ...this.smooth(stroke)];
    const home = this.points.length >= this.least && this.isHome(press);
    if ((this.closes && !stroke.freehand) || (stroke.freehand && home)) this.finish();
    if (press.kind === "touch") this.next = null;
    this.tell();
  }

  leave(): void {
    this.pointer = this.next = this.snap = null;
  }

  cancel(): void {
    if (this.stroke) this.points = this.stroke.before;
    this.stroke = null;
    this.tell();
  }

  drop(): boolean {
    const had = this.points.length > 0;
    this.points = [];
    this.stroke = null;
    this.closes = false;
    this.tell();
    return had;
  }

  finish(): boolean {
    if (this.points.length < this.least) return false;
    const { points } = this;
    if (!this.complete(points)) return false;
    this.drop();
    return true;
  }

  undoPoint(): boolean {
    if (this.points.length === 0) return false;
    this.points = this.points.slice(0, -1);
    this.tell();
    return true;
  }

  key(name: string): boolean {
    if (name === "enter") return this.finish();
    if (name === "backspace" || name === "ctrl+z") return this.undoPoint();
    return name === "escape" && this.drop();
  }

  keep(): unknown {
    return this.points.length > 0 ? this.points : null;
  }

  resume(draft: unknown): void {
    this.points = draft as readonly Point[];
    this.tell();
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    if (this.pointer && !this.stroke?.freehand) guides(this.host, context, this.pointer);
    if (this.snap) drawSnap(context, camera, this.snap);
    const points = this.stroke?.freehand ? [...this.stroke.before, ...this.stroke.trail] : this.points;
    const [first, last] = [points[0], points.at(-1)];
    if (!first || !last) return;
    const color = colorOf(this.host);
    const ahead = this.stroke?.freehand ? null : this.closes ? first : this.next;
    if (this.closed) fill(context, trace(camera, ahead ? [...points, ahead] : points, true), color, 0.16);
    stroke(context, trace(camera, points, false), color);
    if (ahead) stroke(context, trace(camera, [last, ahead], false), color, [5, 5]);
    if (this.closed && points.length > 1 && ahead && !this.closes) stroke(context, trace(camera, [ahead, first], false), "rgb(255 255 255 / 60%)", [2, 5]);
    const marked = this.stroke?.freehand ? this.stroke.before : points;
    marked.forEach((place, index) => drawHandle(context, camera, { grip: { kind: "point", index }, place }, "plain"));
    if (this.closed && this.closes) ring(context, toScreen(camera, first), 8);
    for (const place of this.crossings(points, ahead)) cross(context, toScreen(camera, place));
  }

  /** Where the next point would go: inside, caught by another shape with Ctrl, in steps of 15 degrees with Shift. */
  private aim(press: Press): void {
    const last = this.points.at(-1);
    this.snap = press.ctrl ? snapped(this.host, press.image) : null;
    const free = press.shift && last ? inSteps(last, press.image) : press.image;
    this.next = clamped(this.snap?.place ?? free, this.host.size());
    this.closes = this.closed && this.points.length >= this.least && this.isHome(press);
  }

  private isHome({ at, kind }: Press): boolean {
    const [first] = this.points;
    if (!this.closed || !first) return false;
    const home = toScreen(this.host.session.camera.value, first);
    return Math.hypot(home.x - at.x, home.y - at.y) <= CLOSE_PX[kind];
  }

  private follow(stroke: Stroke, press: Press): void {
    const far = Math.hypot(press.at.x - stroke.press.at.x, press.at.y - stroke.press.at.y);
    if (!stroke.freehand && far < CLICK_PX[press.kind] + 3) return;
    stroke.freehand = true;
    this.closes = false;
    const at = clamped(press.image, this.host.size());
    if (stroke.trail.length === 0) stroke.trail.push(clamped(stroke.press.image, this.host.size()));
    const last = stroke.trail.at(-1);
    if (last && Math.hypot(at.x - last.x, at.y - last.y) >= imagePx(this.host, STEP_PX)) stroke.trail.push(at);
    this.host.session.measured.value = `${stroke.before.length + stroke.trail.length} points`;
  }

  private smooth({ trail }: Stroke): Point[] {
    return pairs(simplified(flat(trail), imagePx(this.host, TOLERANCE_PX), false));
  }

  /** Where the newest two lines cross an older one. */
  private crossings(points: readonly Point[], ahead: Point | null): Point[] {
    const all = ahead && !this.closes ? [...points, ahead] : [...points];
    if (!this.closed || this.stroke?.freehand) return [];
    const found: Point[] = [];
    for (const i of [all.length - 2, all.length - 1]) {
      const [a, b] = [all[i], all[(i + 1) % all.length]];
      for (let k = 0; a && b && k + 1 < all.length; k++) {
        const place = crossing([a.x, a.y], [b.x, b.y], [all[k]!.x, all[k]!.y], [all[k + 1]!.x, all[k + 1]!.y]);
        if (place) found.push({ x: place[0], y: place[1] });
      }
    }
    return found;
  }

  private tell(): void {
    const { length } = this.points;
    this.host.session.measured.value = length > 0 ? `${length} ${length === 1 ? "point" : "points"}` : null;
    this.host.invalidate();
  }
}
