import { effect, untracked } from "@preact/signals-core";

import { offline } from "../api/problem";
import type { Annotation, Label, Segmentation, SegmentPrompt } from "../api/types";
import { type Camera, centred, clamped, fit, keepInView, type Point, type Size, toImage, zoomAt } from "./camera";
import type { ImageDocument } from "./document";
import type { Editor } from "./editor";
import { Gestures } from "./gestures";
import type { Picture } from "./picture";
import { Renderer } from "./render/renderer";
import type { EditorSession, ToolName } from "./session";
import { STARTS_AFRESH, TOOLS } from "./tools";
import type { Press, Tool, ToolHost } from "./tools/tool";

const REACH_PX = 6;
const TOUCH_REACH_PX = 16;

/** What lies on the stage. Without an editor it may only be looked at. */
export interface Opened {
  picture: Picture;
  document: ImageDocument | null;
  editor: Editor | null;
  labels: readonly Label[];
  /** Asks the box for the object that clicks and a box mean. */
  segment?: (prompt: SegmentPrompt, signal: AbortSignal) => Promise<Segmentation>;
}

/** The canvas as a page mounts it: renderer, gestures and the tool of the session. */
export class Stage {
  readonly session: EditorSession;
  private readonly host: HTMLElement;
  private readonly renderer: Renderer;
  private readonly gestures: Gestures;
  private readonly observer: ResizeObserver;
  private readonly stop: () => void;
  private opened: Opened | null = null;
  private tool: Tool | null = null;
  private drafted: ToolName = "select";
  private fitted = true;

  constructor(host: HTMLElement, session: EditorSession) {
    this.host = host;
    this.session = session;
    this.renderer = new Renderer(host, session);
    this.gestures = new Gestures(host, {
      picture: () => this.opened?.picture ?? null,
      view: () => this.renderer.view,
      camera: () => this.session.camera.value,
      look: (camera) => this.look(camera),
      tool: () => (this.opened?.editor ? this.tool : null),
      fingersDraw: () => session.tool.value === "select" || session.fingers.value === "draw",
      penned: () => (session.fingers.value = "pan"),
      tap: (press) => this.tap(press),
      hover: (at, busy) => this.hover(at, busy),
      invalidate: () => this.renderer.invalidate(),
    });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
    this.stop = effect(() => {
      const name = session.tool.value;
      untracked(() => this.take(name));
    });
    this.renderer.setOverlay((context, camera) => this.opened?.editor && this.tool?.draw?.(context, camera));
    this.resize();
  }

  destroy(): void {
    this.stop();
    this.keep();
    this.gestures.destroy();
    this.observer.disconnect();
    this.renderer.destroy();
  }

  /** Show an image; the view stays when the new picture has the size of the old one. */
  open(opened: Opened | null): void {
    const [old, now] = [this.opened, opened];
    const other = old?.editor !== now?.editor;
    if (other) this.keep();
    this.opened = now;
    now?.editor?.guard((id) => this.session.locked.value.has(id));
    if (old?.picture !== now?.picture) this.renderer.setPicture(now?.picture ?? null);
    if (old?.document !== now?.document || old?.labels !== now?.labels) {
      this.renderer.setDocument(now?.document ?? null, now?.labels ?? []);
    }
    const same = old && now && old.picture.width === now.picture.width && old.picture.height === now.picture.height;
    if (now && !same) this.fit();
    if (other) this.resume();
    if (now && old?.document !== now.document) this.renderer.draw();
  }

  /** Have the shapes of an image drawn ahead that somebody will turn to, and its picture made ready where it is there. */
  prepare(size: Size, imageId: number, annotations: readonly Annotation[], labels: readonly Label[], picture?: Picture): void {
    this.renderer.prepare({ imageId, annotations, size }, labels, picture);
  }

  /** Call back once the shapes of what lies on the stage are painted, or soon in any case. */
  whenShown(act: () => void): void {
    this.renderer.whenShown(act);
  }

  /** Give a key to the tool first; true when it had a use for it. */
  key(name: string): boolean {
    return this.ask((tool) => tool.key?.(name));
  }

  /** Leave what the tool is in the middle of; false when that is nothing. */
  cancel(): boolean {
    const busy = this.gestures.busy;
    this.gestures.release();
    return this.ask((tool) => tool.drop?.()) || busy;
  }

  /** Complete the half-drawn shape. */
  finish(): boolean {
    return this.ask((tool) => tool.finish?.());
  }

  /** Take back the last point of the half-drawn shape. */
  undoPoint(): boolean {
    return this.ask((tool) => tool.undoPoint?.());
  }

