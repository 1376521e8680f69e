import { describe, expect, it } from "vitest";

import { complete } from "../../src/api/client";
import { Problem } from "../../src/api/problem";
import type { Annotation, Diff, Saved } from "../../src/api/types";
import { ImageDocument, stateOf } from "../../src/editor/document";
import { Editor } from "../../src/editor/editor";
import { Saver, type SaveState } from "../../src/editor/saver";

const SIZE = { width: 640, height: 480 };
const BOX = { type: "box", x1: 10, y1: 20, x2: 30, y2: 60 } as const;

const drawn = (id: string): Annotation => complete({ id, label_id: 1, geometry: BOX, author_id: 2 });
const predicted = (id: string): Annotation => complete({ id, label_id: 1, geometry: BOX, source: "model", confidence: 0.7, model_id: 1 });

function desk(...annotations: Annotation[]) {
  const document = new ImageDocument(9, 3, annotations);
  return { document, editor: new Editor(document, SIZE, 2) };
}

describe("Editor", () => {
  it("adds, reshapes and removes, and takes each step back", () => {
    const { document, editor } = desk();
    const id = editor.add(BOX, 1);
    editor.reshape(id, { ...BOX, x2: 99 });
    editor.remove([id]);
    expect(document.get(id)).toBeNull();
    editor.undo();
    expect(document.get(id)?.geometry).toEqual({ ...BOX, x2: 99 });
    editor.undo();
    expect(document.get(id)?.geometry).toEqual(BOX);
    editor.undo();
    expect(document.all).toEqual([]);
    expect(editor.undo()).toBe(false);
    editor.redo();
    editor.redo();
    expect(document.get(id)?.geometry).toEqual({ ...BOX, x2: 99 });
  });

  it("forgets what could be redone at a new step", () => {
    const { document, editor } = desk();
    editor.add(BOX, 1);
    editor.undo();
    editor.add(BOX, 2);
    expect(editor.redo()).toBe(false);
    expect(document.all.map((one) => one.label_id)).toEqual([2]);
  });

  it("accepts a prediction by reshaping it; undo brings dash and confidence back", () => {
    const { document, editor } = desk(predicted("p1345678"));
    editor.reshape("p1345678", { ...BOX, x1: 0 });
    expect(stateOf(document.all[0])).toBe("accepted");
    editor.undo();
    expect(stateOf(document.all[0])).toBe("prediction");
    expect(document.all[0].confidence).toBe(0.7);
  });

  it("refuses predictions instead of deleting them", () => {
    const { document, editor } = desk(predicted("p1345678"), drawn("d1345678"));
    editor.remove(["p1345678", "d1345678"]);
    expect(document.all.map(stateOf)).toEqual(["rejected"]);
    editor.accept(["p1345678"]);
    expect(document.all.map(stateOf)).toEqual(["accepted"]);
  });

  it("makes no step of what changes nothing", () => {
    const { editor } = desk(drawn("d1345678"));
    editor.relabel(["d1345678"], 1);
    editor.reject(["d1345678"]);
    editor.remove(["nothing-here"]);
    expect(editor.history.canUndo).toBe(false);
  });
});

function saving(document: ImageDocument, answers: (Saved | Problem)[]) {
  const sent: Diff[] = [];
  const states: SaveState[] = [];
  const timers: (() => void)[] = [];
  let conflicts = 0;
  let behind = 0;
  const saver = new Saver(document, {
    send: async (diff) => {
      sent.push(diff);
      const answer = answers.shift();
      if (answer instanceof Problem) throw answer;
      return answer ?? { image_id: 9, revision: document.revision + 1, repeated: false };
    },
    complete,
    onState: (state) => states.push(state),
    onConflict: (n) => (conflicts += n),
    onBehind: () => behind++,
    later: (run) => timers.push(run),
  });
  return { saver, sent, states, timers, conflicts: () => conflicts, behind: () => behind };
}

