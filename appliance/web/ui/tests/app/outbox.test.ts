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