  /** Delete the vertex that is chosen or was touched last. */
  deletePoint(): boolean {
    return this.ask((tool) => tool.deletePoint?.());
  }

  /** Make the next press a secondary one, as a pen or a finger has no right button; answers whether it will be. */
  minus(): boolean {
    return this.gestures.minusNext();
  }

  /** Take up the draw tool that was used last. */
  repeat(): void {
    this.session.tool.value = this.session.lastDraw.value;
  }

  /** Draw the overlay again: what the tool shows is to look otherwise. */
  redraw(): void {
    this.renderer.invalidate();
  }

  fit(): void {
    if (!this.opened) return;
    this.look(fit(this.opened.picture, this.renderer.view));
    this.fitted = true;
  }

  zoomTo(scale: number): void {
    if (!this.opened) return;
    this.look(keepInView(centred(this.opened.picture, this.renderer.view, scale), this.opened.picture, this.renderer.view));
  }

  zoomBy(factor: number): void {
    if (!this.opened) return;
    const { view } = this.renderer;
    this.look(zoomAt(this.session.camera.value, { x: view.width / 2, y: view.height / 2 }, factor, this.opened.picture, view));
  }

  private look(camera: Camera): void {
    this.fitted = false;
    this.session.camera.value = camera;
  }

  private take(name: ToolName): void {
    this.keep();
    this.tool = new TOOLS[name](this.toolHost());
    this.drafted = name;
    if (name !== "select") this.session.lastDraw.value = name;
    if (STARTS_AFRESH.has(name)) this.session.select();
    this.resume();
    this.renderer.invalidate();
  }

  /** Put the half-drawn shape away until its image and its tool are there again. */
  private keep(): void {
    this.gestures.release();
    const { document } = this.opened ?? {};
    const draft = this.tool?.keep?.() ?? null;
    this.tool?.drop?.();
    if (!document) return;
    const key = `${document.imageId}/${this.drafted}`;
    if (draft === null) this.session.drafts.delete(key);
    else this.session.drafts.set(key, draft);
  }

  private resume(): void {
    const { document } = this.opened ?? {};
    const draft = document ? this.session.drafts.get(`${document.imageId}/${this.drafted}`) : undefined;
    if (draft !== undefined) this.tool?.resume?.(draft);
    this.renderer.invalidate();
  }

  private ask(what: (tool: Tool) => boolean | undefined): boolean {
    const done = (this.opened?.editor && this.tool && what(this.tool)) ?? false;
    if (done) this.renderer.invalidate();
    return done;
  }

  private toolHost(): ToolHost {
    return {
      session: this.session,
      editor: () => this.opened?.editor ?? null,
      size: () => this.opened?.picture ?? { width: 1, height: 1 },
      labels: () => this.opened?.labels ?? [],
      brush: () => this.renderer.brush,
      pick: (image, reachPx) => this.renderer.pick(image, reachPx / this.session.camera.value.scale),
      within: (bounds) => this.renderer.within(bounds),
      visible: () => {
        const [size, { view }, camera] = [this.opened?.picture ?? { width: 1, height: 1 }, this.renderer, this.session.camera.value];
        const from = clamped(toImage(camera, { x: 0, y: 0 }), size);
        const to = clamped(toImage(camera, { x: view.width, y: view.height }), size);
        return { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
      },
      segment: (prompt, signal) => this.opened?.segment?.(prompt, signal) ?? Promise.reject(offline()),
      preview: (changes) => this.renderer.setPreview(changes),
      invalidate: () => this.renderer.invalidate(),
    };
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.host;
    const view: Size = { width: Math.max(1, clientWidth), height: Math.max(1, clientHeight) };
    if (!this.renderer.resize(view) || !this.opened) return;
    if (this.fitted) this.fit();
    else this.look(keepInView(this.session.camera.value, this.opened.picture, view));
  }

  private tap({ image, kind, shift }: Press): void {
    if (this.session.tool.value !== "select" && this.opened?.editor) return;
    this.session.click(this.pick(image, kind === "touch" ? TOUCH_REACH_PX : REACH_PX), shift);
  }

  private hover(at: Point | null, busy: boolean): void {
    const { session } = this;
    const image = at && this.opened ? toImage(session.camera.value, at) : null;
    const picks = !busy && (session.tool.value === "select" || !this.opened?.editor);
    session.hovered.value = image && picks ? this.pick(image, REACH_PX) : null;
    session.pointer.value = image;
  }

  private pick(image: Point, reachPx: number): string | null {
    return this.renderer.pick(image, reachPx / this.session.camera.value.scale);
  }
}
