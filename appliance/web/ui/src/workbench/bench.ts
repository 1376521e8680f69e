import { computed, signal } from "@preact/signals";

import type { Revision } from "../api/history";
import type { Annotation, Label, ProjectRow } from "../api/types";
import { calmDown } from "../app/calm";
import { type Desk, openDesk } from "../app/desk";
import { picturesOf } from "../app/early";
import { editing } from "../app/editing";
import { type AnnotationState, type ImageDocument, isPrediction, STATES, stateOf } from "../editor/document";
import type { Editor } from "../editor/editor";
import type { Pictures, Ready } from "../editor/pictures";
import { bounds } from "../editor/shape";
import { tooUnsure } from "../editor/shapes-of";
import type { Size } from "../editor/camera";
import type { Stage } from "../editor/stage";
import { placeOf, Talk, type Talked } from "./talk";

/** Annotations by their state. */
export function grouped(annotations: readonly Annotation[]): ReadonlyMap<AnnotationState, readonly Annotation[]> {
  const groups = new Map<AnnotationState, Annotation[]>(STATES.map((state) => [state, []]));
  for (const one of annotations) groups.get(stateOf(one))?.push(one);
  return groups;
}

export type Side = "objects" | "comments" | "image";

/** What stands on the workbench: an image with its annotations, and what is selected of them. */
export class Bench {
  readonly session = editing;
  readonly project;
  readonly pictures: Pictures;
  readonly labels = signal<readonly Label[]>([]);
  readonly desk = signal<Desk | null>(null);
  /** Why the image may only be looked at; null where it may be changed. */
  readonly readOnly = signal<string | null>(null);
  /** Predictions that came while somebody was at work; hidden until they are asked for. */
  readonly arrived = signal<readonly string[]>([]);
  /** What has to be said once, as after a refused submission. */
  readonly notice = signal<string | null>(null);
  /** An earlier revision that is looked at in the place of the present one. */
  readonly past = signal<{ entry: Revision; document: ImageDocument } | null>(null);
  /** What people say about the image. */
  readonly talk = new Talk();
  /** The picture alone, without bars and panels. */
  readonly bare = signal(false);
  /** The part of the panel that shows where fingers leave no room for all of them. */
  readonly side = signal<Side>("objects");
  /** Somebody searches a label. */
  readonly finding = signal(false);
  stage: Stage | null = null;

  private readonly changed = signal(0);
  private readonly inPanel = signal<Desk | null>(null);
  private laid: { ready: Ready; userId: number; desk: Desk } | null = null;
  private stop: () => void = () => undefined;

  readonly annotations = computed((): readonly Annotation[] => {
    void this.changed.value;
    return (this.past.value ?? this.desk.value)?.document.all ?? [];
  });
  /** What the panels list: the same, but of another image only once the canvas shows that. */
  readonly listed = computed((): readonly Annotation[] => {
    void this.changed.value;
    return (this.past.value ?? this.inPanel.value)?.document.all ?? [];
  });
  readonly groups = computed(() => grouped(this.annotations.value));
  readonly selected = computed((): readonly Annotation[] => {
    void this.changed.value;
    const document = (this.past.value ?? this.desk.value)?.document;
    return [...this.session.selection.value].flatMap((id) => document?.get(id) ?? []);
  });
  /** What Tab walks through: as the object list has it, without what is hidden or refused. */
  readonly order = computed((): readonly string[] => {
    const { threshold, hidden, hiddenAll } = this.session;
    if (hiddenAll.value) return [];
    return STATES.filter((state) => state !== "rejected").flatMap((state) =>
      (this.groups.value.get(state) ?? [])
        .filter((one) => !hidden.value.has(one.id) && !tooUnsure(one, threshold.value))
        .map((one) => one.id),
    );
  });

  constructor(project: ProjectRow) {
    this.project = signal(project);
    this.pictures = picturesOf(project.id);
  }

  /** The person's commands; null where there are none. Follows every change of the image. */
  get editor(): Editor | null {
    void this.changed.value;
    return this.readOnly.value === null && !this.past.value ? (this.desk.value?.editor ?? null) : null;
  }

  /** The newest revision of the image that this page knows. */
  get revision(): number | null {
    const desk = this.desk.value;
    void [this.changed.value, desk?.saver.state.value];
    return desk?.document.revision ?? null;
  }

  /** The size of the image; null while there is none. */
  get size(): Size | null {
    return this.desk.value?.editor.size ?? null;
  }

