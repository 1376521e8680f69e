import type { Annotation, Label } from "../../api/types";
import { type AnnotationState, stateOf } from "../document";
import { PALETTE } from "../palette";
import type { ColorBy } from "../session";
import { bounds, dots, runs } from "../shape";
import { CLOSED, CROSSED, DASHED, DOT, FILLED, HIDDEN_DOT, OPEN, orderOf, type Packed } from "./store";

/** Past so many labels their colours repeat, and a code on the shape tells them apart. */
const CODES_FROM = 11;
const UNKNOWN = "#E6E6E6";
export const RANKS: Readonly<Record<AnnotationState, number>> = { rejected: 1, approved: 2, accepted: 2, drawn: 2, prediction: 3 };
const STATE_COLORS: Readonly<Record<AnnotationState, string>> = {
  prediction: PALETTE[4], drawn: PALETTE[0], accepted: PALETTE[8], approved: PALETTE[3], rejected: PALETTE[2],
};

/** The colour of an annotation; `sequence` numbers the annotations of an image. */
export function colorOf(annotation: Annotation, label: Label | undefined, by: ColorBy, sequence: number): string {
  switch (by) {
    case "label":
      return label?.color ?? UNKNOWN;
    case "instance":
      return PALETTE[sequence % PALETTE.length];
    case "author":
      return annotation.author_id === null ? UNKNOWN : PALETTE[annotation.author_id % PALETTE.length];
    case "status":
      return STATE_COLORS[stateOf(annotation)];
  }
}

/** How a state looks, as flags. */
export const flagsOf = (state: AnnotationState): number =>
  state === "prediction" ? DASHED : state === "rejected" ? CROSSED : FILLED;

/** Two letters for each label, each pair once; none while the colours suffice. */
export function labelCodes(labels: readonly Label[]): Map<number, string> {
  if (labels.length < CODES_FROM) return new Map();
  const taken = new Set<string>();
  return new Map(
    labels.map((label) => {
      const code = codesFor(label.name).find((one) => !taken.has(one)) ?? "??";
      taken.add(code);
      return [label.id, code];
    }),
  );
}

/** The first letter with each later one, then with each digit and letter there is. */
function codesFor(name: string): string[] {
  const letters = [...name.normalize("NFKD").toUpperCase()].filter((letter) => /[A-Z0-9]/.test(letter));
  const [first = "X", ...rest] = letters;
  return [...rest, ..."123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter) => first + letter);
}

/** The runs of an annotation one after the other, as the store keeps them. */
export function blockOf(annotation: Annotation, label: Label | undefined): Float32Array {
  const lines = runs(annotation.geometry, label?.skeleton?.edges ?? []);
  const marks = dots(annotation.geometry);
  const block = new Float32Array(lines.reduce((sum, { points }) => sum + 2 + points.length, marks.length * 4));
  let at = 0;
  for (const { points, closed } of lines) {
    block[at] = closed ? CLOSED : OPEN;
    block[at + 1] = points.length / 2;
    block.set(points, at + 2);
    at += 2 + points.length;
  }
  for (const { x, y, hidden } of marks) {
    block.set([hidden ? HIDDEN_DOT : DOT, 1, x, y], at);
    at += 4;
  }
  return block;
}

/** All of an annotation but its slot and whether it is to be seen. */
export function pack(annotation: Annotation, label: Label | undefined, sequence: number, code: string): Omit<Packed, "slot" | "color" | "flags"> {
  const { geometry } = annotation;
  return {
    block: blockOf(annotation, label),
    box: bounds(geometry),
    order: orderOf(RANKS[stateOf(annotation)], sequence),
    code,
    mask: geometry.type === "mask" ? geometry : null,
  };
}
