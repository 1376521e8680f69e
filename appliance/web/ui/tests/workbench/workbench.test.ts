import { describe, expect, it } from "vitest";

import type { Annotation, Label, Task } from "../../src/api/types";
import { whyReadOnly } from "../../src/workbench/annotate";
import { difference, differenceWords } from "../../src/workbench/before";
import { faults } from "../../src/workbench/faults";
import { digits, matching } from "../../src/workbench/labels";
import { between, rowsOf, windowOf } from "../../src/workbench/rows";

const label = (id: number, name: string, more: Partial<Label> = {}): Label => ({
  id, project_id: 1, class_index: id, name, color: "#FFE600", hotkey: null, attributes: [], skeleton: null, ...more,
});
const drawn = (id: string, more: Partial<Annotation> = {}): Annotation => ({
  id, label_id: 1, geometry: { type: "box", x1: 1, y1: 1, x2: 9, y2: 9 }, attributes: {}, source: "manual",
  status: "draft", revision: 1, confidence: null, model_id: null, author_id: 7, ...more,
});
const predicted = (id: string, more: Partial<Annotation> = {}): Annotation =>
  drawn(id, { source: "model", author_id: null, confidence: 0.6, ...more });
const SIZE = { width: 20, height: 20 };

describe("labels", () => {
  it("give a digit to those that ask for one, then to the rest", () => {
    const found = digits([label(1, "a"), label(2, "b", { hotkey: "1" }), label(3, "c")]);
    expect([...found].map(([digit, one]) => [digit, one.name])).toEqual([["1", "b"], ["2", "a"], ["3", "c"]]);
  });

  it("leave 0 to the search, however many there are", () => {
    expect([...digits(Array.from({ length: 12 }, (_, i) => label(i, `l${i}`))).keys()]).toEqual([..."123456789"]);
  });

  it("are found by words, those that begin so first", () => {
    const names = matching([label(1, "traffic light"), label(2, "light truck"), label(3, "dog")], "light").map(({ name }) => name);
    expect(names).toEqual(["light truck", "traffic light"]);
  });
});

describe("faults", () => {
  const spec = { name: "grade", kind: "choice", choices: ["A"], required: true, default: null } as const;
  const labels = [label(1, "bolt", { attributes: [{ ...spec, choices: ["A"] }] })];

  it("name the first thing that is missing, of what would be handed in", () => {
    const all = [predicted("p1"), drawn("d1", { attributes: { grade: "A" } }), drawn("d2")];
    expect(faults(all, labels, SIZE)).toEqual([{ id: "d2", words: "This bolt needs “grade”: fill it in." }]);
  });

  it("find an outline that crosses itself", () => {
    const bow = drawn("d1", { geometry: { type: "polygon", parts: [[[1, 1, 9, 9, 9, 1, 1, 8]]] } });
    const square = drawn("d2", { geometry: { type: "polygon", parts: [[[1, 1, 9, 1, 9, 9, 1, 9]]] } });
    expect(faults([bow, square], [label(1, "bolt")], SIZE).map(({ id }) => id)).toEqual(["d1"]);
  });

  it("find shapes that the box would not take, and labels that are gone", () => {
    const outside = drawn("d1", { geometry: { type: "box", x1: 1, y1: 1, x2: 90, y2: 9 } });
    expect(faults([outside, drawn("d2", { label_id: 9 })], labels, SIZE).map(({ id }) => id)).toEqual(["d1", "d2"]);
  });
});

describe("object list", () => {
  const groups = new Map([["prediction", [predicted("p1"), predicted("p2", { confidence: 0.2 })]], ["drawn", [drawn("d1")]]] as const);

  it("counts what the threshold hides", () => {
    const rows = rowsOf(groups, new Set(), 0.5);
    expect(rows.map((row) => (row.kind === "group" ? `${row.state} ${row.shown}/${row.all}` : row.annotation.id))).toEqual(["prediction 1/2", "p1", "drawn 1/1", "d1"]);
    expect(between(rows, "d1", "p1")).toEqual(["p1", "d1"]);
  });

  it("draws long lists only where they are looked at", () => {
    expect(windowOf(200, 0, 600, 28)).toEqual([0, 200]);
    const [from, to] = windowOf(20_000, 280_000, 600, 28);
    expect(from).toBe(9988);
    expect(to - from).toBeLessThan(60);
  });
});

describe("what became of predictions", () => {
  it("is counted and said", () => {
    const made = ["a", "b", "c", "d"].map((id) => predicted(id));
    const now = [predicted("a", { author_id: 7 }), drawn("b", { source: "model", label_id: 2 }), drawn("c", { source: "model", geometry: { type: "box", x1: 2, y1: 2, x2: 9, y2: 9 } }), drawn("e")];
    const found = difference(made, now);
    expect(found).toEqual({ kept: 1, moved: 1, relabelled: 1, gone: 1, drawn: 1 });
    expect(differenceWords(found)).toBe("1 as the model made them, 1 moved or reshaped, 1 relabelled, 1 refused or deleted, 1 drawn");
  });
});

describe("an image in review", () => {
  const task = (state: Task["state"]): Task => ({ state }) as Task;

  it("is changed by reviewers alone", () => {
    expect(whyReadOnly(task("in_review"), false, 1)).toContain("In review");
    expect([whyReadOnly(task("in_review"), true, 1), whyReadOnly(task("done"), false, 1), whyReadOnly(null, false, 1)]).toEqual([null, null, null]);
  });

  it("is for its annotator to correct when it was returned", () => {
    const returned = { ...task("returned"), assignee_id: 2 } as Task;
    expect(whyReadOnly(returned, false, 1)).toContain("somebody else");
    expect([whyReadOnly(returned, false, 2), whyReadOnly(returned, true, 1), whyReadOnly({ ...returned, assignee_id: null }, false, 1)]).toEqual([null, null, null]);
  });
});
