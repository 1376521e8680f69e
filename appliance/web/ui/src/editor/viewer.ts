import { type Camera, centred, fit, keepInView, pan, type Point, type Size, toImage, toScreen, zoomAt } from "./camera";
import { PLATE_HEIGHT, placePlates, type Wanted } from "./render/plates";
import { drawShape, type Shape } from "./render/shapes";
import { type Bounds, bounds, extent, hits } from "./shape";
import type { Tool } from "./tools/tool";

const NAMES_UP_TO = 40;
const REACH_PX = 6;
const WHEEL_ZOOM = 0.0022;
const HAIRLINE = "#5b6675";
const PLATE_FONT = '400 12px "Inter Variable", system-ui, sans-serif';
const PLATE_FONT_SELECTED = '600 12px "Inter Variable", system-ui, sans-serif';

interface Events {
  pick: (id: string | null) => void;
  hover: (at: Point | null) => void;
  view: (camera: Camera) => void;
}

interface Picture extends Size {
  bitmap: CanvasImageSource;
}

/**
 * A picture with its annotations on three layers: picture, shapes, overlay.
 *
 * Knows no framework and no document: it draws the shapes it was given, keeps the camera, and
 * tells what the pointer does. A tool, where one is set, gets the pointer first.
 */
export class Viewer {
  tool: Tool | null = null;
  camera: Camera = { x: 0, y: 0, scale: 1 };
  private readonly host: HTMLElement;
  private readonly layers: CanvasRenderingContext2D[];
  private readonly on: Partial<Events>;
  private readonly observer: ResizeObserver;
  private readonly pointers = new Map<number, Point>();
  private readonly abort = new AbortController();
  private picture: Picture | null = null;
  private shapes: readonly Shape[] = [];
  private selected: string | null = null;
  private hovered: string | null = null;
  private view: Size = { width: 1, height: 1 };
  private frame = 0;
  private dirty = { picture: true, shapes: true };
  private fitted = true;
  private panning = false;
  private spaceHeld = false;
  private moved = false;

  constructor(host: HTMLElement, on: Partial<Events> = {}) {
    this.host = host;
    this.on = on;
    this.layers = ["picture", "shapes", "overlay"].map((name) => this.addLayer(name));
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
    this.listen();
    this.resize();
  }

  destroy(): void {
    this.abort.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    for (const layer of this.layers) layer.canvas.remove();
  }

  get size(): Size | null {
    return this.picture;
  }

  /** Show a picture; the view stays when the new one has the size of the old one. */
  setPicture(picture: Picture | null): void {
    const old = this.picture;
    this.picture = picture;
    const same = old && picture && old.width === picture.width && old.height === picture.height;
    if (picture && !same) this.fit();
    this.invalidate(true);
  }

  setShapes(shapes: readonly Shape[], selected: string | null): void {
    this.shapes = shapes;
    this.selected = selected;
    this.invalidate(false);
  }

  fit(): void {
    if (!this.picture) return;
    this.fitted = true;
    this.look(fit(this.picture, this.view));
  }

  zoomTo(scale: number): void {
    if (!this.picture) return;
    this.fitted = false;
    this.look(keepInView(centred(this.picture, this.view, scale), this.picture, this.view));
  }

  zoomBy(factor: number, at: Point = { x: this.view.width / 2, y: this.view.height / 2 }): void {
    if (!this.picture) return;
    this.fitted = false;
    this.look(zoomAt(this.camera, at, factor, this.picture, this.view));
  }

  /** The topmost shape at a point of the screen: of several, the smallest. */
  shapeAt(screen: Point): Shape | null {
    const at = toImage(this.camera, screen);
    const reach = REACH_PX / this.camera.scale;
    const found = this.shapes.filter((shape) => hits(shape.annotation.geometry, at, reach));
    return found.sort((a, b) => extent(a.annotation.geometry) - extent(b.annotation.geometry))[0] ?? null;
  }

