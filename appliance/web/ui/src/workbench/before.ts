import type { Annotation } from "../api/types";

/** What a person made of a model's work, by count. */
export interface Difference {
  kept: number;
  moved: number;
  relabelled: number;
  gone: number;
  drawn: number;
}

const shape = (one: Annotation): string => JSON.stringify(one.geometry);

/** Compare what a model made with what is there now. */
export function difference(before: readonly Annotation[], now: readonly Annotation[]): Difference {
  const present = new Map(now.map((one) => [one.id, one]));
  const found: Difference = { kept: 0, moved: 0, relabelled: 0, gone: 0, drawn: 0 };
  for (const old of before) {
    const one = present.get(old.id);
    if (!one || one.status === "rejected") found.gone++;
    else if (one.label_id !== old.label_id) found.relabelled++;
    else if (shape(one) !== shape(old)) found.moved++;
    else found.kept++;
  }
  const made = new Set(before.map((one) => one.id));
  found.drawn = now.filter((one) => !made.has(one.id) && one.status !== "rejected").length;
  return found;
}

/** "2 as the model made them, 1 moved, 3 drawn" */
export function differenceWords({ kept, moved, relabelled, gone, drawn }: Difference): string {
  const parts: [number, string][] = [
    [kept, "as the model made them"], [moved, "moved or reshaped"], [relabelled, "relabelled"], [gone, "refused or deleted"], [drawn, "drawn"],
  ];
  return parts.filter(([n]) => n > 0).map(([n, words]) => `${n} ${words}`).join(", ");
}
