import { effect } from "@preact/signals-core";

import type { Geometry, Label } from "../../api/types";
import { type Camera, type Point, type Size, toScreen } from "../camera";
import type { ImageDocument } from "../document";
import type { Picture } from "../picture";
import type { EditorSession } from "../session";
import { type Bounds, bounds, extent, hits } from "../shape";
import { shapesOf } from "../shapes-of";
import { Brush } from "./brush";
import { drawPlates } from "./plates";
import { drawShape, type Shape } from "./shapes";
import { TileLayer } from "./tiles";

const HAIRLINE = "#5b6675";

type Overlay = (context: CanvasRenderingContext2D, camera: Camera) => void;

/**
 * A picture with its annotations on four layers: picture, shapes, the mask being painted, overlay.
 *
 * Reads the document and the session by itself and draws before the next frame; knows no pointer.
 */
export class Renderer {
  view: Size = { width: 1, height: 1 };
  /** The mask that is being painted. */
  readonly brush: Brush;
  private readonly session: EditorSession;
  private readonly layers: CanvasRenderingContext2D[];
  private readonly stops: (() => void)[];
  private picture: Picture | null = null;
  private tiles: TileLayer | null = null;
  private document: ImageDocument | null = null;
  private labels: readonly Label[] = [];
  private unlisten: () => void = () => undefined;
  private preview: ReadonlyMap<string, Geometry> | null = null;
  private overlay: Overlay = () => undefined;
  private known: readonly Shape[] | null = null;
  private frame = 0;
  private lifted: string | null = null;
  private dirty = { picture: true, shapes: true };

  constructor(host: HTMLElement, session: EditorSession) {
    this.session = session;
    this.brush = new Brush({
      size: () => this.picture ?? { width: 1, height: 1 },
      lift: (id) => {
        this.lifted = id;
        this.stale();
      },
      invalidate: () => this.invalidate(),
    });
    this.layers = ["picture", "shapes", "brush", "overlay"].map((name) => addLayer(host, name));
    this.stops = [
      effect(() => (void session.camera.value, this.invalidate(true))),
      effect(() => (void [session.hidden, session.hiddenAll, session.threshold, session.struck, session.colorBy].map((one) => one.value), this.stale())),
      effect(() => (void [session.selection.value, session.hovered.value], this.invalidate())),
    ];
  }

  destroy(): void {
    this.tiles?.destroy();
    this.unlisten();
    for (const stop of this.stops) stop();
    cancelAnimationFrame(this.frame);
    for (const layer of this.layers) layer.canvas.remove();
  }

  /** Take the size of the place it draws into, in CSS pixels. */
  resize(view: Size): void {
    this.view = view;
    for (const { canvas } of this.layers) {
      canvas.width = Math.round(view.width * devicePixelRatio);
      canvas.height = Math.round(view.height * devicePixelRatio);
    }
    this.dirty = { picture: true, shapes: true };
    this.draw();
  }

  setPicture(picture: Picture | null): void {
    if (picture?.tiles !== this.picture?.tiles) {
      this.tiles?.destroy();
      this.tiles = picture?.tiles ? new TileLayer(picture.tiles, () => this.invalidate(true)) : null;
    }
    this.picture = picture;
    this.invalidate(true);
  }

  setDocument(document: ImageDocument | null, labels: readonly Label[]): void {
    this.unlisten();
    this.document = document;
    this.labels = labels;
    this.unlisten = document?.listen(() => this.changed()) ?? (() => undefined);
    this.brush.cancelMask();
    this.stale();
  }

  /** Draw these geometries in place of the document's until null is set. */
  setPreview(changes: ReadonlyMap<string, Geometry> | null): void {
    this.preview = changes;
    this.stale();
  }

  setOverlay(draw: Overlay): void {
    this.overlay = draw;
    this.invalidate();
  }

  /** The id of the topmost annotation within `reach` image pixels of a point: of several, the smallest. */
  pick(at: Point, reach: number): string | null {
    const found = this.shapes.filter((shape) => hits(shape.annotation.geometry, at, reach));
    return found.sort((a, b) => extent(a.annotation.geometry) - extent(b.annotation.geometry))[0]?.annotation.id ?? null;
  }

  /** Ids of what is shown and lies wholly within bounds in the image. */
  within(area: Bounds): string[] {
    const inside = (box: Bounds | null): boolean =>
      box !== null && box.x1 >= area.x1 && box.y1 >= area.y1 && box.x2 <= area.x2 && box.y2 <= area.y2;
    return this.shapes.filter(({ annotation }) => inside(bounds(annotation.geometry))).map(({ annotation }) => annotation.id);
  }

