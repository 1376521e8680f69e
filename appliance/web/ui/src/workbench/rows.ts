import type { Annotation } from "../api/types";
import { type AnnotationState, STATES } from "../editor/document";
import { tooUnsure } from "../editor/shapes-of";

export type Row =
  | { kind: "group"; state: AnnotationState; all: number; shown: number }
  | { kind: "object"; annotation: Annotation };

/** Lists up to this length are drawn whole; longer ones only where they are looked at. */
export const WHOLE = 200;

/** The object list as lines: each state that has objects, and under it those that show. */
export function rowsOf(
  groups: ReadonlyMap<AnnotationState, readonly Annotation[]>,
  folded: ReadonlySet<AnnotationState>,
  threshold: number,
): Row[] {
  return STATES.flatMap((state): Row[] => {
    const all = groups.get(state) ?? [];
    if (all.length === 0) return [];
    const shown = all.filter((one) => !tooUnsure(one, threshold));
    const objects = folded.has(state) ? [] : shown.map((annotation): Row => ({ kind: "object", annotation }));
    return [{ kind: "group", state, all: all.length, shown: shown.length }, ...objects];
  });
}

/** Which lines to draw, with some to spare above and below. */
export function windowOf(count: number, top: number, height: number, row: number, spare = 12): [number, number] {
  if (count <= WHOLE) return [0, count];
  const from = Math.max(0, Math.floor(top / row) - spare);
  return [from, Math.min(count, Math.ceil((top + height) / row) + spare)];
}

/** Ids between two lines, both included, in the order of the list. */
export function between(rows: readonly Row[], a: string, b: string): string[] {
  const ids = rows.flatMap((row) => (row.kind === "object" ? [row.annotation.id] : []));
  const [from, to] = [ids.indexOf(a), ids.indexOf(b)].sort((m, n) => m - n);
  return from === -1 ? [b] : ids.slice(from, to + 1);
}
