import { describe, expect, it } from "vitest";

import { complete } from "../../src/api/client";
import { Problem } from "../../src/api/problem";
import type { Annotation } from "../../src/api/types";
import { ImageDocument, stateOf } from "../../src/editor/document";
import { Editor } from "../../src/editor/editor";
import type { Kept } from "../../src/editor/journal";
import { Saver } from "../../src/editor/saver";
import { FakeBox } from "./_box";

const SIZE = { width: 640, height: 480 };
const BOX = { type: "box", x1: 10, y1: 20, x2: 30, y2: 60 } as const;
const PLACE = { projectId: 1, imageId: 9, lane: "here" };

const drawn = (id: string): Annotation => complete({ id, label_id: 1, geometry: BOX, author_id: 2 });
const predicted = (id: string): Annotation => complete({ id, label_id: 1, geometry: BOX, source: "model", confidence: 0.7, model_id: 1 });

function saving(...annotations: Annotation[]) {
  const box = new FakeBox(9, annotations, 3);
  const document = new ImageDocument(9, 3, annotations);
  let kept: Kept = { place: PLACE, unsent: new Map(), underway: null };
  const saver = new Saver(document, {
    ...box.carrier(2),
    place: PLACE,
    keeper: {
      note: (_place, rows) => {
        for (const [id, one] of rows) {
          if (one) kept.unsent.set(id, one);
          else kept.unsent.delete(id);
        }
      },
      replace: (place, unsent, underway) => (kept = { place, unsent: new Map(unsent), underway }),
    },
    onWork: () => undefined,
  });
  return { box, document, saver, editor: new Editor(document, SIZE, 2), kept: () => kept };
}

const shape = (x2: number) => ({ ...BOX, x2 });

