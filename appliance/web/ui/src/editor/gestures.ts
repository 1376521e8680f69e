import { pan, type Camera, type Point, type Size, toImage, zoomAt } from "./camera";
import { Contacts } from "./contacts";
import type { Press, Tool } from "./tools/tool";
import { wheelMove } from "./wheel";

const SLACK_PX = { mouse: 3, pen: 4, touch: 10 };
const LONG_PRESS_MS = 500;
/** A second finger that comes this soon belongs to the first: the two of them pinch. */
const TOGETHER_MS = 300;
const CONTROLS = "button, input, textarea, select, a";

/** What gestures act on. */
export interface Target {
  /** The picture's size; null while none is open. */
  picture(): Size | null;
  view(): Size;
  camera(): Camera;
  look(camera: Camera): void;
  tool(): Tool | null;
  /** False where fingers only move the picture, because a pen draws. */
  fingersDraw(): boolean;
  /** A pen touched the stage. */
  penned(): void;
  /** A press without a drag that no tool took. */
  tap(press: Press): void;
  /** The pointer moved over the canvas, or left it; `busy` while a button is down. */
  hover(at: Point | null, busy: boolean): void;
  invalidate(): void;
}

/** Who has the pointers that are down: nobody, the tool, or the view, which they pan and zoom. */
type Mode = "idle" | "tool" | "pan" | "pinch";

/** Pointers, wheel and space bar: they pan and zoom; what is left goes to the tool. */
export class Gestures {
  private readonly host: HTMLElement;
  private readonly target: Target;
  private readonly contacts = new Contacts();
  private readonly abort = new AbortController();
  private mode: Mode = "idle";
  private began = 0;
  private moved = false;
  private spaceHeld = false;
  private minus = false;
  private press: Press | null = null;
  private longPress: ReturnType<typeof setTimeout> | undefined;

  constructor(host: HTMLElement, target: Target, keys: EventTarget = window) {
    this.host = host;
    this.target = target;
    this.listen(keys);
  }

  destroy(): void {
    clearTimeout(this.longPress);
    this.abort.abort();
  }

  /** True while a press belongs to the tool. */
  get busy(): boolean {
    return this.mode === "tool";
  }

  /** Make the next press a secondary one; answers whether it will be. */
  minusNext(): boolean {
    this.minus = !this.minus;
    return this.minus;
  }

  /** Let go of the press that is under way; what it began is taken back. */
  release(): void {
    clearTimeout(this.longPress);
    if (this.mode === "tool") this.target.tool()?.cancel();
    this.mode = "idle";
    this.moved = true;
  }

