import type { Annotation, Label } from "../api/types";
import { stateOf } from "./document";
import type { Shape } from "./render/shapes";

const UNKNOWN = "#E6E6E6";

function plateName(annotation: Annotation, label: string): string {
  const state = stateOf(annotation);
  if (state === "rejected") return `${label}, rejected`;
  if (state === "prediction" && annotation.confidence !== null) return `${label} ${annotation.confidence.toFixed(2)}`;
  return label;
}

/** True when a prediction is too unsure to be shown. */
export function tooUnsure(annotation: Annotation, threshold: number): boolean {
  return stateOf(annotation) === "prediction" && (annotation.confidence ?? 1) < threshold;
}

/** An annotation with all that drawing it takes. */
export function shapeOf(annotation: Annotation, label: Label | undefined): Shape {
  return {
    annotation,
    state: stateOf(annotation),
    color: label?.color ?? UNKNOWN,
    name: plateName(annotation, label?.name ?? "no label"),
    edges: label?.skeleton?.edges ?? [],
  };
}

/** Names with a number per label, as the object list shows them: "person 3". */
export function numbered(annotations: readonly Annotation[], labels: readonly Label[]): Map<string, [string, number]> {
  const names = new Map(labels.map((label) => [label.id, label.name]));
  const counts = new Map<number, number>();
  return new Map(
    annotations.map((annotation) => {
      const number = (counts.get(annotation.label_id) ?? 0) + 1;
      counts.set(annotation.label_id, number);
      return [annotation.id, [names.get(annotation.label_id) ?? "no label", number]];
    }),
  );
}
