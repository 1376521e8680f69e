import type { Deed, Revision, RevisionKind } from "../api/history";
import { count } from "./words";

export const KIND_WORDS: Record<RevisionKind, string> = {
  edit: "Edited",
  late: "Late work applied",
  submit: "Submitted",
  "take-back": "Submission taken back",
  review: "Reviewed",
  withdraw: "Verdict withdrawn",
  relabel: "Label merged or deleted",
  restore: "Restored",
  "auto-label": "Auto-labelled",
  import: "Imported",
  undo: "Job undone",
};

const DEEDS: Record<Deed["what"], string> = {
  predicted: "predicted",
  added: "added",
  removed: "removed",
  relabelled: "made into",
  moved: "moved or reshaped",
  described: "described anew",
  accepted: "accepted",
  refused: "refused",
  approved: "approved",
  reopened: "open again",
  "given-back": "a prediction again",
};

/** "2 bolt added, 1 washer moved or reshaped" */
export function deedWords(did: readonly Deed[], labels: ReadonlyMap<number, string>): string {
  const words = did.map(({ what, label_id, n }) => {
    const label = labels.get(label_id) ?? "deleted label";
    return what === "relabelled" ? `${count(n)} made into ${label}` : `${count(n)} ${label} ${DEEDS[what]}`;
  });
  return words.join(", ");
}

/** "3 added, 1 changed" */
export function countWords({ added, changed, removed }: Pick<Revision, "added" | "changed" | "removed">): string {
  const parts: [number, string][] = [[added, "added"], [changed, "changed"], [removed, "removed"]];
  return parts.filter(([n]) => n > 0).map(([n, word]) => `${count(n)} ${word}`).join(", ");
}
