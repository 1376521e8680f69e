import { describe, expect, it } from "vitest";

import type { Annotation } from "../../src/api/types";
import { compose, ImageDocument, stateOf } from "../../src/editor/document";
import { Editor } from "../../src/editor/editor";
import { same } from "../../src/editor/same";
import { drawn, SIZE } from "./tools/_scene";

const BOX = { type: "box", x1: 10, y1: 20, x2: 30, y2: 60 } as const;

function desk(...annotations: Annotation[]) {
  const document = new ImageDocument(9, 3, annotations);
  return { document, editor: new Editor(document, SIZE, 2) };
}

/** What somebody else saved: the document's records with changes, at a later revision. */
function remote(document: ImageDocument, how: (all: Annotation[]) => Annotation[]): void {
  document.rebase(document.revision + 1, how(structuredClone([...document.all])), new Set());
}

describe("marks", () => {
  it("squash a gesture to one step and bail out of another", () => {
    const { document, editor } = desk(drawn("a", BOX));
    editor.together(() => {
      editor.reshape("a", { ...BOX, x2: 50 });
      editor.relabel(["a"], 2);
      editor.add(BOX, 1);
    });
    expect(document.size).toBe(2);
    editor.undo();
    expect(document.all).toEqual([drawn("a", BOX)]);
    expect(editor.history.canUndo).toBe(false);
    expect(() =>
      editor.together(() => {
        editor.remove(["a"]);
        throw new Error("lost");
      }),
    ).toThrow("lost");
    expect(document.size).toBe(1);
    expect(editor.history.canUndo).toBe(false);
  });

  it("makes one step of a held arrow key", () => {
    const { document, editor } = desk(drawn("a", BOX));
    editor.nudge(["a"], 1, 0);
    editor.nudge(["a"], 1, 0, true);
    editor.nudge(["a"], 1, 0, true);
    editor.nudge(["a"], 0, 1);
    editor.undo();
    expect(document.get("a")?.geometry).toMatchObject({ x1: 13, y1: 20 });
    editor.undo();
    expect(document.get("a")?.geometry).toEqual(BOX);
    expect(editor.history.canUndo).toBe(false);
  });

  it("leaves out of a whole what comes to nothing", () => {
    const a = drawn("a", BOX);
    const there = new Map([["a", { before: null, after: a }]]);
    expect(compose(there, new Map([["a", { before: a, after: null }]])).size).toBe(0);
  });
});

describe("undo beside others", () => {
  it("leaves a shape that somebody reshaped since, and says so", () => {
    const { document, editor } = desk(drawn("a", BOX));
    editor.reshape("a", { ...BOX, x2: 50 });
    remote(document, (all) => all.map((one) => ({ ...one, geometry: { ...BOX, x2: 99 }, author_id: 7, revision: 4 })));
    expect(editor.undo()).toMatchObject({ theirs: ["a"], gone: [] });
    expect(document.get("a")).toMatchObject({ geometry: { x2: 99 }, author_id: 7 });
    expect([editor.history.canUndo, editor.history.canRedo]).toEqual([false, false]);
  });

  it("takes its own field back and leaves theirs", () => {
    const { document, editor } = desk(drawn("a", BOX));
    editor.reshape("a", { ...BOX, x2: 50 });
    remote(document, (all) => all.map((one) => ({ ...one, label_id: 2, author_id: 7, revision: 4 })));
    editor.undo();
    expect(document.get("a")).toMatchObject({ geometry: BOX, label_id: 2, author_id: 7, revision: 4 });
    editor.redo();
    expect(document.get("a")).toMatchObject({ geometry: { x2: 50 }, label_id: 2 });
  });

  it("makes no prediction again of what somebody changed", () => {
    const { document, editor } = desk(drawn("p", BOX, { source: "model", author_id: null, confidence: 0.7 }));
    editor.accept(["p"]);
    remote(document, (all) => all.map((one) => ({ ...one, label_id: 2, revision: 4 })));
    editor.undo();
    expect(stateOf(document.all[0]!)).toBe("accepted");
  });

  it("brings a deleted shape back, and leaves one away that somebody else deleted", () => {
    const { document, editor } = desk(drawn("a", BOX), drawn("b", BOX));
    editor.remove(["a"]);
    editor.reshape("b", { ...BOX, x2: 50 });
    remote(document, () => []);
    expect(editor.undo()).toMatchObject({ theirs: [], gone: ["b"] });
    expect(editor.undo()).toMatchObject({ theirs: [], gone: [] });
    expect(document.all.map((one) => one.id)).toEqual(["a"]);
  });

  it("does not take away an added shape that somebody worked on", () => {
    const { document, editor } = desk();
    const id = editor.add(BOX, 1);
    remote(document, (all) => all.map((one) => ({ ...one, label_id: 2, author_id: 7, revision: 4 })));
    expect(editor.undo()?.theirs).toEqual([id]);
    expect(document.size).toBe(1);
  });

  it("is exact when only the box numbered the revisions", () => {
    const { document, editor } = desk(drawn("a", BOX));
    editor.reshape("a", { ...BOX, x2: 50 });
    const heard: string[] = [];
    document.listen((_, source) => heard.push(source));
    remote(document, (all) => all.map((one) => ({ ...one, revision: 9 })));
    expect(heard).toEqual([]);
    expect(editor.undo()).toMatchObject({ theirs: [], gone: [] });
    expect(document.get("a")?.geometry).toEqual(BOX);
  });
});

