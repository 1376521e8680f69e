import { effect } from "@preact/signals-core";

import type { Geometry, Label } from "../../api/types";
import { fit, type Point, type Size, snapped } from "../camera";
import type { Change, ImageDocument } from "../document";
import type { Picture } from "../picture";
import type { EditorSession } from "../session";
import type { Bounds } from "../shape";
import { Brush } from "./brush";
import { addLayers, type Layers } from "./layers";
import { MovingLayer } from "./moving-layer";
import { Overlay, type Draw } from "./overlay";
import { PictureLayer } from "./picture-layer";
import type { Scene } from "./scene";
import { type Drawn, Sheets } from "./sheets";
import type { StaticLayer } from "./static-layer";

/** Until the view rests for so long, the picture is drawn quickly rather than finely. */
const SETTLE_MS = 80;
/** Who waits for the shapes to be painted waits no longer than this, and then for a quiet moment no longer than that. */
const SHOWN_MS = 1_000;
const IDLE_MS = 250;
/** More changed shapes than this at once are not held on the overlay until they show beneath. */
const HELD_MOST = 200;

type Layer = keyof Layers;

/**
 * A picture with its annotations, on layers: picture, static shapes, the mask being painted, overlay.
 *
 * Reads the document and the session by itself, one change at a time, and draws before the next
 * frame what has changed. A gesture only moves what is cached; what somebody works on (selected,
 * under the pointer, being dragged) lies on the overlay. Knows no pointer.
 */
export class Renderer {
  view: Size = { width: 1, height: 1 };
  /** The mask that is being painted. */
  readonly brush: Brush;
  private readonly session: EditorSession;
  private readonly layers: Layers;
  private readonly picture: PictureLayer;
  private readonly sheets: Sheets;
  private readonly overlay: Overlay;
  private readonly moved: MovingLayer;
  private readonly stops: (() => void)[];
  private unlisten: () => void = () => undefined;
  private preview: ReadonlyMap<string, Geometry> | null = null;
  /** Kept on the overlay until the static layer shows this change. */
  private readonly held = new Map<string, number>();
  private painted: { id: string | null; ended: boolean } | null = null;
  private readonly dirty = new Set<Layer>();
  private frame = 0;
  private moving = false;
  /** There is no picture, and nothing on any layer. */
  private blank = true;
  private timer = 0;
  private readonly waiting = new Set<() => void>();

  constructor(host: HTMLElement, session: EditorSession) {
    this.session = session;
    this.layers = addLayers(host);
    this.picture = new PictureLayer(host, this.layers.picture.canvas, () => this.redraw("picture"));
    this.sheets = new Sheets(session, () => this.advance());
    this.overlay = new Overlay(session, this.scene);
    this.moved = new MovingLayer(this.layers.moving);
    this.brush = new Brush({
      size: () => this.picture.size ?? { width: 1, height: 1 },
      lift: (id) => this.paint(id),
      ended: () => this.endPaint(),
      invalidate: () => this.redraw("brush"),
    });
    this.stops = this.follow(session);
  }

  destroy(): void {
    this.unlisten();
    for (const stop of this.stops) stop();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.sheets.destroy();
    this.picture.destroy();
    for (const layer of Object.values(this.layers)) layer.canvas.remove();
  }

  /** Take the size of the place it draws into, in CSS pixels; false when it has that: canvases would be made anew. */
  resize(view: Size): boolean {
    const canvases = Object.values(this.layers).filter((layer) => layer !== this.layers.moving).map(({ canvas }) => canvas);
    const [width, height] = [Math.round(view.width * devicePixelRatio), Math.round(view.height * devicePixelRatio)];
    const same = view.width === this.view.width && view.height === this.view.height;
    if (same && canvases.every((canvas) => canvas.width === width && canvas.height === height)) return false;
    this.view = view;
    for (const canvas of canvases) [canvas.width, canvas.height] = [width, height];
    this.redraw("picture", "shapes", "brush", "overlay");
    this.draw();
    return true;
  }

  setPicture(picture: Picture | null): void {
    this.picture.set(picture);
    this.redraw("picture", "shapes", "overlay");
  }

  setDocument(document: ImageDocument | null, labels: readonly Label[]): void {
    this.unlisten();
    this.unlisten = document?.listen((change) => this.apply(change)) ?? (() => undefined);
    this.painted = null;
    this.brush.cancelMask();
    this.preview = null;
    this.held.clear();
    const size = this.picture.size;
    const drawn = document && size ? { imageId: document.imageId, size, annotations: document.all } : null;
    this.sheets.show(drawn, labels, { camera: this.session.camera.peek(), size: this.view, ratio: devicePixelRatio });
    this.overlay.scene = this.scene;
    this.redraw("shapes", "overlay");
  }

  /** Have an image drawn ahead, as it will be seen when somebody turns to it. */
  prepare(drawn: Drawn, labels: readonly Label[], picture?: Picture): void {
    const { size } = this.picture;
    const stays = size?.width === drawn.size.width && size.height === drawn.size.height;
    const camera = stays ? this.session.camera.peek() : fit(drawn.size, this.view);
    if (picture) this.picture.prepare(picture);
    this.sheets.prepare(drawn, labels, { camera: snapped(camera), size: this.view, ratio: devicePixelRatio });
  }

  /** Draw these geometries, on the overlay, in place of the document's until null is set. */
  setPreview(changes: ReadonlyMap<string, Geometry> | null): void {
    const before = this.preview;
    this.preview = changes;
    const same = before && changes && before.size === changes.size && [...changes.keys()].every((id) => before.has(id));
    if (!same) this.lift();
    for (const id of before?.keys() ?? []) if (!changes?.has(id)) this.held.set(id, this.scene.stamp);
    this.redraw(...(same ? [] : (["overlay"] as const)), "moving");
  }

