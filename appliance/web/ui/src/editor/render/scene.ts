import type { Annotation, Geometry, Label } from "../../api/types";
import type { Point } from "../camera";
import { type Change, stateOf } from "../document";
import type { EditorSession } from "../session";
import { type Bounds, bounds, extent, hits } from "../shape";
import { shapeOf, tooUnsure } from "../shapes-of";
import { maskContains } from "./mask-hit";
import { colorOf, flagsOf, labelCodes, pack } from "./pack";
import { Picker } from "./picker";
import type { Shape } from "./shapes";
import type { StaticLayer } from "./static-layer";
import { CROSSED, DASHED, FILLED, LIFTED, SELECTED, SHOWN, ShapeStore } from "./store";

/** More selected shapes than this are drawn as such among the static ones. */
const SELECTED_ABOVE = 40;

interface Known {
  id: string;
  annotation: Annotation;
  sequence: number;
}

/**
 * The annotations of the open image as the canvas has them: packed, indexed, and sent to the
 * static layer as they change. One change costs what it touches.
 */
export class Scene {
  private readonly session: EditorSession;
  private readonly layer: StaticLayer;
  private readonly store = new ShapeStore();
  private readonly picker = new Picker(this.store);
  private readonly slots = new Map<string, number>();
  private readonly known: (Known | null)[] = [];
  private free: number[] = [];
  private sequence = 0;
  private labels = new Map<number, Label>();
  private codes = new Map<number, string>();
  private lifted: ReadonlySet<string> = new Set();
  private marked: ReadonlySet<string> = new Set();
  /** What of the session the shapes were last styled by. */
  private looked: readonly unknown[] = [];
  /** The number of the last change that the static layer was told of. */
  stamp = 0;

  constructor(session: EditorSession, layer: StaticLayer) {
    this.session = session;
    this.layer = layer;
  }

  destroy(): void {
    this.picker.destroy();
  }

  open(annotations: readonly Annotation[], labels: readonly Label[]): void {
    this.labels = new Map(labels.map((label) => [label.id, label]));
    this.codes = labelCodes(labels);
    this.store.clear();
    this.picker.clear();
    this.slots.clear();
    this.known.length = 0;
    this.free = [];
    this.sequence = 0;
    this.lifted = new Set();
    this.marked = this.toMark();
    this.looked = this.looks;
    for (const annotation of annotations) this.put(annotation);
    this.picker.renew();
    this.send([...this.slots.values()], []);
  }

  /** Take up again after nobody looked: what has another record than before is sent, and all of it if it looks otherwise. */
  resume(annotations: readonly Annotation[]): void {
    const plain = this.lifted.size + this.marked.size === 0;
    this.lifted = new Set();
    this.marked = this.toMark();
    const there = new Set(annotations.map((annotation) => annotation.id));
    const removed = [...this.slots.keys()].filter((id) => !there.has(id)).map((id) => this.remove(id));
    const put = annotations.filter((annotation) => this.annotation(annotation.id) !== annotation).map((annotation) => this.put(annotation));
    if (put.length + removed.length > 0) this.send(put, removed);
    const { looks } = this;
    if (plain && this.marked.size === 0 && this.looked.every((value, n) => value === looks[n])) return;
    this.looked = looks;
    const { flags, colors, length } = this.store;
    const [oldFlags, oldColors] = [flags.slice(0, length), colors.slice(0, length)];
    for (const slot of this.slots.values()) this.style(slot);
    if (oldFlags.some((flag, slot) => flag !== flags[slot]) || oldColors.some((color, slot) => color !== colors[slot])) this.restyle();
  }

  /** Follow a change of the document. */
  apply(change: Change): void {
    const removed: number[] = [];
    const put: number[] = [];
    for (const [id, { after }] of change) {
      if (after) put.push(this.put(after));
      else if (this.slots.has(id)) removed.push(this.remove(id));
    }
    this.send(put, removed);
  }

  /** Look anew at what is to be seen, and how: the session has changed. */
  restyle(): void {
    this.looked = this.looks;
    for (const slot of this.slots.values()) this.style(slot);
    this.stamp = this.layer.restyle(this.store.flags.slice(0, this.store.length), this.store.colors.slice(0, this.store.length));
  }

  /** Take these shapes off the static layer, and put back what was taken off before. */
  lift(ids: ReadonlySet<string>): void {
    const changed = difference(this.lifted, ids);
    this.lifted = ids;
    this.resend(changed);
  }

  /** Draw what is selected as such, where it is not drawn on the overlay: masks, and very many. */
  select(): void {
    const marked = this.toMark();
    const changed = difference(this.marked, marked);
    this.marked = marked;
    this.resend(changed);
  }

  /** True when the overlay need not draw it as selected. */
  isMarked(id: string): boolean {
    return this.marked.has(id);
  }

  /** An annotation as it is drawn on the overlay, null when it is hidden or not there. */
  shape(id: string, geometry?: Geometry): Shape | null {
    const slot = this.slots.get(id);
    const known = slot === undefined ? null : this.known[slot];
    if (slot === undefined || !known || !(this.store.flags[slot] & SHOWN)) return null;
    const annotation = geometry ? { ...known.annotation, geometry } : known.annotation;
    const shape = shapeOf(this.struck(annotation), this.labels.get(annotation.label_id));
    return { ...shape, color: `#${this.store.colors[slot].toString(16).padStart(6, "0")}` };
  }