  /** Draw again before the next frame. */
  invalidate(picture = false): void {
    this.dirty.shapes = true;
    this.dirty.picture ||= picture;
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  private changed(): void {
    this.brush.clear();
    if (!this.brush.active) this.lifted = null;
    this.stale();
  }

  private stale(): void {
    this.known = null;
    this.invalidate();
  }

  private get shapes(): readonly Shape[] {
    if (this.known) return this.known;
    const { threshold, hiddenAll, hidden, struck } = this.session;
    const shown = (this.document?.all ?? []).filter((one) => one.id !== this.lifted && !hidden.value.has(one.id));
    const drawn = shown.map((one) => {
      const geometry = this.preview?.get(one.id) ?? one.geometry;
      return { ...one, geometry, status: struck.value.has(one.id) ? ("rejected" as const) : one.status };
    });
    this.known = shapesOf(drawn, this.labels, { threshold: threshold.value, hidden: hiddenAll.value });
    return this.known;
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const [picture, shapes, brush, overlay] = this.layers;
    this.brush.draw(this.scaled(brush), this.session.camera.value, this.view, this.dirty.picture);
    if (this.dirty.picture) this.drawPicture(this.clear(picture));
    if (this.dirty.shapes) {
      this.drawShapes(this.clear(shapes));
      this.drawOverlay(this.clear(overlay));
    }
    this.dirty = { picture: false, shapes: false };
  }

  private clear(context: CanvasRenderingContext2D): CanvasRenderingContext2D {
    this.scaled(context).clearRect(0, 0, this.view.width, this.view.height);
    return context;
  }

  /** The unit is the CSS pixel. */
  private scaled(context: CanvasRenderingContext2D): CanvasRenderingContext2D {
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    return context;
  }

  private drawPicture(context: CanvasRenderingContext2D): void {
    if (!this.picture) return;
    const { x, y, scale } = this.session.camera.value;
    const [width, height] = [this.picture.width * scale, this.picture.height * scale];
    if (this.tiles) this.tiles.draw(context, this.session.camera.value, this.view);
    else {
      context.imageSmoothingEnabled = scale < 4;
      context.imageSmoothingQuality = "high";
      context.drawImage(this.picture.bitmap, x, y, width, height);
    }
    context.strokeStyle = HAIRLINE;
    context.lineWidth = 1;
    context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
  }

  private special(shape: Shape): boolean {
    return this.session.selection.value.has(shape.annotation.id) || this.session.hovered.value === shape.annotation.id;
  }

  private drawShapes(context: CanvasRenderingContext2D): void {
    if (!this.picture) return;
    for (const shape of this.shapes) {
      if (!this.special(shape)) drawShape(context, shape, this.session.camera.value, "none");
    }
  }

  private drawOverlay(context: CanvasRenderingContext2D): void {
    if (!this.picture) return;
    const { selection, camera } = this.session;
    const special = this.shapes.filter((shape) => this.special(shape));
    const selected = (shape: Shape): boolean => selection.value.has(shape.annotation.id);
    for (const shape of special) if (!selected(shape)) drawShape(context, shape, camera.value, "hovered");
    for (const shape of special) if (selected(shape)) drawShape(context, shape, camera.value, "selected");
    const boxes = this.shapes.flatMap((shape) => this.onScreen(shape) ?? []);
    drawPlates(context, boxes, this.view, selected, (shape) => this.special(shape));
    this.overlay(context, camera.value);
  }

  /** A shape with its bounds on the screen, when some of it is in view. */
  private onScreen(shape: Shape): { shape: Shape; box: Bounds } | null {
    const box = bounds(shape.annotation.geometry);
    if (!box) return null;
    const camera = this.session.camera.value;
    const [from, to] = [toScreen(camera, { x: box.x1, y: box.y1 }), toScreen(camera, { x: box.x2, y: box.y2 })];
    const seen = from.x < this.view.width && to.x > 0 && from.y < this.view.height && to.y > 0;
    return seen ? { shape, box: { x1: from.x, y1: from.y, x2: to.x, y2: to.y } } : null;
  }
}

function addLayer(host: HTMLElement, name: string): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.className = `layer ${name}`;
  host.append(canvas);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw: it has no 2D canvas.");
  return context;
}
