import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { comments } from "../../src/api/client";
import { Problem } from "../../src/api/problem";
import type { Annotation, Comment, Thread } from "../../src/api/types";
import { RemarkParcel } from "../../src/app/remark";
import type { Remark } from "../../src/editor/journal";
import { placeOf, standingOf, Talk, under } from "../../src/workbench/talk";

const said = (key: string): Comment => ({ id: 1, key, author_id: 1, author: "Ann", text: "look", mentions: [], created_at_ms: 1, edited_at_ms: null, deleted_at_ms: null });
const thread = (number: number, facts: Partial<Thread> = {}): Thread => ({
  id: number, key: `key-${number}`, image_id: 5, number, annotation_id: null, gone: false, x: 10, y: 20, author_id: 1, answered: false,
  resolved_by: null, resolver: null, resolved_at_ms: null, created_at_ms: 1, comments: [said(`key-${number}`)], unread: 0, ...facts,
});
const shape = (id: string, x1: number, x2: number): Annotation =>
  ({ id, geometry: { type: "box", x1, y1: 0, x2, y2: 10 } }) as Annotation;

describe("the pins of an image", () => {
  const talk = new Talk();
  let found: Thread[] = [];
  const read = vi.fn(async () => null);
  beforeEach(async () => {
    vi.spyOn(comments, "of").mockImplementation(async () => found);
    vi.spyOn(comments, "read").mockImplementation(read);
    found = [thread(1), thread(2, { answered: true }), thread(3, { resolved_at_ms: 9 }), thread(4, { x: null, y: null }), thread(5, { unread: 2 })];
    talk.show(1, 5);
    await talk.reload();
  });
  afterEach(() => vi.restoreAllMocks());

  it("are walked in their order, those that wait for an answer alone, and around the end", () => {
    expect([talk.next()?.number, talk.next()?.number, talk.next()?.number]).toEqual([1, 5, 1]);
    expect(talk.open.value).toBe("key-1");
  });

  it("are read by opening them", () => {
    expect(talk.unread.value).toBe(2);
    talk.toggle("key-5");
    expect([talk.unread.value, read.mock.lastCall]).toEqual([0, [1, 5, 5]]);
  });

  it("stand where they stand", () => {
    expect(talk.list.value.map(standingOf)).toEqual(["open", "answered", "resolved", "open", "open"]);
    expect(talk.waiting.value.map(({ number }) => number)).toEqual([1, 2, 4, 5]);
  });

  it("keep what is begun when the same image is put again, and drop it with the image", () => {
    talk.begin({ x: 1, y: 2 });
    talk.show(1, 5);
    expect(talk.begun.value?.pin).toEqual({ x: 1, y: 2 });
    talk.show(1, 6);
    expect(talk.begun.value).toBeNull();
    talk.show(1, 5);
  });

  it("leave none to walk once all are answered", async () => {
    found = [thread(1, { answered: true })];
    await talk.reload();
    expect(talk.next()).toBeNull();
  });
});

describe("a pin", () => {
  const one = { key: "k", number: 1, thread: null, pending: [], annotationId: "a", x: 3, y: 4 };

  it("stands at its annotation as it is now, else where it was put", () => {
    expect(placeOf(one, shape("a", 10, 30))).toEqual({ x: 20, y: 0 });
    expect(placeOf(one, null)).toEqual({ x: 3, y: 4 });
    expect(placeOf({ ...one, x: null, y: null }, undefined)).toBeNull();
  });

  it("goes to the smallest annotation under it", () => {
    const all = [shape("large", 0, 100), shape("small", 10, 20)];
    expect([under(all, 15, 5)?.id, under(all, 50, 5)?.id, under(all, 50, 50)]).toEqual(["small", "large", null]);
  });
});

describe("a comment on its way", () => {
  const remark: Remark = { projectId: 1, imageId: 5, comment: { key: "key-1", text: "look" }, at: 1, refusal: null };
  const outcome = async (answer: () => Promise<Thread>): Promise<[string, string]> => {
    let heard = "nothing";
    const parcel = new RemarkParcel(remark, { done: () => (heard = "done"), refused: () => (heard = "refused"), add: answer });
    return [await parcel.push(), heard];
  };
  const problem = (status: number): (() => Promise<Thread>) => () => Promise.reject(new Problem(status, { code: "x", detail: "no" }));

  it("is kept until the box has said yes or no", async () => {
    expect(await outcome(async () => thread(1))).toEqual(["done", "done"]);
    expect(await outcome(problem(422))).toEqual(["done", "refused"]);
    expect(await outcome(problem(401))).toEqual(["signed-out", "nothing"]);
    expect((await outcome(problem(500)))[1]).toBe("nothing");
    expect((await outcome(problem(0)))[1]).toBe("nothing");
  });
});
