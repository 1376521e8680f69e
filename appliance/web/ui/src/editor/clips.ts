import type { Annotation, AttributeValue, Geometry, Label } from "../api/types";
import { clipped } from "../geometry";
import type { Size } from "./camera";
import { newId } from "./ids";
import { moved } from "./moved";
import { bounds } from "./shape";

const KEY = "pixelqueue.clipboard";

/** What is copied of an annotation. */
export interface Clip {
  label_id: number;
  geometry: Geometry;
  attributes: Record<string, AttributeValue>;
}

/** A clip on its way between images; the name finds its label in another project. */
interface Carried extends Clip {
  label: string;
}

/** Keep annotations for pasting: on any image, in any tab of this browser. */
export function copy(annotations: readonly Annotation[], labels: readonly Label[], storage: Storage = localStorage): void {
  const names = new Map(labels.map((label) => [label.id, label.name]));
  const clips = annotations.map(({ label_id, geometry, attributes }): Carried => ({ label_id, geometry, attributes, label: names.get(label_id) ?? "" }));
  if (clips.length > 0) storage.setItem(KEY, JSON.stringify(clips));
}

/** What was copied last, fitted to an image of this size and to these labels; what has none of them is left out. */
export function copied(labels: readonly Label[], size: Size, storage: Storage = localStorage): Clip[] {
  return read(storage).flatMap(({ label, ...clip }) => {
    const named = labels.find((one) => one.name === label) ?? null;
    const geometry = fitted(clip.geometry, size);
    return named && geometry ? [{ ...clip, geometry, label_id: named.id }] : [];
  });
}

function read(storage: Storage): Carried[] {
  try {
    return JSON.parse(storage.getItem(KEY) ?? "[]") as Carried[];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** A geometry on an image of another size: moved inside where it fits, cut where it is too large. */
export function fitted(geometry: Geometry, size: Size): Geometry | null {
  const box = bounds(geometry);
  const fits = box && box.x2 - box.x1 <= size.width && box.y2 - box.y1 <= size.height;
  if (!fits || geometry.type === "mask") return clipped(geometry, size.width, size.height);
  const [x, y] = [inward(box.x1, box.x2, size.width), inward(box.y1, box.y2, size.height)];
  return clipped(x === 0 && y === 0 ? geometry : moved(geometry, x, y, size), size.width, size.height);
}

/** How far a stretch must move to lie within 0 and `length`. */
const inward = (from: number, to: number, length: number): number => (from < 0 ? -from : Math.min(0, length - to));

/** Copies of annotations for another image, drawn by this person; what falls outside it is left out. */
export function propagated(annotations: readonly Annotation[], to: Size, authorId: number): Annotation[] {
  return annotations.flatMap(({ label_id, geometry, attributes }): Annotation[] => {
    const there = fitted(geometry, to);
    if (!there) return [];
    return [{
      id: newId(), label_id, geometry: there, attributes: { ...attributes }, source: "manual", status: "draft",
      revision: 0, confidence: null, model_id: null, author_id: authorId,
    }];
  });
}