  /** False while the panels list the image before. */
  get lists(): boolean {
    return this.inPanel.value === this.desk.value;
  }

  tally(state: AnnotationState): number {
    return this.groups.value.get(state)?.length ?? 0;
  }

  /** The desk of an image that is there; asked again, the same. */
  open(ready: Ready, userId: number): Desk {
    if (this.laid?.ready !== ready || this.laid.userId !== userId) {
      this.laid = { ready, userId, desk: openDesk(this.project.peek().id, ready, userId) };
    }
    return this.laid.desk;
  }

  /** Put an image on the bench. */
  put(desk: Desk | null): void {
    if (desk === this.desk.peek()) return;
    this.stop();
    this.desk.value = desk;
    this.list(desk);
    this.arrived.value = [];
    this.notice.value = null;
    this.past.value = null;
    this.session.select();
    // At once: a comment may be begun before the panel has been drawn, and has to outlast that.
    this.talk.show(this.project.peek().id, desk?.imageId ?? null);
    this.stop = desk
      ? desk.document.listen((change, source) => {
          if (source === "server") this.receive([...change].flatMap(([id, { before, after }]) => (!before && after && isPrediction(after) ? [id] : [])));
          this.changed.value++;
        })
      : () => undefined;
  }

  /** Look at an earlier revision of the image. */
  lookBack(entry: Revision, document: ImageDocument): void {
    this.session.tool.value = "select";
    this.session.select();
    this.past.value = { entry, document };
  }

  /** What is known of the image has changed otherwise than by its document. */
  refresh(): void {
    this.changed.value++;
  }

  /** Show what arrived during the work. */
  showArrived(): void {
    const { hidden } = this.session;
    const shown = new Set(this.arrived.value);
    hidden.value = new Set([...hidden.value].filter((id) => !shown.has(id)));
    this.arrived.value = [];
  }

  /** Bring a shape into view. */
  look(id: string): void {
    const one = this.desk.value?.document.get(id);
    const box = one && bounds(one.geometry);
    if (box) this.centre({ x: (box.x1 + box.x2) / 2, y: (box.y1 + box.y2) / 2 });
  }

  /** Go on to the next pin that waits for an answer; false where none does. */
  nextPin(): boolean {
    const one = this.talk.next();
    if (!one) return false;
    const annotation = one.annotationId === null ? undefined : this.desk.value?.document.get(one.annotationId);
    this.session.select(...(annotation ? [annotation.id] : []));
    this.lookAt(one);
    return true;
  }

  /** Bring a pin into view. */
  lookAt(one: Talked): void {
    const at = placeOf(one, this.desk.value?.document.get(one.annotationId ?? ""));
    if (at) this.centre(at);
  }

  private centre(at: { x: number; y: number }): void {
    const { camera } = this.session;
    const host = document.querySelector(".canvas");
    if (!host) return;
    const { scale } = camera.value;
    camera.value = { scale, x: host.clientWidth / 2 - at.x * scale, y: host.clientHeight / 2 - at.y * scale };
  }

  /** The next object around the end of the list; false where there is none. */
  cycle(by: number): boolean {
    const order = this.order.value;
    if (order.length === 0) return false;
    const { single } = this.session;
    const at = single === null ? -1 : order.indexOf(single);
    const next = at === -1 ? (by > 0 ? 0 : order.length - 1) : (at + by + order.length) % order.length;
    this.session.select(order[next]);
    return true;
  }

  /** Go on after a prediction was judged. */
  nextPrediction(after: string): string | null {
    const ids = this.order.value.filter((id) => {
      const one = this.desk.value?.document.get(id);
      return one && isPrediction(one);
    });
    return ids[ids.indexOf(after) + 1] ?? null;
  }

  /** Listing a thousand objects takes longer than painting them: that comes first. */
  private list(desk: Desk | null): void {
    const now = (): void => {
      if (desk) calmDown();
      if (this.desk.peek() === desk) this.inPanel.value = desk;
    };
    if (!this.stage || !desk) now();
    else this.stage.whenShown(now);
  }

  private receive(ids: readonly string[]): void {
    const touched = this.desk.peek()?.editor.history.canUndo || this.session.measured.peek() !== null;
    if (ids.length === 0 || !touched) return;
    this.session.hidden.value = new Set([...this.session.hidden.peek(), ...ids]);
    this.arrived.value = [...this.arrived.peek(), ...ids];
  }
}