/** Random numbers that are the same at each run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 48271) % 2147483647;
    return state % sides;
  };
}

function edit(editor: Editor, roll: (sides: number) => number): void {
  const all = editor.document.all.map((one) => one.id);
  const some = all.filter(() => roll(3) === 0);
  const x = roll(50);
  switch (roll(7)) {
    case 0:
      return void editor.add({ ...BOX, x2: 50 + x }, 1 + roll(2));
    case 1:
      return editor.relabel(some, 1 + roll(2));
    case 2:
      return editor.reshapeMany(new Map(some.map((id) => [id, { ...BOX, x2: 50 + x }])));
    case 3:
      return editor.remove(some);
    case 4:
      return editor.reject(some);
    case 5:
      return editor.setAttributes(some, { age: x, name: roll(2) ? "n" : null });
    default:
      return editor.nudge(some, 1, 1, roll(2) === 0);
  }
}

const state = (document: ImageDocument): unknown => [...document.all].sort((a, b) => (a.id < b.id ? -1 : 1));

describe("random scripts", () => {
  it("undo and redo are exact inverses while nobody else works here", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const roll = dice(seed * 977);
      const { document, editor } = desk(drawn("a", BOX), drawn("p", BOX, { source: "model", author_id: null, confidence: 0.5 }));
      const states = [state(document)];
      for (let i = 0; i < 20; i++) {
        edit(editor, roll);
        while (editor.history.mark() < states.length - 1) states.pop();
        if (editor.history.mark() === states.length) states.push(state(document));
        else states[states.length - 1] = state(document);
      }
      const last = states.length - 1;
      for (let i = last; i > 0; i--) {
        expect(same(state(document), states[i]), `seed ${seed}, undo ${i}`).toBe(true);
        editor.undo();
      }
      expect(editor.undo()).toBeNull();
      for (let i = 0; i <= last; i++) {
        expect(same(state(document), states[i]), `seed ${seed}, redo ${i}`).toBe(true);
        editor.redo();
      }
      expect(editor.redo()).toBeNull();
    }
  });

  it("never overwrite or lose what somebody else did", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const roll = dice(seed * 7919);
      const { document, editor } = desk(drawn("a", BOX), drawn("b", BOX), drawn("c", BOX));
      const theirs = new Map<string, Annotation | null>();
      for (let i = 0; i < 40; i++) {
        const kind = roll(4);
        if (kind === 0) {
          remote(document, (all) =>
            all.flatMap((one) => {
              if (roll(4) > 0) return [one];
              const made = { ...one, geometry: { ...BOX, x1: 0, x2: 1000 + i }, author_id: 7, revision: document.revision + 1 };
              const put = roll(3) > 0 ? made : null;
              theirs.set(one.id, put);
              return put ? [put] : [];
            }),
          );
        } else if (kind === 1) {
          const before = new Map(document.all.map((one) => [one.id, one]));
          const replay = roll(2) ? editor.undo() : editor.redo();
          for (const [id, put] of theirs) {
            const [was, now] = [before.get(id), document.get(id)];
            const untouched = put !== null && was !== undefined && same(was.geometry, put.geometry);
            if (untouched) expect(now?.geometry, `seed ${seed}: ${id} after ${i}`).toEqual(put.geometry);
          }
          for (const id of replay?.gone ?? []) expect(document.get(id)).toBeNull();
        } else {
          const before = document.all;
          edit(editor, roll);
          for (const one of [...before, ...document.all]) if (document.get(one.id) !== one || !before.includes(one)) theirs.delete(one.id);
        }
        for (const one of document.all) expect(new Set(Object.keys(one)).size).toBe(10);
        expect(new Set(document.all.map((one) => one.id)).size).toBe(document.size);
      }
    }
  });
});

describe("20,000 annotations", () => {
  it("hands out one list until something changes, and tells listeners what changed", () => {
    const { document, editor } = desk(...Array.from({ length: 20_000 }, (_, i) => drawn(`a${i}`, BOX)));
    const { all } = document;
    expect(document.all).toBe(all);
    const sizes: number[] = [];
    document.listen((change) => sizes.push(change.size));
    editor.reshape("a77", { ...BOX, x2: 50 });
    document.rebase(4, structuredClone([...document.all.slice(0, -1)]), new Set());
    expect(sizes).toEqual([1, 1]);
    expect(document.size).toBe(19_999);
  });
});
