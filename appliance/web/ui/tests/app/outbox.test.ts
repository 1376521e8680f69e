import "fake-indexeddb/auto";

import { afterEach, expect, it, vi } from "vitest";

import { complete } from "../../src/api/client";
import { Outbox } from "../../src/app/outbox";
import { Editor } from "../../src/editor/editor";
import { Journal } from "../../src/editor/journal";

const BOX = { type: "box", x1: 10, y1: 20, x2: 30, y2: 60 } as const;
const PRESENT = { image_id: 9, revision: 0, annotations: [], late: 0 };

afterEach(() => vi.unstubAllGlobals());

it("has one saver of an image that is opened while an earlier page's work of it is being delivered", async () => {
  let answer: (response: Response) => void = () => undefined;
  const asked = new Promise<void>((heard) => {
    vi.stubGlobal("fetch", (_path: string, { method }: RequestInit) => {
      if (method !== "GET") return Promise.reject(new TypeError("no line"));
      heard();
      return new Promise<Response>((resolve) => (answer = resolve));
    });
  });
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("navigator", {});
  const left = new Journal("box-1", 2);
  await left.open();
  const unsent = { after: complete({ id: "d1345678", label_id: 1, geometry: BOX, author_id: 2 }), base: null, onTop: false };
  left.note({ projectId: 1, imageId: 9, lane: "gone" }, new Map([["d1345678", unsent]]));
  const outbox = new Outbox("box-1", 2);
  await outbox.open();
  await asked;
  const saver = outbox.saver(1, PRESENT);
  answer(Response.json(PRESENT));
  await vi.waitUntil(() => outbox.standing.value === "offline");
  new Editor(saver.document, { width: 640, height: 480 }, 2).add(BOX, 1);
  await outbox.flush();
  expect(saver.unsentCount).toBe(2);
  expect(outbox.unsent.value).toBe(2);
  expect((await left.tally()).changes).toBe(2);
  outbox.close();
});

it("reads the image that is shown again when it may have missed something, and no other", async () => {
  const asked: string[] = [];
  const theirs = complete({ id: "t1345678", label_id: 1, geometry: BOX, author_id: 3 });
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    return Promise.resolve(Response.json({ image_id: 9, revision: 4, annotations: [theirs], late: 0 }));
  });
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("navigator", {});
  const outbox = new Outbox("box-2", 2);
  await outbox.open();
  outbox.doubt();
  const other = outbox.saver(1, { ...PRESENT, image_id: 8 });
  const shown = outbox.saver(1, PRESENT);
  expect(asked).toEqual([]);
  outbox.doubt();
  await vi.waitUntil(() => shown.document.revision === 4);
  expect(shown.document.all).toMatchObject([{ id: "t1345678" }]);
  expect(other.document.revision).toBe(0);
  expect(asked).toEqual(["/api/projects/1/images/9/annotations"]);
  outbox.close();
});

it("reads nothing while a change is on its way, and then what others did", async () => {
  const theirs = complete({ id: "t1345678", label_id: 1, geometry: BOX, author_id: 3 });
  const asked: string[] = [];
  let line = false;
  vi.stubGlobal("fetch", (_path: string, { method }: RequestInit) => {
    asked.push(method ?? "");
    if (!line) return Promise.reject(new TypeError("no line"));
    return Promise.resolve(Response.json(method === "GET" ? { ...PRESENT, revision: 2, annotations: [theirs] } : { revision: 1 }));
  });
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("navigator", {});
  const outbox = new Outbox("box-3", 2);
  await outbox.open();
  const saver = outbox.saver(1, PRESENT);
  new Editor(saver.document, { width: 640, height: 480 }, 2).add(BOX, 1);
  await outbox.flush();
  outbox.doubt();
  expect([outbox.standing.value, new Set(asked)]).toEqual(["offline", new Set(["POST"])]);
  line = true;
  await outbox.flush();
  await vi.waitUntil(() => saver.document.revision === 2);
  expect(saver.document.all).toMatchObject([{ id: "t1345678" }]);
  expect([outbox.standing.value, asked.at(-1)]).toEqual(["saved", "GET"]);
  outbox.close();
});
