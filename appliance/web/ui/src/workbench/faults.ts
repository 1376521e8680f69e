import type { Annotation, AttributeSpec, Label } from "../api/types";
import type { Size } from "../editor/camera";
import { stateOf } from "../editor/document";
import { check, type Geometry } from "../geometry";
import { firstCrossing } from "../geometry/crossings";

/** What is wrong with an annotation, and what to do. A warning is said once and can be passed over. */
export interface InvalidObject {
  id: string;
  level: "error" | "warning";
  words: string;
}

const missing = (spec: AttributeSpec, one: Annotation): boolean => {
  const value = one.attributes[spec.name] ?? spec.default;
  return spec.required && (value === null || value === undefined || value === "");
};

const crossed = (geometry: Geometry): boolean => geometry.type === "polygon" && geometry.parts.some((rings) => firstCrossing(rings) !== null);

/** Faults of what would be handed in, in drawing order; predictions nobody accepted are not. */
export function faults(annotations: readonly Annotation[], labels: readonly Label[], size: Size): InvalidObject[] {
  const byId = new Map(labels.map((label) => [label.id, label]));
  return annotations.flatMap((one): InvalidObject[] => {
    if (["prediction", "rejected"].includes(stateOf(one))) return [];
    const label = byId.get(one.label_id);
    const fault = (words: string, level: InvalidObject["level"] = "error"): InvalidObject[] => [{ id: one.id, level, words }];
    if (!label) return fault("An object has a label that is gone: give it another.");
    const shape = check(one.geometry, size.width, size.height);
    if (shape) return fault(`This ${label.name} cannot be kept: ${shape}.`);
    const spec = label.attributes.find((attribute) => missing(attribute, one));
    if (spec) return fault(`This ${label.name} needs “${spec.name}”: fill it in.`);
    return crossed(one.geometry) ? fault(`The outline of this ${label.name} crosses itself: correct it, or submit again to go on anyway.`, "warning") : [];
  });
}