  /** Draw again before the next frame. */
  invalidate(picture = false): void {
    this.dirty.shapes = true;
    this.dirty.picture ||= picture;
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  private look(camera: Camera): void {
    this.camera = camera;
    this.on.view?.(camera);
    this.invalidate(true);
  }

  private addLayer(name: string): CanvasRenderingContext2D {
    const canvas = document.createElement("canvas");
    canvas.className = `layer ${name}`;
    this.host.append(canvas);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser cannot draw: it has no 2D canvas.");
    return context;
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.host;
    this.view = { width: Math.max(1, clientWidth), height: Math.max(1, clientHeight) };
    for (const { canvas } of this.layers) {
      canvas.width = Math.round(this.view.width * devicePixelRatio);
      canvas.height = Math.round(this.view.height * devicePixelRatio);
    }
    if (this.picture) {
      if (this.fitted) this.camera = fit(this.picture, this.view);
      this.camera = keepInView(this.camera, this.picture, this.view);
      this.on.view?.(this.camera);
    }
    this.dirty = { picture: true, shapes: true };
    this.draw();
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const [picture, shapes, overlay] = this.layers;
    if (this.dirty.picture) this.drawPicture(this.clear(picture));
    if (this.dirty.shapes) {
      this.drawShapes(this.clear(shapes));
      this.drawOverlay(this.clear(overlay));
    }
    this.dirty = { picture: false, shapes: false };
  }

  private clear(context: CanvasRenderingContext2D): CanvasRenderingContext2D {
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.view.width, this.view.height);
    return context;
  }

