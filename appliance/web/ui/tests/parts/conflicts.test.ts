import { describe, expect, it } from "vitest";

import { complete } from "../../src/api/client";
import type { Revision } from "../../src/api/history";
import type { Annotation } from "../../src/api/types";
import type { Conflict } from "../../src/editor/pending";
import { choices, conflictWords, otherSide } from "../../src/parts/conflicts";

const ME = 7;
const at = (revision: number): Annotation => ({ ...complete({ id: "a", label_id: 1, geometry: { type: "box", x1: 0, y1: 0, x2: 9, y2: 9 } }), revision });
const conflict = (facts: Partial<Conflict>): Conflict => ({ id: "a", ours: at(1), theirs: at(3), copyId: "b", ...facts });
const made = (revision: number, author_id: number | null, author: string | null, removed = 0): Revision => ({
  image_id: 1, revision, kind: "edit", author_id, job_id: null, at_ms: 0, added: 0, changed: 1, removed, author, image_name: null, did: null,
});

describe("the other side of a conflict", () => {
  it("is who made the revision that stands", () => {
    expect(otherSide(conflict({}), [made(4, 2, "Bea"), made(3, 3, "Ada"), made(2, 4, "Cem")], ME)).toBe("Ada");
    expect(otherSide(conflict({}), [made(3, ME, "Ada")], ME)).toBe("You, on another page,");
    expect(otherSide(conflict({}), [made(3, null, null)], ME)).toBe("Somebody else");
    expect(otherSide(conflict({}), [], ME)).toBe("Somebody else");
  });

  it("is named for a deletion where only one person can have done it", () => {
    const gone = conflict({ theirs: null });
    expect(otherSide(gone, [made(4, ME, "Me", 1), made(3, 3, "Ada", 1), made(2, 4, "Cem"), made(1, 5, "Dee", 1)], ME)).toBe("Ada");
    expect(otherSide(gone, [made(3, 3, "Ada", 1), made(2, 4, "Cem", 1)], ME)).toBe("Somebody else");
  });

  it("is told with what each did, and only choices that differ", () => {
    expect(conflictWords(conflict({}), "Ada")).toBe("Ada changed this object while you did: both versions are here.");
    expect(conflictWords(conflict({ theirs: null }), "Ada")).toContain("Ada deleted this object while you changed it");
    expect(conflictWords(conflict({ ours: null, copyId: null }), "Ada")).toContain("while you deleted it");
    expect(conflictWords(conflict({ copyId: null }), "Ada")).toContain("while you judged it");
    expect(choices(conflict({})).map(([, words]) => words)).toEqual(["Keep both", "Keep mine", "Keep theirs"]);
    expect(choices(conflict({ theirs: null })).map(([choice]) => choice)).toEqual(["mine", "theirs"]);
    expect(choices(conflict({ ours: null, copyId: null })).map(([choice]) => choice)).toEqual(["theirs", "mine"]);
  });
});
