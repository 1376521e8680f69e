import { pan, type Camera, type Point, type Size, toImage, zoomAt } from "./camera";
import type { Tool } from "./tools/tool";

const WHEEL_ZOOM = 0.0022;
const PINCH_ZOOM = 0.01;
const LINE_PX = 32;
/** A trackpad scrolls in finer steps than any wheel. */
const TRACKPAD_BELOW_PX = 40;

/** What gestures act on. */
export interface Target {
  /** The picture's size; null while none is open. */
  picture(): Size | null;
  view(): Size;
  camera(): Camera;
  look(camera: Camera): void;
  tool(): Tool | null;
  /** A press without a drag that no tool took. */
  tap(at: Point, event: PointerEvent): void;
  /** The pointer moved over the canvas, or left it; `busy` while a button is down. */
  hover(at: Point | null, busy: boolean): void;
  invalidate(): void;
}

/** Pointers, wheel and space bar: they pan and zoom; what is left goes to the tool. */
export class Gestures {
  private readonly host: HTMLElement;
  private readonly target: Target;
  private readonly pointers = new Map<number, Point>();
  private readonly abort = new AbortController();
  private panning = false;
  private moved = false;
  private spaceHeld = false;

  constructor(host: HTMLElement, target: Target) {
    this.host = host;
    this.target = target;
    this.listen();
  }

  destroy(): void {
    this.abort.abort();
  }

  private listen(): void {
    const { signal } = this.abort;
    const { host } = this;
    host.addEventListener("wheel", (event) => this.wheel(event), { passive: false, signal });
    host.addEventListener("pointerdown", (event) => this.down(event), { signal });
    host.addEventListener("pointermove", (event) => this.move(event), { signal });
    host.addEventListener("pointerup", (event) => this.up(event, false), { signal });
    host.addEventListener("pointercancel", (event) => this.up(event, true), { signal });
    host.addEventListener("pointerleave", () => this.target.hover(null, this.pointers.size > 0), { signal });
    host.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    addEventListener("keydown", (event) => this.space(event, true), { signal });
    addEventListener("keyup", (event) => this.space(event, false), { signal });
  }

  private space(event: KeyboardEvent, held: boolean): void {
    if (event.code !== "Space") return;
    if (event.target instanceof HTMLElement && event.target.closest("button, input, textarea, select, a")) return;
    if (held) event.preventDefault();
    this.spaceHeld = held;
    this.setCursor(null);
  }

  private at(event: MouseEvent): Point {
    const box = this.host.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private image(at: Point): Point {
    return toImage(this.target.camera(), at);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const picture = this.target.picture();
    if (!picture) return;
    const pixels = event.deltaMode === 0;
    const trackpad = !event.ctrlKey && pixels && (event.deltaX !== 0 || Math.abs(event.deltaY) < TRACKPAD_BELOW_PX);
    if (trackpad) {
      this.target.look(pan(this.target.camera(), -event.deltaX, -event.deltaY, picture, this.target.view()));
      return;
    }
    const steps = event.deltaY * (pixels ? 1 : LINE_PX) * (event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM);
    this.target.look(zoomAt(this.target.camera(), this.at(event), Math.exp(-steps), picture, this.target.view()));
  }

  private down(event: PointerEvent): void {
    const at = this.at(event);
    this.host.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    this.moved = false;
    const tool = this.target.tool();
    if (this.pointers.size > 1) {
      tool?.cancel();
      this.panning = true;
      return;
    }
    const pans = event.button === 1 || this.spaceHeld;
    this.panning = pans || event.button !== 0 || !tool?.down(this.image(at), event, at);
    this.setCursor(at);
    this.target.invalidate();
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (before && Math.hypot(at.x - before.x, at.y - before.y) > 0) {
      if (this.panning) this.drag(event.pointerId, before, at);
      this.pointers.set(event.pointerId, at);
    }
    if (!this.panning) this.target.tool()?.move(this.image(at), event, at);
    this.target.hover(at, this.pointers.size > 0);
    if (this.pointers.size === 0) this.setCursor(at);
    if (this.target.tool()?.guides) this.target.invalidate();
  }

  /** One pointer pans; of two, the distance zooms and the middle pans. */
  private drag(id: number, before: Point, at: Point): void {
    const [picture, view] = [this.target.picture(), this.target.view()];
    if (!picture) return;
    this.moved = true;
    const other = [...this.pointers].find(([key]) => key !== id)?.[1];
    if (!other) {
      this.target.look(pan(this.target.camera(), at.x - before.x, at.y - before.y, picture, view));
      return;
    }
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    const spread = Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
    const zoomed = zoomAt(this.target.camera(), middle, Math.hypot(at.x - other.x, at.y - other.y) / spread, picture, view);
    this.target.look(pan(zoomed, (at.x - before.x) / 2, (at.y - before.y) / 2, picture, view));
  }

  private up(event: PointerEvent, cancelled: boolean): void {
    const at = this.at(event);
    if (!this.pointers.delete(event.pointerId)) return;
    const last = this.pointers.size === 0;
    if (this.panning) {
      if (last && !this.moved && !cancelled && event.button === 0 && !this.spaceHeld) this.target.tap(at, event);
      this.panning = !last;
    } else if (cancelled) this.target.tool()?.cancel();
    else this.target.tool()?.up(this.image(at), event, at);
    this.setCursor(at);
    this.target.invalidate();
  }

  private setCursor(at: Point | null): void {
    const panning = this.spaceHeld || (this.panning && this.moved);
    this.host.style.cursor = panning ? "grab" : (this.target.tool()?.cursor(at) ?? "default");
  }
}