  private drawPicture(context: CanvasRenderingContext2D): void {
    if (!this.picture) return;
    const { x, y, scale } = this.camera;
    const [width, height] = [this.picture.width * scale, this.picture.height * scale];
    context.imageSmoothingEnabled = scale < 4;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture.bitmap, x, y, width, height);
    context.strokeStyle = HAIRLINE;
    context.lineWidth = 1;
    context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
  }

  private drawShapes(context: CanvasRenderingContext2D): void {
    if (!this.picture) return;
    for (const shape of this.shapes) {
      const { id } = shape.annotation;
      if (id !== this.selected && id !== this.hovered) drawShape(context, shape, this.camera, "none");
    }
  }

  private drawOverlay(context: CanvasRenderingContext2D): void {
    if (!this.picture) return;
    const find = (id: string | null): Shape | undefined => this.shapes.find((shape) => shape.annotation.id === id);
    const [selected, hovered] = [find(this.selected), find(this.hovered)];
    if (hovered && hovered !== selected) drawShape(context, hovered, this.camera, "hovered");
    if (selected) drawShape(context, selected, this.camera, "selected");
    this.drawPlates(context);
    this.tool?.draw?.(context, this.camera);
  }

  private screenBox(shape: Shape): Bounds | null {
    const box = bounds(shape.annotation.geometry);
    if (!box) return null;
    const [from, to] = [toScreen(this.camera, { x: box.x1, y: box.y1 }), toScreen(this.camera, { x: box.x2, y: box.y2 })];
    return { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
  }

  private drawPlates(context: CanvasRenderingContext2D): void {
    const view = { x1: 0, y1: 0, x2: this.view.width, y2: this.view.height };
    const inView = this.shapes.flatMap((shape) => {
      const box = this.screenBox(shape);
      const shows = box && box.x1 < view.x2 && box.x2 > 0 && box.y1 < view.y2 && box.y2 > 0;
      return shows ? [{ shape, box }] : [];
    });
    const special = (shape: Shape): boolean =>
      shape.annotation.id === this.selected || shape.annotation.id === this.hovered;
    const named = inView.length <= NAMES_UP_TO ? inView : inView.filter(({ shape }) => special(shape));
    named.sort((a, b) => Number(special(b.shape)) - Number(special(a.shape)));
    const wanted: Wanted[] = named.map(({ shape, box }) => {
      context.font = shape.annotation.id === this.selected ? PLATE_FONT_SELECTED : PLATE_FONT;
      const width = Math.ceil(context.measureText(shape.name).width) + 12;
      return { id: shape.annotation.id, box, width, must: special(shape) };
    });
    const byId = new Map(this.shapes.map((shape) => [shape.annotation.id, shape]));
    for (const plate of placePlates(wanted, view)) {
      const shape = byId.get(plate.id);
      if (shape) this.drawPlate(context, shape, plate.x, plate.y, plate.width);
    }
  }

  private drawPlate(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, width: number): void {
    const selected = shape.annotation.id === this.selected;
    context.fillStyle = selected ? "#fff" : "rgb(0 0 0 / 78%)";
    context.fillRect(x, y, width, PLATE_HEIGHT);
    context.fillStyle = shape.color;
    const step = shape.state === "prediction" ? 4 : PLATE_HEIGHT;
    for (let dy = 0; dy < PLATE_HEIGHT; dy += step * 1.5) {
      context.fillRect(x, y + dy, 3, Math.min(step, PLATE_HEIGHT - dy));
    }
    context.font = selected ? PLATE_FONT_SELECTED : PLATE_FONT;
    context.fillStyle = selected ? "#000" : "#e6eaf0";
    context.textBaseline = "middle";
    context.fillText(shape.name, x + 7, y + PLATE_HEIGHT / 2 + 1);
  }

  // Pointer, wheel and the space bar.

  private listen(): void {
    const { signal } = this.abort;
    const { host } = this;
    host.addEventListener("wheel", (event) => this.wheel(event), { passive: false, signal });
    host.addEventListener("pointerdown", (event) => this.down(event), { signal });
    host.addEventListener("pointermove", (event) => this.move(event), { signal });
    host.addEventListener("pointerup", (event) => this.up(event, false), { signal });
    host.addEventListener("pointercancel", (event) => this.up(event, true), { signal });
    host.addEventListener("pointerleave", () => this.hover(null), { signal });
    host.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    const space = (held: boolean) => (event: KeyboardEvent) => {
      if (event.code !== "Space" || (event.target instanceof HTMLElement && event.target.closest("button, input, a")))
        return;
      if (held) event.preventDefault();
      this.spaceHeld = held;
      this.setCursor();
    };
    addEventListener("keydown", space(true), { signal });
    addEventListener("keyup", space(false), { signal });
  }

  private at(event: MouseEvent): Point {
    const box = this.host.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    if (!this.picture) return;
    // A trackpad scrolls in fine steps on both axes; a wheel and a pinch (ctrl) zoom.
    const trackpad = !event.ctrlKey && event.deltaMode === 0 && (event.deltaX !== 0 || Math.abs(event.deltaY) < 40);
    if (trackpad) {
      this.fitted = false;
      this.look(pan(this.camera, -event.deltaX, -event.deltaY, this.picture, this.view));
    } else {
      const lines = event.deltaMode === 0 ? event.deltaY : event.deltaY * 32;
      this.zoomBy(Math.exp(-lines * (event.ctrlKey ? 0.01 : WHEEL_ZOOM)), this.at(event));
    }
  }

  private down(event: PointerEvent): void {
    const at = this.at(event);
    this.host.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    this.moved = false;
    if (this.pointers.size > 1) {
      this.tool?.cancel();
      this.panning = true;
      return;
    }
    const pans = event.button === 1 || this.spaceHeld;
    this.panning = pans || event.button !== 0 || !this.tool?.down(toImage(this.camera, at), event, at);
    this.setCursor();
    this.invalidate();
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (before && Math.hypot(at.x - before.x, at.y - before.y) > 0) {
      if (this.panning) this.drag(event.pointerId, before, at);
      this.pointers.set(event.pointerId, at);
    }
    if (!this.panning) this.tool?.move(toImage(this.camera, at), event, at);
    this.hover(at);
  }

  /** One pointer pans; of two, the distance zooms and the middle pans. */
  private drag(id: number, before: Point, at: Point): void {
    if (!this.picture) return;
    this.moved = true;
    this.fitted = false;
    const other = [...this.pointers].find(([key]) => key !== id)?.[1];
    if (!other) {
      this.look(pan(this.camera, at.x - before.x, at.y - before.y, this.picture, this.view));
      return;
    }
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    const ratio = Math.hypot(at.x - other.x, at.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
    const zoomed = zoomAt(this.camera, middle, ratio, this.picture, this.view);
    this.look(pan(zoomed, (at.x - before.x) / 2, (at.y - before.y) / 2, this.picture, this.view));
  }

  private up(event: PointerEvent, cancelled: boolean): void {
    const at = this.at(event);
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.panning) {
      if (!this.moved && !cancelled && event.button === 0 && this.pointers.size === 0 && !this.spaceHeld) {
        this.on.pick?.(this.shapeAt(at)?.annotation.id ?? null);
      }
      this.panning = this.pointers.size > 0;
    } else if (cancelled) this.tool?.cancel();
    else this.tool?.up(toImage(this.camera, at), event, at);
    this.setCursor();
    this.invalidate();
  }

  private hover(at: Point | null): void {
    const hovered = at && this.pointers.size === 0 ? (this.shapeAt(at)?.annotation.id ?? null) : null;
    this.on.hover?.(at && this.picture ? toImage(this.camera, at) : null);
    const changed = hovered !== this.hovered;
    this.hovered = hovered;
    if (this.pointers.size === 0) this.setCursor(at);
    if (changed || this.tool?.guides) this.invalidate();
  }

  private setCursor(at: Point | null = null): void {
    const panning = this.spaceHeld || (this.panning && this.moved);
    const wanted = panning ? "grab" : (this.tool?.cursor(at) ?? (this.hovered ? "pointer" : "default"));
    this.host.style.cursor = wanted;
  }
}
