import type { Annotation, Diff, Draft, Label } from "../api/types";
import type { Shape } from "../editor/render/shapes";
import { shapeOf } from "../editor/shapes-of";

const GHOST = "#ffffff";

export const changesOf = ({ added = [], changed = [], removed = [] }: Diff): number => added.length + changed.length + removed.length;

/** A late diff as outlines over what is there now: white, dashed, and named as late. */
export function ghostsOf(diff: Diff, present: readonly Annotation[], labels: readonly Label[]): Shape[] {
  const byId = new Map(present.map((one) => [one.id, one]));
  const drafts = [...(diff.added ?? []), ...(diff.changed ?? [])].map((draft) => ghost(draft, labels, draft.rejected ? "rejected late" : "late"));
  const removed = (diff.removed ?? []).flatMap((id) => byId.get(id) ?? []).map((one) => ghost(one, labels, "deleted late"));
  return [...drafts, ...removed];
}

function ghost(one: Draft, labels: readonly Label[], word: string): Shape {
  const label = labels.find(({ id }) => id === one.label_id);
  const annotation: Annotation = {
    id: `late ${one.id}`, label_id: one.label_id, geometry: one.geometry, attributes: {}, source: "model",
    status: "draft", revision: 0, confidence: null, model_id: null, author_id: null,
  };
  return { ...shapeOf(annotation, label), color: GHOST, name: `${label?.name ?? "no label"}, ${word}` };
}
