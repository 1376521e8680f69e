import type { Annotation, ImageAnnotations, Task } from "../api/types";
import type { Size } from "../editor/camera";
import { Editor } from "../editor/editor";
import type { ImageDocument } from "../editor/document";
import type { Conflict } from "../editor/pending";
import type { Saver } from "../editor/saver";
import { activeTime } from "./active";
import type { Outbox } from "./outbox";
import { outbox } from "./session";

export type Choice = "mine" | "theirs" | "both";

/** What a person needs of an image to work on it. */
export interface Opened {
  image: Size & { id: number; name: string };
  annotations: ImageAnnotations;
}

/** So many images keep their undo stack. */
const KEEP = 40;

/** An image on the desk: its document, the person's commands on it, and their way to the box. */
export class Desk {
  readonly projectId: number;
  readonly imageId: number;
  readonly editor: Editor;
  readonly saver: Saver;
  private readonly name: string;
  private readonly outbox: Outbox;

  constructor(projectId: number, opened: Opened, saver: Saver, owner: { userId: number; outbox: Outbox }) {
    this.projectId = projectId;
    this.imageId = opened.image.id;
    this.name = opened.image.name;
    this.saver = saver;
    this.editor = new Editor(saver.document, opened.image, owner.userId);
    this.outbox = owner.outbox;
  }

  get document(): ImageDocument {
    return this.saver.document;
  }

  /** Choose between two versions of a shape, as one step that can be undone. */
  choose(conflict: Conflict, choice: Choice): void {
    const { id, ours, copyId } = conflict;
    const copy = copyId && this.document.get(copyId);
    const theirs = this.document.get(id);
    if (choice === "mine" && theirs) this.editor.put(...mine(theirs, (copy || ours) ?? null, copyId));
    if (choice === "theirs" && copyId) this.editor.put([], [copyId]);
    this.saver.chosen(conflict);
  }

  /** Hand the task in, or put it aside, once its changes are there. Resolves when the box has taken it. */
  hand(kind: "submit" | "skip", task: Task, reason: string | null = null): Promise<Task | null> {
    const { projectId, imageId, name } = this;
    return this.outbox.hand({ kind, projectId, imageId, taskId: task.id, name, revision: this.document.revision, reason, activeMs: activeTime().take(imageId) });
  }
}

/** Ours in the place of theirs; where ours was a deletion, theirs goes. */
function mine(theirs: Annotation, ours: Annotation | null, copyId: string | null): [Annotation[], string[]] {
  const removed = copyId ? [copyId] : [];
  if (!ours) return [[], [theirs.id]];
  return [[{ ...theirs, label_id: ours.label_id, geometry: ours.geometry, attributes: ours.attributes, status: ours.status === "rejected" ? "rejected" : "draft", author_id: ours.author_id }], removed];
}

const desks = new Map<number, Desk>();

/**
 * Put an image on the desk: what the box holds of it plus what is still unsent.
 *
 * The same image later is the same desk, with its undo stack.
 */
export function openDesk(projectId: number, opened: Opened, userId: number): Desk {
  const present = outbox.value;
  if (!present) throw new Error("nobody is signed in");
  const saver = present.saver(projectId, opened.annotations);
  const known = desks.get(opened.image.id);
  const desk = known?.saver === saver ? known : new Desk(projectId, opened, saver, { userId, outbox: present });
  desks.delete(desk.imageId);
  desks.set(desk.imageId, desk);
  const idle = [...desks.keys()].slice(0, -KEEP);
  for (const id of idle) if (present.release(id)) desks.delete(id);
  return desk;
}
