import "fake-indexeddb/auto";

import { describe, expect, it } from "vitest";

import { Http } from "../../src/api/http";
import { complete } from "../../src/api/client";
import { ImageDocument } from "../../src/editor/document";
import { Editor } from "../../src/editor/editor";
import { Journal, type Keeper } from "../../src/editor/journal";
import { Saver } from "../../src/editor/saver";
import { leftWords } from "../../src/pages/out-of-reach";
import { FakeBox } from "../editor/_box";

const BOX = { type: "box", x1: 10, y1: 20, x2: 30, y2: 60 } as const;
const PLACE = { projectId: 1, imageId: 9, lane: "one" };
const old = complete({ id: "d1345678", label_id: 1, geometry: BOX, author_id: 2 });

function saving(keeper: Keeper = { note: () => undefined, replace: () => undefined }) {
  const box = new FakeBox(9, [old], 3);
  const document = new ImageDocument(9, 3, [old]);
  const saver = new Saver(document, { ...box.carrier(2), place: PLACE, keeper, onWork: () => undefined });
  return { box, saver, editor: new Editor(document, { width: 640, height: 480 }, 2) };
}

describe("what an image is recalled from", () => {
  it("is what the box holds, without what is waiting or under way", async () => {
    const { box, saver, editor } = saving();
    const first = editor.add(BOX, 1);
    await saver.flush();
    box.faults = ["answer"];
    editor.remove([old.id]);
    await saver.push();
    editor.reshape(first, { ...BOX, x2: 99 });
    editor.add(BOX, 2);
    expect(saver.held.revision).toBe(4);
    expect(saver.held.annotations.map((one) => [one.id, one.geometry])).toEqual([[first, BOX], [old.id, BOX]]);
  });

  it("answers only while the box does not, and every time anew", async () => {
    let up = false;
    const http = new Http(() => (up ? Promise.resolve(new Response('{"n":2}')) : Promise.reject(new TypeError("no line"))));
    await expect(http.get("/api/a")).rejects.toMatchObject({ code: "offline" });
    http.recalled = new Map([["/api/a", { n: 1 }]]);
    const early = await http.get<{ n: number }>("/api/a");
    early.n = 7;
    expect(await http.get("/api/a")).toEqual({ n: 1 });
    await expect(http.get("/api/b")).rejects.toMatchObject({ code: "offline" });
    up = true;
    expect(await http.get("/api/a")).toEqual({ n: 2 });
  });

  it("does not stand in for a refusal", async () => {
    const http = new Http(() => Promise.resolve(new Response('{"code":"not-signed-in","status":401}', { status: 401 })));
    http.recalled = new Map([["/api/a", { n: 1 }]]);
    await expect(http.get("/api/a")).rejects.toMatchObject({ status: 401 });
  });
});

describe("what is left of a person", () => {
  it("is counted over all pages, each change once", async () => {
    const journal = new Journal("box-1", 2);
    await journal.open();
    expect(leftWords(await journal.tally())).toContain("Everything that was done here");
    const { box, saver, editor } = saving(journal);
    box.faults = ["answer"];
    const first = editor.add(BOX, 1);
    await saver.push();
    editor.reshape(first, { ...BOX, x2: 99 });
    editor.add(BOX, 2);
    journal.intend("two", { kind: "submit", projectId: 1, imageId: 9, taskId: 4, name: "a.png", revision: 3, reason: null, at: 1, refusal: null });
    journal.remark("two", { projectId: 1, imageId: 9, comment: { key: "k1234567", text: "Why?" }, at: 2, refusal: null });
    const stranger = new Journal("box-1", 3);
    await stranger.open();
    expect(await stranger.tally()).toEqual({ changes: 0, intents: 0, remarks: 0 });
    const tally = await journal.tally();
    expect(tally).toEqual({ changes: 2, intents: 1, remarks: 1 });
    expect(leftWords(tally)).toContain("2 changes and 1 submission and 1 comment kept on this device");
  });
});
