import { effect } from "@preact/signals-core";

import type { Label } from "../api/types";
import { type Camera, centred, fit, keepInView, type Point, type Size, toImage, zoomAt } from "./camera";
import type { ImageDocument } from "./document";
import type { Editor } from "./editor";
import { Gestures } from "./gestures";
import type { Picture } from "./picture";
import { Renderer } from "./render/renderer";
import type { EditorSession } from "./session";
import { TOOLS } from "./tools";
import type { Tool, ToolHost } from "./tools/tool";

const REACH_PX = 6;

/** What lies on the stage. Without an editor it may only be looked at. */
export interface Opened {
  picture: Picture;
  document: ImageDocument | null;
  editor: Editor | null;
  labels: readonly Label[];
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
      tap: (at, event) => this.tap(at, event),
      hover: (at, busy) => this.hover(at, busy),
      invalidate: () => this.renderer.invalidate(),
    });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
    this.stop = effect(() => this.take(new TOOLS[session.tool.value](this.toolHost())));
    this.renderer.setOverlay((context, camera) => this.opened?.editor && this.tool?.draw?.(context, camera));
    this.resize();
  }

  destroy(): void {
    this.stop();
    this.tool?.cancel();
    this.gestures.destroy();
    this.observer.disconnect();
    this.renderer.destroy();
  }

  /** Show an image; the view stays when the new picture has the size of the old one. */
  open(opened: Opened | null): void {
    const [old, now] = [this.opened, opened];
    if (old?.editor !== now?.editor) this.tool?.cancel();
    this.opened = now;
    if (old?.picture !== now?.picture) this.renderer.setPicture(now?.picture ?? null);
    if (old?.document !== now?.document || old?.labels !== now?.labels) {
      this.renderer.setDocument(now?.document ?? null, now?.labels ?? []);
    }
    const same = old && now && old.picture.width === now.picture.width && old.picture.height === now.picture.height;
    if (now && !same) this.fit();
  }

  /** Leave what the tool is in the middle of. */
  cancel(): void {
    this.tool?.cancel();
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

  private take(tool: Tool): void {
    this.tool?.cancel();
    this.tool = tool;
    this.renderer.invalidate();
  }

  private toolHost(): ToolHost {
    return {
      session: this.session,
      editor: () => this.opened?.editor ?? null,
      size: () => this.opened?.picture ?? { width: 1, height: 1 },
      labels: () => this.opened?.labels ?? [],
      pick: (image, reachPx) => this.renderer.pick(image, reachPx / this.session.camera.value.scale),
      within: (bounds) => this.renderer.within(bounds),
      preview: (changes) => this.renderer.setPreview(changes),
      invalidate: () => this.renderer.invalidate(),
    };
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.host;
    const view: Size = { width: Math.max(1, clientWidth), height: Math.max(1, clientHeight) };
    this.renderer.resize(view);
    if (!this.opened) return;
    if (this.fitted) this.fit();
    else this.look(keepInView(this.session.camera.value, this.opened.picture, view));
  }

  private tap(at: Point, event: PointerEvent): void {
    const id = this.pick(at);
    const { selection } = this.session;
    if (!event.shiftKey) selection.value = new Set(id ? [id] : []);
    else if (id) selection.value = new Set([...selection.value].filter((one) => one !== id).concat(selection.value.has(id) ? [] : [id]));
  }

  private hover(at: Point | null, busy: boolean): void {
    const { session } = this;
    session.hovered.value = at && !busy ? this.pick(at) : null;
    session.pointer.value = at && this.opened ? toImage(session.camera.value, at) : null;
  }

  private pick(at: Point): string | null {
    const camera = this.session.camera.value;
    return this.renderer.pick(toImage(camera, at), REACH_PX / camera.scale);
  }
}