describe("Saver", () => {
  it("sends one diff of all that differs, and nothing of what was undone", async () => {
    const { document, editor } = desk(drawn("d1345678"), predicted("p1345678"));
    const { saver, sent, states } = saving(document, []);
    const id = editor.add(BOX, 1);
    editor.add(BOX, 2);
    editor.undo();
    editor.reject(["p1345678"]);
    editor.remove(["d1345678"]);
    await saver.flush();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ revision: 3, removed: ["d1345678"] });
    expect(sent[0].added?.map((one) => one.id)).toEqual([id]);
    expect(sent[0].changed).toMatchObject([{ id: "p1345678", rejected: true }]);
    expect(document.revision).toBe(4);
    expect(states.at(-1)).toBe("saved");
    await saver.flush();
    expect(sent).toHaveLength(1);
  });

  it("sends the same diff again when no answer came", async () => {
    const { document, editor } = desk();
    const { saver, sent, states, timers } = saving(document, [new Problem(0, { code: "offline" })]);
    editor.add(BOX, 1);
    await expect(saver.flush()).rejects.toThrow();
    expect(states.at(-1)).toBe("offline");
    editor.add(BOX, 1);
    expect(saver.unsent.size).toBe(2);
    timers.forEach((run) => run());
    await saver.flush();
    expect(sent[1]).toBe(sent[0]);
    expect(sent[2].added).toHaveLength(1);
    expect(saver.unsent.size).toBe(0);
  });

  it("keeps both versions when somebody else was first", async () => {
    const { document, editor } = desk(drawn("d1345678"), drawn("e1345678"));
    const theirs = { ...drawn("d1345678"), geometry: { ...BOX, x2: 200 }, revision: 5 };
    const stale = new Problem(409, {
      code: "stale-revision",
      details: { revision: 5, conflicts: ["d1345678"], annotations: JSON.parse(JSON.stringify([theirs, drawn("e1345678")])) },
    });
    const { saver, sent, conflicts } = saving(document, [stale]);
    editor.reshape("d1345678", { ...BOX, x2: 77 });
    editor.reshape("e1345678", { ...BOX, x2: 88 });
    await saver.flush();
    expect(conflicts()).toBe(1);
    expect(document.get("d1345678")?.geometry).toMatchObject({ x2: 200 });
    expect(sent[1]).toMatchObject({ revision: 5, changed: [{ id: "e1345678" }] });
    expect(sent[1].diff_id).not.toBe(sent[0].diff_id);
    expect(sent[1].added?.[0].geometry).toMatchObject({ x2: 77 });
    expect(document.all).toHaveLength(3);
  });

  it("makes a prediction of what it was when a saved acceptance is undone", async () => {
    const { document, editor } = desk(predicted("p1345678"));
    const { saver, sent } = saving(document, []);
    editor.reshape("p1345678", { ...BOX, x2: 77 });
    await saver.flush();
    editor.undo();
    await saver.flush();
    expect(sent).toHaveLength(2);
    expect(sent.map((diff) => diff.changed?.[0].untouched)).toEqual([false, true]);
    expect(document.all[0].geometry).toEqual(BOX);
    expect(stateOf(document.all[0])).toBe("prediction");
  });

  it("takes what others saved without touching what is not sent", () => {
    const { document, editor } = desk(drawn("d1345678"));
    const { saver } = saving(document, []);
    editor.reshape("d1345678", { ...BOX, x2: 77 });
    saver.refresh(6, [drawn("d1345678"), predicted("p1345678")]);
    expect(document.get("d1345678")?.geometry).toMatchObject({ x2: 77 });
    expect(document.get("p1345678")).not.toBeNull();
    expect(document.revision).toBe(6);
  });

  it("asks for what others saved while its own diff was under way", async () => {
    const { document, editor } = desk();
    const { saver, behind } = saving(document, [{ image_id: 9, revision: 5, repeated: false }]);
    const id = editor.add(BOX, 1);
    const under = saver.flush();
    saver.refresh(4, [predicted("p1345678")]);
    expect(document.get("p1345678")).toBeNull();
    await under;
    expect(behind()).toBe(1);
    saver.refresh(5, [predicted("p1345678"), drawn(id)]);
    expect(document.all.map((one) => one.id).sort()).toEqual([id, "p1345678"].sort());
    editor.add(BOX, 1);
    await saver.flush();
    expect(behind()).toBe(1);
  });

  it("keeps what the box refuses and says why", async () => {
    const { document, editor } = desk();
    const { saver, states } = saving(document, [new Problem(422, { code: "invalid-geometry", detail: "Outside." })]);
    editor.add(BOX, 1);
    await expect(saver.flush()).rejects.toThrow("Outside.");
    expect(states.at(-1)).toBe("refused");
    expect(saver.unsent.size).toBe(1);
  });
});