  setOverlay(draw: Draw): void {
    this.overlay.tool = draw;
    this.redraw("overlay");
  }

  /** The id of the smallest annotation within `reach` image pixels of a point, of equal ones the topmost. */
  pick(at: Point, reach: number): string | null {
    return this.scene.pick(at, reach, this.preview);
  }

  /** Ids of what is shown, not locked, and lies wholly within bounds in the image. */
  within(area: Bounds): string[] {
    return this.scene.within(area);
  }

  /** Call back after the frame that shows the shapes in view as they are now; at the latest a moment later. */
  whenShown(act: () => void): void {
    const once = (): void => {
      clearTimeout(timer);
      if (this.waiting.delete(once)) act();
    };
    const timer = setTimeout(once, SHOWN_MS);
    this.waiting.add(once);
    this.redraw("overlay");
  }

  /** Draw the overlay again before the next frame. */
  invalidate(): void {
    this.redraw("overlay");
  }

  private get scene(): Scene {
    return this.sheets.shown.scene;
  }

  private get shapes(): StaticLayer {
    return this.sheets.shown.layer;
  }

  private follow(session: EditorSession): (() => void)[] {
    return [
      effect(() => (void session.camera.value, this.move())),
      effect(() => (void [session.hidden, session.hiddenAll, session.threshold, session.struck, session.colorBy].map((one) => one.value), this.restyle())),
      effect(() => (void session.selection.value, this.scene.select(), this.redraw("overlay"))),
      effect(() => (void [session.hovered, session.ghosts, session.names].map((one) => one.value), this.redraw("overlay"))),
      effect(() => this.picture.surround(session.surround.value)),
      effect(() => this.picture.adjust(session.adjustment.value)),
    ];
  }

  private redraw(...layers: Layer[]): void {
    for (const layer of layers) this.dirty.add(layer);
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  private move(): void {
    this.moving = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.moving = false;
      this.redraw("picture", "shapes");
    }, SETTLE_MS) as unknown as number;
    this.redraw("picture", "shapes", "brush", "overlay");
  }

  private restyle(): void {
    this.scene.restyle();
    this.redraw("overlay");
  }

  private apply(change: Change): void {
    this.scene.apply(change);
    for (const [id, { after }] of change) {
      if (!after) this.held.delete(id);
      else if (change.size <= HELD_MOST && after.geometry.type !== "mask") this.held.set(id, this.scene.stamp);
    }
    this.redraw("overlay");
  }

  private lift(): void {
    const ids = new Set(this.preview?.keys());
    if (this.painted?.id && !this.painted.ended) ids.add(this.painted.id);
    this.scene.lift(ids);
  }

  private paint(id: string | null): void {
    this.painted = this.brush.active ? { id, ended: false } : null;
    this.lift();
  }

  private endPaint(): void {
    if (this.painted) this.painted.ended = true;
    this.redraw("brush");
  }

  /** There is more on the static layer: what waited on the overlay for it can go. */
  private advance(): void {
    const { shown } = this.shapes;
    for (const [id, stamp] of this.held) {
      if (shown < stamp) continue;
      this.held.delete(id);
      this.redraw("overlay");
    }
    if (this.painted?.ended && shown >= this.scene.stamp) {
      this.painted = null;
      this.brush.clear();
    }
    this.redraw("shapes");
  }

  /** Draw what has changed, at once instead of before the next frame. */
  draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const camera = snapped(this.session.camera.value);
    const { layers, dirty, view } = this;
    if (!this.picture.size && this.blank) return dirty.clear();
    this.blank = !this.picture.size;
    if (this.painted?.ended) this.advanceBrush();
    if (dirty.has("picture")) this.picture.draw(this.cleared(layers.picture), camera, view, this.moving);
    if (dirty.has("shapes")) this.shapes.draw(this.cleared(layers.shapes), camera, view, devicePixelRatio, this.moving);
    // A canvas with nothing on it costs as much to put together with the others as a full one.
    layers.brush.canvas.hidden = !this.brush.active && !this.painted;
    // Neither does one that was never drawn on have to be made.
    if (dirty.has("brush") && !this.brush.blank) this.brush.draw(scaled(layers.brush), camera, view, dirty.has("shapes"));
    const area = this.overlay.moving(layers.moving, camera, this.preview);
    if (dirty.has("overlay")) {
      const above = new Set([...(this.preview?.keys() ?? []), ...this.held.keys()]);
      this.overlay.draw(this.cleared(layers.overlay), camera, view, this.picture.size, above, this.preview, area !== null);
    }
    if (!area || !this.preview) this.moved.hide();
    else this.overlay.drawMoving(this.moved.over(area, view, devicePixelRatio), camera, view, this.preview);
    dirty.clear();
    if (this.shapes.shown >= this.scene.stamp) for (const act of this.waiting) whenIdle(act);
  }

  /** Nothing came of what was painted: no change is on its way. */
  private advanceBrush(): void {
    if (!this.painted?.ended) return;
    this.lift();
    if (this.shapes.shown >= this.scene.stamp) this.advance();
  }

  private cleared(context: CanvasRenderingContext2D): CanvasRenderingContext2D {
    scaled(context).clearRect(0, 0, this.view.width, this.view.height);
    return context;
  }
}

/** After the frame, when there is nothing more urgent to do. */
function whenIdle(act: () => void): void {
  if (typeof requestIdleCallback === "undefined") setTimeout(act);
  else requestIdleCallback(act, { timeout: IDLE_MS });
}

/** The unit is the CSS pixel. */
function scaled(context: CanvasRenderingContext2D): CanvasRenderingContext2D {
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  return context;
}
