import type { Annotation, Geometry } from "../api/types";
import type { Size } from "./camera";
import type { ImageDocument} from "./document";
import { type Change, isPrediction, stateOf } from "./document";
import { History } from "./history";
import { newId } from "./ids";

/** Commands of a person on one image: each is one step that can be undone. */
export class Editor {
  readonly document: ImageDocument;
  readonly history = new History();
  readonly size: Size;
  private readonly authorId: number;

  constructor(document: ImageDocument, size: Size, authorId: number) {
    this.document = document;
    this.size = size;
    this.authorId = authorId;
  }

  /** Add a drawn annotation and return its id. */
  add(geometry: Geometry, labelId: number): string {
    const annotation: Annotation = {
      id: newId(), label_id: labelId, geometry, attributes: {}, source: "manual", status: "draft",
      revision: 0, confidence: null, model_id: null, author_id: this.authorId,
    };
    this.commit([annotation]);
    return annotation.id;
  }

  /** Move or reshape; a prediction is accepted by it. */
  reshape(id: string, geometry: Geometry): void {
    this.edit([id], (one) => ({ ...one, geometry }));
  }

  relabel(ids: readonly string[], labelId: number): void {
    this.edit(ids, (one) => (one.label_id === labelId ? one : { ...one, label_id: labelId }));
  }

  accept(ids: readonly string[]): void {
    this.edit(ids, (one) => (stateOf(one) === "prediction" || stateOf(one) === "rejected" ? { ...one } : one));
  }

  /** Refuse predictions: they stay, hatched, so that they are not made again. */
  reject(ids: readonly string[]): void {
    const touched = this.present(ids).filter((one) => one.source === "model" && one.status !== "rejected");
    this.commit(touched.map((one) => ({ ...one, status: "rejected" as const, author_id: this.authorId })));
  }

  /** Delete what people drew; predictions are refused instead. */
  remove(ids: readonly string[]): void {
    const all = this.present(ids);
    const refused = all.filter(isPrediction).map((one) => ({ ...one, status: "rejected" as const, author_id: this.authorId }));
    this.commit(refused, all.filter((one) => !isPrediction(one)).map((one) => one.id));
  }

  /** Put these as they are and take those away, as one step. */
  put(after: readonly Annotation[], removed: readonly string[] = []): void {
    this.commit(after, removed);
  }

  undo(): boolean {
    return this.replay(this.history.undo());
  }

  redo(): boolean {
    return this.replay(this.history.redo());
  }

  private replay(change: Change | null): boolean {
    if (!change) return false;
    this.document.apply(change, "person");
    return true;
  }

  private present(ids: readonly string[]): Annotation[] {
    return ids.flatMap((id) => this.document.get(id) ?? []);
  }

  /** An edit makes an annotation the person's own draft, whatever it was. */
  private edit(ids: readonly string[], how: (one: Annotation) => Annotation): void {
    const changed = this.present(ids).flatMap((one) => {
      const next = how(one);
      return next === one ? [] : [{ ...next, status: "draft" as const, author_id: this.authorId }];
    });
    this.commit(changed);
  }

  private commit(after: readonly Annotation[], removed: readonly string[] = []): void {
    const change = this.document.change(after, removed);
    if (change.size === 0) return;
    this.history.push(change);
    this.document.apply(change, "person");
  }
}
