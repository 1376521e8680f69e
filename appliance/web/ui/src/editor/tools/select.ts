import type { Annotation, Geometry } from "../../api/types";
import { type Camera, type Point, toImage } from "../camera";
import { hits } from "../shape";
import { type Drag, gripDrag, pointsDrag, shapesDrag } from "./drags";
import { cursorOf, type Handle, handlesOf, nearest, pointsOf } from "./handles";
import { boxBetween } from "./box";
import { seenAs, without } from "./reshape";
import { drawFrame, drawHandles } from "./select-view";
import { drawSnap, type Snap, snapped } from "./snap";
import type { Press, Tool, ToolHost } from "./tool";

const HANDLE_REACH_PX = { mouse: 8, pen: 12, touch: 22 };
const SHAPE_REACH_PX = { mouse: 6, pen: 8, touch: 14 };
const SLACK_PX = { mouse: 3, pen: 4, touch: 8 };
/** From so many handles on, which of them show depends on the pointer. */
const MANY = 48;

type State =
  | { name: "idle" }
  | { name: "pressed"; from: Press; drag: Drag; handle: Handle | null }
  | { name: "dragging"; drag: Drag; now: ReadonlyMap<string, Geometry>; snap: Snap | null }
  | { name: "marquee"; from: Press; to: Point | null };

const IDLE: State = { name: "idle" };
const NONE: ReadonlySet<number> = new Set();

/** Move, resize and turn what is selected, edit its vertices, and select with a frame. */
export class SelectTool implements Tool {
  readonly guides = false;
  private readonly host: ToolHost;
  private state: State = IDLE;
  private hot: Handle | null = null;
  private pointer: Point | null = null;
  private chosen: { id: string; indexes: ReadonlySet<number> } | null = null;
  private handles: { geometry: Geometry; scale: number; all: readonly Handle[] } | null = null;

  constructor(host: ToolHost) {
    this.host = host;
  }

  cursor(at: Point | null): string | null {
    const one = this.single();
    if (this.state.name === "marquee") return "crosshair";
    const handle = at && one && this.handleAt(at, HANDLE_REACH_PX.mouse);
    if (handle && one) return cursorOf(handle.grip, one.geometry);
    return at && this.over(toImage(this.camera(), at), SHAPE_REACH_PX.mouse) ? "move" : null;
  }

  down(press: Press): boolean {
    const { image, kind } = press;
    const one = this.single();
    const handle = one && this.handleAt(press.at, HANDLE_REACH_PX[kind]);
    if (one && handle && this.alters(one, handle, press)) return true;
    if (press.secondary) return false;
    if (one && handle) return this.press(press, this.dragOf(one, handle, image), handle);
    if (press.shift) return this.frame(press);
    const all = this.movable();
    if (all.length > 0 && this.over(image, SHAPE_REACH_PX[kind])) return this.press(press, shapesDrag(all, image, this.host.size()), null);
    const empty = kind === "pen" || (kind === "mouse" && this.host.session.dragEmpty.value === "marquee");
    return empty && this.frame(press);
  }

  move(press: Press): void {
    const { state } = this;
    this.pointer = press.kind === "touch" && state.name === "idle" ? null : press.at;
    if (state.name === "idle") this.hover(press);
    else if (state.name === "marquee") {
      if (state.to || this.beyond(state.from, press)) this.state = { ...state, to: press.image };
      this.host.invalidate();
    } else if (state.name === "dragging") this.drag(state.drag, press);
    else if (this.beyond(state.from, press)) this.drag(state.drag, press);
  }

  up(press: Press): void {
    const { state } = this;
    this.cancel();
    if (state.name === "dragging") this.host.editor()?.reshapeMany(state.now);
    else if (state.name === "marquee" && state.to) this.catch(state.from, state.to);
    else if (state.name === "marquee") this.click(press);
    else if (state.name === "pressed") this.let(state.handle, press);
  }

  leave(): void {
    this.pointer = null;
    this.hot = null;
  }

  cancel(): void {
    if (this.state.name === "dragging") this.host.preview(null);
    this.host.session.measured.value = null;
    this.state = IDLE;
  }

  drop(): boolean {
    const had = this.points().size > 0;
    this.chosen = null;
    return had;
  }

  key(name: string): boolean {
    if (name === "delete" || name === "backspace") return this.deletePoint();
    if (name !== "escape") return false;
    const busy = this.state.name !== "idle";
    this.cancel();
    return busy || this.drop();
  }

  deletePoint(): boolean {
    const one = this.single();
    const hot = this.hot?.grip.kind === "point" ? new Set([this.hot.grip.index]) : NONE;
    const indexes = this.points().size > 0 ? this.points() : hot;
    if (!one || indexes.size === 0 || indexes.size === pointsOf(one.geometry).length) return false;
    const left = without(one.geometry, indexes);
    if (left) this.host.editor()?.reshape(one.id, left);
    this.chosen = null;
    this.hot = null;
    return true;
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    const { state } = this;
    if (state.name === "marquee" && state.to) drawFrame(context, camera, state.from.image, state.to);
    const one = this.single();
    const geometry = one && ((state.name === "dragging" ? state.now.get(one.id) : null) ?? one.geometry);
    if (geometry) drawHandles(context, camera, this.handlesFor(geometry), { hot: this.hot, chosen: this.points(), pointer: this.pointer });
    if (state.name === "dragging" && state.snap) drawSnap(context, camera, state.snap);
  }

