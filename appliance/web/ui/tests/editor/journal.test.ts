import "fake-indexeddb/auto";

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { complete } from "../../src/api/client";
import { type Intent, Journal, type Place } from "../../src/editor/journal";
import type { Unsent } from "../../src/editor/pending";

const BOX = { type: "box", x1: 10, y1: 20, x2: 30, y2: 60 } as const;
const unsent = (id: string): Unsent => ({ after: complete({ id, label_id: 1, geometry: BOX }), base: null, onTop: false });
const at = (lane: string, imageId = 9): Place => ({ projectId: 1, imageId, lane });
const intent = (taskId: number, when: number): Intent => ({
  kind: "submit", projectId: 1, imageId: 9, taskId, name: "a.png", revision: 3, reason: null, at: when, refusal: null,
});

async function opened(boxId = "box-1", userId = 2): Promise<Journal> {
  const journal = new Journal(boxId, userId);
  await journal.open();
  return journal;
}

beforeEach(() => vi.stubGlobal("indexedDB", new IDBFactory()));
afterEach(() => vi.unstubAllGlobals());

describe("Journal", () => {
  it("gives the next page what a closed one left, once", async () => {
    const first = await opened();
    first.note(at("one"), new Map([["a1345678", unsent("a1345678")]]));
    first.note(at("one", 10), new Map([["b1345678", unsent("b1345678")], ["c1345678", unsent("c1345678")]]));
    first.note(at("one", 10), new Map([["c1345678", null]]));
    first.close();
    const second = await opened();
    const [got, nothing] = [await second.adopt("two", new Set(["two"])), await second.adopt("three", new Set(["two", "three"]))];
    expect(got.kept.map(({ place, unsent: rows }) => [place.imageId, [...rows.keys()]])).toEqual([[9, ["a1345678"]], [10, ["b1345678"]]]);
    expect(got.kept[0].unsent.get("a1345678")).toEqual(unsent("a1345678"));
    expect(nothing.kept).toEqual([]);
    second.replace(got.kept[0].place, new Map(), null);
    const third = await opened();
    expect((await third.adopt("three", new Set())).kept.map(({ place }) => place.imageId)).toEqual([10]);
  });

  it("leaves the work of open pages, of other users and of other boxes alone", async () => {
    const journal = await opened();
    journal.note(at("one"), new Map([["a1345678", unsent("a1345678")]]));
    expect((await journal.adopt("two", new Set(["one", "two"]))).kept).toEqual([]);
    for (const other of [await opened("box-1", 3), await opened("box-2", 2), await opened("box-1", 22)])
      expect((await other.adopt("two", new Set())).kept).toEqual([]);
    expect((await journal.adopt("two", new Set(["two"]))).kept).toHaveLength(1);
  });

  it("keeps the lanes of two closed pages apart, through another adoption too", async () => {
    const journal = await opened();
    for (const lane of ["one", "two"]) journal.note(at(lane), new Map([["a1345678", unsent("a1345678")]]));
    expect((await journal.adopt("three", new Set(["three"]))).kept).toHaveLength(2);
    const again = (await journal.adopt("four", new Set(["four"]))).kept;
    expect(again.map(({ place }) => place.lane).sort()).toEqual(["four/one", "four/two"]);
  });

  it("keeps the diff under way beside what was changed since", async () => {
    const journal = await opened();
    const sent = new Map([["a1345678", unsent("a1345678")]]);
    const underway = { diff: { diff_id: "the-diff", revision: 3, removed: [] }, sent };
    journal.note(at("one"), sent);
    journal.replace(at("one"), new Map(), underway);
    journal.note(at("one"), new Map([["a1345678", { ...unsent("a1345678"), onTop: true }]]));
    const [kept] = (await journal.adopt("two", new Set())).kept;
    expect(kept.underway).toEqual(underway);
    expect(kept.unsent.get("a1345678")?.onTop).toBe(true);
  });

  it("writes what comes before it is open", async () => {
    const journal = new Journal("box-1", 2);
    journal.note(at("one"), new Map([["a1345678", unsent("a1345678")]]));
    await journal.open();
    expect((await journal.adopt("two", new Set())).kept).toHaveLength(1);
  });

  it("keeps intents in the order in which they were meant, one for each task", async () => {
    const journal = await opened();
    for (const [task, when] of [[7, 30], [8, 20], [9, 10], [8, 40]]) journal.intend("one", intent(task, when));
    journal.fulfil("one", 9);
    const { intents } = await journal.adopt("two", new Set(["two"]));
    expect(intents.map(({ taskId }) => taskId)).toEqual([7, 8]);
    expect((await journal.adopt("two", new Set(["two"]))).intents).toEqual([]);
  });

  it("says so where the browser keeps nothing, and goes on", async () => {
    vi.stubGlobal("indexedDB", { open: () => { throw new DOMException("denied", "SecurityError"); } });
    const journal = await opened();
    expect(journal.durable.value).toBe(false);
    journal.note(at("one"), new Map([["a1345678", unsent("a1345678")]]));
    expect((await journal.adopt("two", new Set())).kept).toEqual([]);
  });
});
