import { describe, expect, it } from "vitest";

import { complete } from "../../src/api/client";
import type { Annotation } from "../../src/api/types";
import { ImageDocument, stateOf } from "../../src/editor/document";
import { Editor } from "../../src/editor/editor";

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
    expect(editor.undo()).toBeNull();
    editor.redo();
    editor.redo();
    expect(document.get(id)?.geometry).toEqual({ ...BOX, x2: 99 });
  });

  it("forgets what could be redone at a new step", () => {
    const { document, editor } = desk();
    editor.add(BOX, 1);
    editor.undo();
    editor.add(BOX, 2);
    expect(editor.redo()).toBeNull();
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
