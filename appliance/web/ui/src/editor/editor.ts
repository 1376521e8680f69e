import type { Annotation, AttributeValue, Geometry } from "../api/types";
import type { Size } from "./camera";
import type { Clip } from "./clips";
import { asMask, asPolygon, thinned } from "./convert";
import { type ImageDocument, isPrediction, stateOf } from "./document";
import { History, type Mark } from "./history";
import { newId } from "./ids";
import { movedTogether } from "./moved";
import type { Replay } from "./replay";
import { same } from "./same";

type Attributes = Readonly<Record<string, AttributeValue>>;

/** Commands of a person on one image: each is one step that can be undone. */
export class Editor {
  readonly document: ImageDocument;
  readonly history = new History();
  readonly size: Size;
  private readonly authorId: number;
  private locked: (id: string) => boolean = () => false;
  private nudged: { mark: Mark; ids: string } | null = null;

  constructor(document: ImageDocument, size: Size, authorId: number) {
    this.document = document;
    this.size = size;
    this.authorId = authorId;
  }

  /** Change nothing of what is locked; undo and redo may. */
  guard(locked: (id: string) => boolean): void {
    this.locked = locked;
  }

  /** Add a drawn annotation and return its id. */
  add(geometry: Geometry, labelId: number, attributes: Attributes = {}): string {
    const annotation = this.drawn(geometry, labelId, attributes);
    this.commit([annotation]);
    return annotation.id;
  }

  /** Add copies at the places the clips name; returns their ids. */
  paste(clips: readonly Clip[]): string[] {
    const made = clips.map((clip) => this.drawn(clip.geometry, clip.label_id, clip.attributes));
    this.commit(made);
    return made.map((one) => one.id);
  }

  /** Add copies a little beside; returns their ids. */
  duplicate(ids: readonly string[]): string[] {
    const all = this.present(ids);
    const beside = movedTogether(all.map((one) => one.geometry), 12, 12, this.size);
    return this.paste(all.map((one, i) => ({ ...one, geometry: beside[i]! })));
  }

  /** Move or reshape; a prediction is accepted by it. */
  reshape(id: string, geometry: Geometry): void {
    this.reshapeMany(new Map([[id, geometry]]));
  }

  reshapeMany(changes: ReadonlyMap<string, Geometry>): void {
    this.edit([...changes.keys()], (one) => ({ ...one, geometry: changes.get(one.id) ?? one.geometry }));
  }

  /** Move by pixels of the image; with `more`, one step with the nudge before, as for a held key. */
  nudge(ids: readonly string[], dx: number, dy: number, more = false): void {
    const all = this.changeable(ids).filter((one) => one.geometry.type !== "tag");
    const places = movedTogether(all.map((one) => one.geometry), dx, dy, this.size);
    const mark = more && this.nudged?.ids === ids.join() ? this.nudged.mark : this.history.mark();
    this.reshapeMany(new Map(all.map((one, i) => [one.id, places[i]!])));
    this.history.squash(mark);
    this.nudged = { mark, ids: ids.join() };
  }

  /** Turn what has an area into the other kind; what cannot be turned stays as it is. */
  convert(ids: readonly string[], to: "mask" | "polygon"): void {
    this.edit(ids, (one) => ({ ...one, geometry: (to === "mask" ? asMask(one.geometry, this.size) : asPolygon(one.geometry)) ?? one.geometry }));
  }

  /** Leave out points of paths; no line moves by more than `tolerance` pixels of the image. */
  simplify(ids: readonly string[], tolerance: number): void {
    this.edit(ids, (one) => ({ ...one, geometry: thinned(one.geometry, tolerance) }));
  }

  relabel(ids: readonly string[], labelId: number): void {
    this.edit(ids, (one) => (one.label_id === labelId ? one : { ...one, label_id: labelId }));
  }

