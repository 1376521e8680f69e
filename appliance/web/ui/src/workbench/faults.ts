import type { Annotation, AttributeSpec, Label } from "../api/types";
import type { Size } from "../editor/camera";
import { stateOf } from "../editor/document";
import { faultOf } from "../geometry/validity";

/** What is wrong with an annotation, and what to do. */
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
    const fault = (words: string): InvalidObject[] => [{ id: one.id, words }];
    if (!label) return fault("An object has a label that is gone: give it another.");
    const shape = faultOf(one.geometry, size.width, size.height);
    if (shape?.code === "self-crossing") return fault(`The outline of this ${label.name} crosses itself: move a vertex so that it does not.`);
    if (shape) return fault(`This ${label.name} cannot be kept: ${shape.words}.`);
    const spec = label.attributes.find((attribute) => missing(attribute, one));
    return spec ? fault(`This ${label.name} needs “${spec.name}”: fill it in.`) : [];
  });
}
