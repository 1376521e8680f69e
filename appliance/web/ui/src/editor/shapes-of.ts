import type { Annotation, Label } from "../api/types";
import { STATES, stateOf } from "./document";
import type { Shape } from "./render/shapes";

const UNKNOWN = "#E6E6E6";

export interface Showing {
  /** Predictions below this confidence are left out. */
  threshold: number;
  hidden: boolean;
}

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

/** What is to be drawn of these annotations: rejected ones lowest, predictions highest. */
export function shapesOf(annotations: readonly Annotation[], labels: readonly Label[], showing: Showing): Shape[] {
  if (showing.hidden) return [];
  const byId = new Map(labels.map((label) => [label.id, label]));
  const shapes = annotations
    .filter((annotation) => !tooUnsure(annotation, showing.threshold))
    .map((annotation) => shapeOf(annotation, byId.get(annotation.label_id)));
  const rank = { rejected: 0, approved: 1, accepted: 1, drawn: 1, prediction: 2 };
  return shapes.sort((a, b) => rank[a.state] - rank[b.state]);
}

/** The next object in the order of the object list, around its end; rejected ones are passed over. */
export function neighbour(shapes: readonly Shape[], selected: string | null, by: number): string | null {
  const order = STATES.filter((state) => state !== "rejected").flatMap((state) =>
    shapes.filter((shape) => shape.state === state).map((shape) => shape.annotation.id),
  );
  if (order.length === 0) return null;
  const at = selected === null ? -1 : order.indexOf(selected);
  if (at === -1) return by > 0 ? order[0] : order[order.length - 1];
  return order[(at + by + order.length) % order.length];
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
