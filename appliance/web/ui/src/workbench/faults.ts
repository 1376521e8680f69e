import type { Annotation, AttributeSpec, Label } from "../api/types";
import type { Size } from "../editor/camera";
import { stateOf } from "../editor/document";
import { check } from "../geometry";

/** What keeps an image from being submitted: which annotation, and what to do. */
export interface InvalidObject {
  id: string;
  words: string;
}

const missing = (spec: AttributeSpec, one: Annotation): boolean => {
  const value = one.attributes[spec.name] ?? spec.default;
  return spec.required && (value === null || value === undefined || value === "");
};

/** Faults of what would be handed in, in drawing order; predictions nobody accepted are not. */
export function faults(annotations: readonly Annotation[], labels: readonly Label[], size: Size): InvalidObject[] {
  const byId = new Map(labels.map((label) => [label.id, label]));
  return annotations.flatMap((one): InvalidObject[] => {
    if (["prediction", "rejected"].includes(stateOf(one))) return [];
    const label = byId.get(one.label_id);
    if (!label) return [{ id: one.id, words: "An object has a label that is gone: give it another." }];
    const shape = check(one.geometry, size.width, size.height);
    if (shape) return [{ id: one.id, words: `This ${label.name} cannot be kept: ${shape}.` }];
    const spec = label.attributes.find((attribute) => missing(attribute, one));
    return spec ? [{ id: one.id, words: `This ${label.name} needs “${spec.name}”: fill it in.` }] : [];
  });
}