  /** Ids of what is shown and touches an area; some more than `most` when there are more. */
  touching(area: Bounds, most = Infinity): string[] {
    return this.picker.search(area, most).flatMap((slot) => this.known[slot]?.id ?? []);
  }

  /** What lies wholly within an area, locked ones excepted. */
  within(area: Bounds): string[] {
    const locked = this.session.locked.value;
    const slots = this.picker.search(area).filter((slot) => {
      const box = this.store.box(slot);
      return box.x1 >= area.x1 && box.y1 >= area.y1 && box.x2 <= area.x2 && box.y2 <= area.y2;
    });
    return this.inOrder(slots).filter((id) => !locked.has(id));
  }

  /** The smallest annotation within `reach` of a point, of equal ones the topmost; locked ones excepted. */
  pick(at: Point, reach: number, moved: ReadonlyMap<string, Geometry> | null): string | null {
    const around = 2 * reach;
    const area = { x1: at.x - around, y1: at.y - around, x2: at.x + around, y2: at.y + around };
    const ids = [...this.inOrder(this.picker.search(area)).filter((id) => !moved?.has(id)), ...(moved?.keys() ?? [])];
    let best: { id: string; extent: number } | null = null;
    for (const id of ids) {
      const geometry = moved?.get(id) ?? this.annotation(id)?.geometry;
      if (!geometry || this.session.locked.value.has(id) || !touches(geometry, at, reach)) continue;
      const size = extent(geometry);
      if (!best || size <= best.extent) best = { id, extent: size };
    }
    return best?.id ?? null;
  }

  bounds(id: string): Bounds | null {
    const slot = this.slots.get(id);
    return slot === undefined ? null : bounds(this.known[slot]!.annotation.geometry);
  }

  private get looks(): readonly unknown[] {
    const { hidden, hiddenAll, threshold, struck, colorBy } = this.session;
    return [hidden, hiddenAll, threshold, struck, colorBy].map((one) => one.peek());
  }

  private annotation(id: string): Annotation | null {
    const slot = this.slots.get(id);
    return slot === undefined ? null : this.known[slot]!.annotation;
  }

  private inOrder(slots: number[]): string[] {
    return slots.sort((a, b) => this.store.order(a) - this.store.order(b)).flatMap((slot) => this.known[slot]?.id ?? []);
  }

  private put(annotation: Annotation): number {
    const slot = this.slots.get(annotation.id) ?? this.free.pop() ?? this.known.length;
    const sequence = this.known[slot]?.sequence ?? ++this.sequence;
    this.slots.set(annotation.id, slot);
    this.known[slot] = { id: annotation.id, annotation, sequence };
    const label = this.labels.get(annotation.label_id);
    const packed = pack(this.struck(annotation), label, sequence, this.codes.get(annotation.label_id) ?? "");
    this.store.put({ ...packed, slot, color: 0, flags: 0 });
    this.style(slot);
    this.picker.touch(slot);
    return slot;
  }

  private remove(id: string): number {
    const slot = this.slots.get(id)!;
    this.store.remove(slot);
    this.picker.touch(slot);
    this.slots.delete(id);
    this.known[slot] = null;
    this.free.push(slot);
    return slot;
  }

  private style(slot: number): void {
    const known = this.known[slot];
    if (!known) return;
    const { id, annotation, sequence } = known;
    const { session, store } = this;
    const hidden = session.hiddenAll.value || session.hidden.value.has(id) || tooUnsure(annotation, session.threshold.value);
    const look = flagsOf(stateOf(this.struck(annotation))) & (CROSSED | DASHED | FILLED);
    store.flags[slot] = look | (hidden ? 0 : SHOWN) | (this.lifted.has(id) ? LIFTED : 0) | (this.marked.has(id) ? SELECTED : 0);
    const color = colorOf(annotation, this.labels.get(annotation.label_id), session.colorBy.value, sequence);
    store.colors[slot] = Number.parseInt(color.slice(1), 16);
  }

  private struck(annotation: Annotation): Annotation {
    return this.session.struck.value.has(annotation.id) ? { ...annotation, status: "rejected" } : annotation;
  }

  private toMark(): ReadonlySet<string> {
    const selected = this.session.selection.value;
    if (selected.size > SELECTED_ABOVE) return selected;
    return new Set([...selected].filter((id) => this.annotation(id)?.geometry.type === "mask"));
  }

  private resend(ids: readonly string[]): void {
    const slots = ids.flatMap((id) => this.slots.get(id) ?? []);
    if (slots.length === 0) return;
    for (const slot of slots) this.style(slot);
    this.send(slots, []);
  }

  private send(put: number[], removed: number[]): void {
    this.stamp = this.layer.put(this.store.batch(Uint32Array.from(put)), Uint32Array.from(removed));
  }
}

function touches(geometry: Geometry, at: Point, reach: number): boolean {
  return geometry.type === "mask" ? maskContains(geometry, at) : hits(geometry, at, reach);
}

function difference(a: ReadonlySet<string>, b: ReadonlySet<string>): string[] {
  return [...[...a].filter((id) => !b.has(id)), ...[...b].filter((id) => !a.has(id))];
}