  /** Set some attributes; the others stay, and one that is set to null goes. */
  setAttributes(ids: readonly string[], values: Readonly<Record<string, AttributeValue | null>>): void {
    this.edit(ids, (one) => {
      const all = Object.entries({ ...one.attributes, ...values });
      return { ...one, attributes: Object.fromEntries(all.filter((entry): entry is [string, AttributeValue] => entry[1] !== null)) };
    });
  }

  /** Put a tag of this label on the whole image, or take it off. */
  toggleTag(labelId: number): void {
    const there = this.document.all.filter((one) => one.geometry.type === "tag" && one.label_id === labelId && stateOf(one) !== "rejected");
    if (there.length > 0) this.remove(there.map((one) => one.id));
    else this.add({ type: "tag" }, labelId);
  }

  accept(ids: readonly string[]): void {
    const waiting = this.changeable(ids).filter((one) => ["prediction", "rejected"].includes(stateOf(one)));
    this.commit(waiting.map((one) => this.owned(one)));
  }

  /** Refuse predictions: they stay, hatched, so that they are not made again. */
  reject(ids: readonly string[]): void {
    const touched = this.changeable(ids).filter((one) => one.source === "model" && one.status !== "rejected");
    this.commit(touched.map((one) => this.refused(one)));
  }

  /** Delete what people drew; predictions are refused instead. */
  remove(ids: readonly string[]): void {
    const all = this.changeable(ids);
    const drawn = all.filter((one) => !isPrediction(one)).map((one) => one.id);
    this.commit(all.filter(isPrediction).map((one) => this.refused(one)), drawn);
  }

  /** Put these as they are and take those away, as one step. */
  put(after: readonly Annotation[], removed: readonly string[] = []): void {
    this.commit(after, removed);
  }

  /** Take the last step back. What others changed since stays theirs; null when there is no step. */
  undo(): Replay | null {
    return this.replay(this.history.undo(this.document));
  }

  redo(): Replay | null {
    return this.replay(this.history.redo(this.document));
  }

  /** Run commands as one step; when they throw, none of them happened. */
  together<T>(commands: () => T): T {
    const mark = this.history.mark();
    try {
      const result = commands();
      this.history.squash(mark);
      return result;
    } catch (error) {
      this.bail(mark);
      throw error;
    }
  }

  /** Take back, without a trace, what was done since the mark. */
  bail(mark: Mark): void {
    this.replay(this.history.bail(mark, this.document));
  }

  private replay(replay: Replay | null): Replay | null {
    this.nudged = null;
    if (replay && replay.change.size > 0) this.document.apply(replay.change, "person");
    return replay;
  }

  private drawn(geometry: Geometry, labelId: number, attributes: Attributes): Annotation {
    return {
      id: newId(), label_id: labelId, geometry, attributes: { ...attributes }, source: "manual", status: "draft",
      revision: 0, confidence: null, model_id: null, author_id: this.authorId,
    };
  }

  private present(ids: readonly string[]): Annotation[] {
    return ids.flatMap((id) => this.document.get(id) ?? []);
  }

  private changeable(ids: readonly string[]): Annotation[] {
    return this.present(ids).filter((one) => !this.locked(one.id));
  }

  private owned(one: Annotation): Annotation {
    return { ...one, status: "draft", author_id: this.authorId };
  }

  private refused(one: Annotation): Annotation {
    return { ...one, status: "rejected", author_id: this.authorId };
  }

  /** An edit makes an annotation the person's own draft, whatever it was. */
  private edit(ids: readonly string[], how: (one: Annotation) => Annotation): void {
    const changed = this.changeable(ids).flatMap((one) => {
      const next = how(one);
      return next === one || same(next, one) ? [] : [this.owned(next)];
    });
    this.commit(changed);
  }

  private commit(after: readonly Annotation[], removed: readonly string[] = []): void {
    this.nudged = null;
    const change = this.document.change(after, removed);
    if (change.size === 0) return;
    this.history.push(change);
    this.document.apply(change, "person");
  }
}