describe("Saver", () => {
  it("sends one diff of all that differs, and nothing of what was undone", async () => {
    const { box, document, saver, editor } = saving(drawn("d1345678"), predicted("p1345678"));
    const id = editor.add(BOX, 1);
    editor.add(BOX, 2);
    editor.undo();
    editor.reject(["p1345678"]);
    editor.remove(["d1345678"]);
    await saver.flush();
    expect(box.sent).toHaveLength(1);
    expect(box.sent[0]).toMatchObject({ revision: 3, removed: ["d1345678"] });
    expect(box.sent[0].added?.map((one) => one.id)).toEqual([id]);
    expect(box.sent[0].changed).toMatchObject([{ id: "p1345678", rejected: true }]);
    expect(document.revision).toBe(4);
    expect(saver.state.value).toBe("saved");
    await saver.flush();
    expect(box.sent).toHaveLength(1);
  });

  it("asks for what nobody told it when it is in doubt, and keeps what is unsent", async () => {
    const { box, document, saver, editor } = saving(drawn("d1345678"));
    const mine = editor.add(BOX, 1);
    box.save({ diff_id: "others", revision: 3, removed: ["d1345678"] }, 7);
    await saver.catchUp();
    expect(document.get("d1345678")).not.toBeNull();
    await saver.doubt();
    expect(document.get("d1345678")).toBeNull();
    expect(document.revision).toBe(4);
    expect([...saver.unsent.keys()]).toEqual([mine]);
  });

  it("stays in doubt while the box does not answer", async () => {
    const { box, document, saver } = saving(drawn("d1345678"));
    box.save({ diff_id: "others", revision: 3, removed: ["d1345678"] }, 7);
    box.faults = ["ask"];
    await saver.doubt();
    expect(document.get("d1345678")).not.toBeNull();
    await saver.catchUp();
    expect(document.get("d1345678")).toBeNull();
  });

  it("reads the box once for all who ask at once, and again where a doubt came meanwhile", async () => {
    const { box, document, saver } = saving(drawn("d1345678"));
    let reads = 0;
    const read = box.read.bind(box);
    box.read = () => (reads++, read());
    await Promise.all([saver.doubt(), saver.catchUp(), saver.catchUp()]);
    expect(reads).toBe(1);
    const reading = saver.doubt();
    box.save({ diff_id: "others", revision: 3, removed: ["d1345678"] }, 7);
    await Promise.all([reading, saver.doubt()]);
    expect([reads, document.revision]).toEqual([3, 4]);
  });

  it("sends the same diff again when no answer came", async () => {
    const { box, saver, editor } = saving();
    box.faults = ["answer"];
    editor.add(BOX, 1);
    await expect(saver.flush()).rejects.toThrow();
    expect(saver.state.value).toBe("offline");
    editor.add(BOX, 1);
    expect(saver.unsent.size).toBe(2);
    await saver.flush();
    expect(box.sent[1]).toBe(box.sent[0]);
    expect(box.sent[2].added).toHaveLength(1);
    expect(saver.unsent.size).toBe(0);
    expect(box.held.size).toBe(2);
  });

  it("keeps both versions when somebody else was first", async () => {
    const { box, document, saver, editor } = saving(drawn("d1345678"), drawn("e1345678"));
    box.save({ diff_id: "theirs-1", revision: 3, changed: [{ id: "d1345678", label_id: 1, geometry: shape(200) }] }, 7);
    editor.reshape("d1345678", shape(77));
    editor.reshape("e1345678", shape(88));
    await saver.flush();
    expect(saver.conflicts.value).toMatchObject([{ id: "d1345678", ours: { geometry: shape(77) }, theirs: { geometry: shape(200) } }]);
    expect(document.get("d1345678")?.geometry).toMatchObject({ x2: 200 });
    expect([...box.held.values()].map((one) => (one.geometry as typeof BOX).x2).sort()).toEqual([200, 77, 88]);
    expect(box.sent[1].diff_id).not.toBe(box.sent[0].diff_id);
    expect(document.all).toHaveLength(3);
  });

  it("keeps both when it hears of the other version before its own is sent", async () => {
    const { box, saver, editor } = saving(drawn("d1345678"));
    editor.reshape("d1345678", shape(77));
    box.save({ diff_id: "theirs-1", revision: 3, changed: [{ id: "d1345678", label_id: 1, geometry: shape(200) }] }, 7);
    saver.hear(4);
    await saver.catchUp();
    await saver.flush();
    expect([...box.held.values()].map((one) => (one.geometry as typeof BOX).x2).sort()).toEqual([200, 77]);
    expect(saver.conflicts.value).toHaveLength(1);
  });

  it("makes no conflict of an approval, of the same change, or of a removal by both", async () => {
    const { box, saver, editor } = saving(drawn("d1345678"), drawn("e1345678"), drawn("f1345678"));
    editor.reshape("d1345678", shape(77));
    editor.reshape("e1345678", shape(88));
    editor.remove(["f1345678"]);
    box.held.set("d1345678", { ...drawn("d1345678"), status: "approved", revision: 4 });
    box.held.set("e1345678", { ...drawn("e1345678"), geometry: shape(88), revision: 4, author_id: 7 });
    box.held.delete("f1345678");
    box.revision = 4;
    await saver.flush();
    expect(saver.conflicts.value).toEqual([]);
    expect([...box.held.values()].map((one) => (one.geometry as typeof BOX).x2)).toEqual([77, 88]);
  });

  it("keeps what it drew of a shape that somebody else deleted, and lets a deletion give way", async () => {
    const { box, saver, editor } = saving(drawn("d1345678"), drawn("e1345678"));
    editor.reshape("d1345678", shape(77));
    editor.remove(["e1345678"]);
    const theirs = { diff_id: "theirs-1", revision: 3, changed: [{ id: "e1345678", label_id: 1, geometry: shape(99) }], removed: ["d1345678"] };
    box.save(theirs, 7);
    await saver.flush();
    expect([...box.held.values()].map((one) => (one.geometry as typeof BOX).x2).sort()).toEqual([77, 99]);
    expect(saver.conflicts.value.map(({ ours, theirs: other }) => [ours === null, other === null])).toEqual([[false, true], [true, false]]);
  });

  it("makes a prediction of what it was when a saved acceptance is undone", async () => {
    const { box, document, saver, editor } = saving(predicted("p1345678"));
    editor.reshape("p1345678", shape(77));
    await saver.flush();
    editor.undo();
    await saver.flush();
    expect(box.sent.map((diff) => diff.changed?.[0].untouched)).toEqual([false, true]);
    expect(document.all[0].geometry).toEqual(BOX);
    expect(stateOf(document.all[0])).toBe("prediction");
  });

  it("takes what others saved without touching what is not sent", () => {
    const { document, saver, editor } = saving(drawn("d1345678"));
    editor.reshape("d1345678", shape(77));
    saver.refresh(6, [drawn("d1345678"), predicted("p1345678")]);
    expect(document.get("d1345678")?.geometry).toMatchObject({ x2: 77 });
    expect(document.get("p1345678")).not.toBeNull();
    expect(document.revision).toBe(6);
  });

  it("asks for what others saved while its own diff was under way", async () => {
    const { box, document, saver, editor } = saving();
    box.held.set("p1345678", { ...predicted("p1345678"), revision: 4 });
    box.revision = 4;
    const id = editor.add(BOX, 1);
    const under = saver.flush();
    saver.refresh(4, box.read().annotations);
    expect(document.get("p1345678")).toBeNull();
    await under;
    expect(document.all.map((one) => one.id).sort()).toEqual([id, "p1345678"].sort());
    expect(document.revision).toBe(5);
  });

  it("asks nothing after its own saves", async () => {
    const { box, saver, editor } = saving();
    editor.add(BOX, 1);
    await saver.flush();
    box.faults = [new Problem(500, { detail: "nobody should ask" })];
    saver.hear(4);
    await saver.catchUp();
    expect(box.faults).toHaveLength(1);
  });

  it("sets aside the one shape the box refuses, sends the rest, and tries again once it is changed", async () => {
    const { box, saver, editor } = saving();
    const refusal = new Problem(422, { code: "invalid-geometry", detail: "Outside.", field: "added.1.geometry" });
    box.faults = [refusal];
    editor.add(BOX, 1);
    const bad = editor.add(shape(9_000), 1);
    editor.add(BOX, 2);
    await expect(saver.flush()).rejects.toThrow("Outside.");
    expect(saver.state.value).toBe("refused");
    expect([...saver.unsent]).toEqual([bad]);
    expect(box.held.size).toBe(2);
    editor.reshape(bad, BOX);
    await saver.flush();
    expect(box.held.size).toBe(3);
    expect(saver.problem.value).toBeNull();
  });

  it("hands work in late when the image is in review, what was drawn meanwhile too", async () => {
    const { box, document, saver, editor } = saving(drawn("d1345678"));
    box.frozen = true;
    box.faults = ["ask"];
    editor.reshape("d1345678", shape(77));
    await expect(saver.flush()).rejects.toThrow();
    editor.reshape("d1345678", shape(78));
    editor.add(shape(99), 1);
    await saver.flush();
    const late = [...box.lateDiffs.values()];
    expect(late.map((diff) => diff.changed?.map((one) => one.geometry))).toEqual([[shape(77)], [shape(78)]]);
    expect(late[1].added?.[0].geometry).toEqual(shape(99));
    expect(saver.late.value).toBe(3);
    expect(document.all.map((one) => one.geometry)).toEqual([BOX]);
    expect(saver.unsent.size).toBe(0);
  });

  it("journals each change at once, and nothing once the box has it", async () => {
    const { box, saver, editor, kept } = saving(drawn("d1345678"));
    editor.reshape("d1345678", shape(77));
    expect([...kept().unsent]).toMatchObject([["d1345678", { after: { geometry: shape(77) }, base: { geometry: BOX } }]]);
    editor.undo();
    expect(kept().unsent.size).toBe(0);
    editor.redo();
    box.faults = ["ask"];
    await saver.push();
    expect(kept().underway?.diff).toBe(box.sent[0]);
    expect(kept().unsent.size).toBe(0);
    await saver.flush();
    expect(kept()).toMatchObject({ underway: null });
  });

  it("costs what changed, not what is there", () => {
    const many = Array.from({ length: 20_000 }, (_, n) => drawn(`shape-${n}`));
    const { document, editor, kept } = saving(...many);
    let reads = 0;
    const all = Object.getOwnPropertyDescriptor(ImageDocument.prototype, "all")?.get;
    Object.defineProperty(document, "all", { get: () => (reads++, all?.call(document) as Annotation[]) });
    for (let n = 0; n < 50; n++) editor.reshape("shape-19999", shape(n + 11));
    expect(reads).toBe(0);
    expect(kept().unsent.size).toBe(1);
  });
});