  private listen(keys: EventTarget): void {
    const { signal } = this.abort;
    const on = <K extends keyof HTMLElementEventMap>(name: K, act: (event: HTMLElementEventMap[K]) => void): void =>
      this.host.addEventListener(name, act, { signal, passive: false });
    on("wheel", (event) => this.wheel(event));
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event, false));
    on("pointercancel", (event) => this.up(event, true));
    on("pointerleave", (event) => this.leave(event));
    on("contextmenu", (event) => event.preventDefault());
    keys.addEventListener("keydown", (event) => this.space(event as KeyboardEvent, true), { signal });
    keys.addEventListener("keyup", (event) => this.space(event as KeyboardEvent, false), { signal });
    keys.addEventListener("blur", () => (this.spaceHeld = false), { signal });
  }

  private space(event: KeyboardEvent, held: boolean): void {
    if (event.code !== "Space") return;
    if ((event.target as Partial<Element> | null)?.closest?.(CONTROLS)) return;
    if (held) event.preventDefault();
    this.spaceHeld = held;
    this.setCursor(null);
  }

  private at(event: MouseEvent): Point {
    const box = this.host.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private pressOf(event: PointerEvent, secondary: boolean, count: number): Press {
    const at = this.at(event);
    const kind = event.pointerType === "touch" || event.pointerType === "pen" ? event.pointerType : "mouse";
    return {
      at, kind, secondary, count,
      image: toImage(this.target.camera(), at),
      shift: event.shiftKey, alt: event.altKey, ctrl: event.ctrlKey || event.metaKey,
      pressure: kind === "pen" ? event.pressure : 0.5,
    };
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const [picture, view, camera] = [this.target.picture(), this.target.view(), this.target.camera()];
    if (!picture) return;
    const { dx, dy, factor } = wheelMove(event);
    if (factor === 1) this.target.look(pan(camera, dx, dy, picture, view));
    else this.target.look(zoomAt(camera, this.at(event), factor, picture, view));
  }

  private down(event: PointerEvent): void {
    const at = this.at(event);
    if (!this.contacts.down(event, at)) return;
    this.host.setPointerCapture(event.pointerId);
    if (event.pointerType === "pen") {
      if (this.contacts.size > 1) this.release();
      this.contacts.keepOnly(event.pointerId);
      this.target.penned();
    }
    if (this.contacts.size > 1) {
      this.second(event);
      return;
    }
    this.began = event.timeStamp;
    this.moved = false;
    const secondary = event.button === 2 || event.button === 5 || this.minus;
    this.press = this.pressOf(event, secondary, this.contacts.count);
    this.minus = false;
    this.mode = this.gives(event) && this.target.tool()?.down(this.press) ? "tool" : "pan";
    if (this.mode === "tool" && event.pointerType === "touch") this.waitForLongPress();
    this.setCursor(at);
    this.target.invalidate();
  }

  /** Whether a first press is the tool's to take. */
  private gives(event: PointerEvent): boolean {
    if (event.button === 1 || this.spaceHeld) return false;
    return event.pointerType !== "touch" || this.target.fingersDraw();
  }

  /** A second contact: with the first one it pinches, unless that one is drawing already. */
  private second(event: PointerEvent): void {
    if (this.mode === "tool") {
      if (event.timeStamp - this.began > TOGETHER_MS && this.moved) {
        this.contacts.lift(event.pointerId);
        return;
      }
      this.release();
    }
    clearTimeout(this.longPress);
    this.mode = "pinch";
    this.moved = true;
  }

  private waitForLongPress(): void {
    clearTimeout(this.longPress);
    this.longPress = setTimeout(() => {
      const [tool, { press }] = [this.target.tool(), this];
      if (this.mode !== "tool" || this.moved || !tool || !press) return;
      tool.cancel();
      this.press = { ...press, secondary: true, count: 1 };
      this.moved = true;
      this.mode = tool.down(this.press) ? "tool" : "pan";
      this.target.invalidate();
    }, LONG_PRESS_MS);
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    const before = this.contacts.move(event, at);
    if (before === "palm") return;
    const tool = this.target.tool();
    if (before && this.press && Math.hypot(at.x - this.press.at.x, at.y - this.press.at.y) > SLACK_PX[this.press.kind]) {
      if (!this.moved) clearTimeout(this.longPress);
      this.moved = true;
    }
    if (before && (this.mode === "pan" || this.mode === "pinch")) this.drag(event.pointerId, before, at);
    else if (this.mode === "tool" ? before : event.pointerType !== "touch") this.follow(tool, event);
    this.target.hover(at, this.contacts.size > 0);
    if (this.contacts.size === 0) this.setCursor(at);
    if (tool?.guides) this.target.invalidate();
  }

  private follow(tool: Tool | null, event: PointerEvent): void {
    const { secondary = false, count = 1 } = this.mode === "tool" && this.press ? this.press : {};
    const all = tool?.traces && this.mode === "tool" ? (event.getCoalescedEvents?.() ?? []) : [];
    for (const one of all.length > 0 ? all : [event]) tool?.move(this.pressOf(one, secondary, count));
  }

  /** One pointer pans; of two, the distance zooms and the middle pans. */
  private drag(id: number, before: Point, at: Point): void {
    const [picture, view] = [this.target.picture(), this.target.view()];
    if (!picture || (this.mode === "pan" && !this.moved)) return;
    const other = this.contacts.other(id);
    if (!other) {
      const from = this.contacts.takeSlack(id) ?? before;
      this.target.look(pan(this.target.camera(), at.x - from.x, at.y - from.y, picture, view));
      return;
    }
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    const spread = Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
    const zoomed = zoomAt(this.target.camera(), middle, Math.hypot(at.x - other.x, at.y - other.y) / spread, picture, view);
    this.target.look(pan(zoomed, (at.x - before.x) / 2, (at.y - before.y) / 2, picture, view));
  }

  private up(event: PointerEvent, cancelled: boolean): void {
    const at = this.at(event);
    if (!this.contacts.lift(event.pointerId)) return;
    clearTimeout(this.longPress);
    const { press } = this;
    const now = this.pressOf(event, press?.secondary ?? false, press?.count ?? 1);
    if (this.mode === "tool") {
      if (cancelled) this.target.tool()?.cancel();
      else this.target.tool()?.up(now);
    } else if (this.mode === "pan" && !this.moved && !cancelled && event.button === 0 && !this.spaceHeld) this.target.tap(now);
    this.mode = this.contacts.size > 0 ? "pan" : "idle";
    if (this.mode === "pan") this.moved = true;
    if (this.mode === "idle") this.press = null;
    this.setCursor(at);
    this.target.invalidate();
  }

  private leave(event: PointerEvent): void {
    this.target.hover(null, this.contacts.size > 0);
    if (this.mode === "idle" && event.pointerType !== "touch") this.target.tool()?.leave?.();
    this.target.invalidate();
  }

  private setCursor(at: Point | null): void {
    const panning = this.spaceHeld || ((this.mode === "pan" || this.mode === "pinch") && this.moved);
    this.host.style.cursor = panning ? "grab" : (this.target.tool()?.cursor(at) ?? "default");
  }
}