  /** Alt, the right button or a long press on a point: it goes, is hidden or shown, or is chosen. */
  private alters(one: Annotation, { grip }: Handle, { alt, secondary, kind }: Press): boolean {
    if (!(alt || secondary) || grip.kind !== "point") return false;
    const { geometry } = one;
    const index = new Set([grip.index]);
    if (geometry.type === "keypoints") {
      const seen = seenAs(geometry, index, geometry.points[grip.index * 3 + 2] === 1 ? 2 : 1);
      if (seen) this.host.editor()?.reshape(one.id, seen);
    } else if (kind === "touch") this.chosen = { id: one.id, indexes: index };
    else {
      const left = without(geometry, index);
      if (left) this.host.editor()?.reshape(one.id, left);
      this.hot = null;
    }
    return true;
  }

  private dragOf(one: Annotation, handle: Handle, from: Point): Drag {
    const points = this.points();
    const several = handle.grip.kind === "point" && points.size > 1 && points.has(handle.grip.index);
    return several ? pointsDrag(one, points, from, this.host.size()) : gripDrag(one, handle, from, this.host.size());
  }

  private press(from: Press, drag: Drag, handle: Handle | null): boolean {
    this.state = { name: "pressed", from, drag, handle };
    return true;
  }

  private frame(from: Press): boolean {
    this.state = { name: "marquee", from, to: null };
    return true;
  }

  private drag(drag: Drag, press: Press): void {
    const snap = drag.snaps && press.ctrl ? snapped(this.host, press.image, drag.ids) : null;
    const now = drag.at(snap?.place ?? press.image, press.shift);
    this.state = { name: "dragging", drag, now, snap };
    this.host.session.measured.value = drag.words(now);
    this.host.preview(now);
  }

  /** A press that did not become a drag: a middle becomes a vertex, a vertex is chosen, a shape picked. */
  private let(handle: Handle | null, press: Press): void {
    const one = this.single();
    if (!handle || !one) {
      this.click(press);
      return;
    }
    if (handle.grip.kind === "middle") {
      this.host.editor()?.reshapeMany(gripDrag(one, handle, press.image, this.host.size()).at(press.image, false));
      this.chosen = { id: one.id, indexes: new Set([handle.grip.index + 1]) };
    } else if (handle.grip.kind === "point") this.choose(one.id, handle.grip.index, press.shift);
  }

  private choose(id: string, index: number, more: boolean): void {
    const old = this.points();
    const indexes = more ? new Set([...old].filter((one) => one !== index).concat(old.has(index) ? [] : [index])) : new Set([index]);
    this.chosen = { id, indexes };
  }

  private click({ image, kind, shift }: Press): void {
    this.host.session.click(this.host.pick(image, SHAPE_REACH_PX[kind]), shift);
  }

  /** A frame over some vertices of the selected shape chooses these; else it selects what lies within. */
  private catch(from: Press, to: Point): void {
    const { session } = this.host;
    const frame = boxBetween(from.image, to, this.host.size());
    const one = this.single();
    const points = one && one.geometry.type !== "keypoints" ? pointsOf(one.geometry) : [];
    const inside = points.flatMap(({ x, y }, i) => (x >= frame.x1 && x <= frame.x2 && y >= frame.y1 && y <= frame.y2 ? [i] : []));
    if (one && inside.length > 0 && inside.length < points.length) {
      this.chosen = { id: one.id, indexes: new Set(inside) };
      return;
    }
    const before = from.shift ? session.selection.value : [];
    session.select(...before, ...this.host.within(frame));
  }

  private hover({ at, kind }: Press): void {
    const hot = this.single() && this.handleAt(at, HANDLE_REACH_PX[kind]);
    if (hot !== this.hot || (this.handles?.all.length ?? 0) > MANY) this.host.invalidate();
    this.hot = hot;
  }

  private beyond(from: Press, now: Press): boolean {
    return Math.hypot(now.at.x - from.at.x, now.at.y - from.at.y) >= SLACK_PX[from.kind];
  }

  private camera(): Camera {
    return this.host.session.camera.value;
  }

  private movable(): Annotation[] {
    const { selection, locked } = this.host.session;
    const document = this.host.editor()?.document;
    return [...selection.value].flatMap((id) => (locked.value.has(id) ? [] : (document?.get(id) ?? [])));
  }

  private single(): Annotation | null {
    const id = this.host.session.single;
    if (id === null || this.host.session.locked.value.has(id) || this.host.session.hidden.value.has(id)) return null;
    return this.host.editor()?.document.get(id) ?? null;
  }

  private over(image: Point, reachPx: number): boolean {
    return this.movable().some((one) => hits(one.geometry, image, reachPx / this.camera().scale));
  }

  /** The chosen vertices of the shape that is selected. */
  private points(): ReadonlySet<number> {
    return this.chosen && this.chosen.id === this.single()?.id ? this.chosen.indexes : NONE;
  }

  private handleAt(at: Point, reach: number): Handle | null {
    const one = this.single();
    return one && nearest(this.handlesFor(one.geometry), this.camera(), at, reach);
  }

  private handlesFor(geometry: Geometry): readonly Handle[] {
    const { scale } = this.camera();
    if (this.handles?.geometry !== geometry || this.handles.scale !== scale) this.handles = { geometry, scale, all: handlesOf(geometry, scale) };
    return this.handles.all;
  }
}
