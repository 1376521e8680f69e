import "fake-indexeddb/auto";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Preview } from "../../../src/api/types";
import { Kept } from "../../../src/app/uploads/kept";
import { type Outcome, type Send, Unreadable } from "../../../src/app/uploads/queue";
import type { Transfer } from "../../../src/app/uploads/transfer";
import { Uploads } from "../../../src/app/uploads/uploads";
import { turn } from "./made";

const COCO = '{"images": [], "annotations": [], "categories": []}';
const PREVIEW: Preview = {
  format: "coco", title: "COCO JSON", files: ["a.json"], pictures: 2, promised: 2, present: 0, images: 2, annotated: 1,
  matched: 0, missing: 0, labels: [], annotations: {}, splits: {}, notes: [],
};
const named = (name: string, text = name) => ({ name, file: new File([text], name.split("/").pop() ?? "", { lastModified: 7 }) });

let databases = 0;
let calls: string[] = [];
let preview: Preview = PREVIEW;

beforeEach(() => {
  calls = [];
  preview = PREVIEW;
  vi.stubGlobal("fetch", async (path: string, init: { method: string }) => {
    calls.push(`${init.method} ${path}`);
    const body = path.endsWith("/preview") ? preview : { id: 3, kind: "import", state: "queued" };
    return new Response(init.method === "DELETE" ? null : JSON.stringify(body), { status: init.method === "DELETE" ? 204 : 200 });
  });
});
afterEach(() => vi.unstubAllGlobals());

/** A sender that takes everything; a dataset is upload 9. */
function sender(sent: Transfer[]): Send {
  return async (transfer, listen): Promise<Outcome> => {
    sent.push(transfer);
    await turn();
    if (!/\.(zip|json)$/.test(transfer.name)) return { state: "done", problem: null };
    listen.began("/api/projects/1/uploads/9");
    return { state: "ready", problem: null };
  };
}

function uploadsOf(send: Send, page = "page-1", name = `u-${++databases}`) {
  const made = new Uploads(send, new Kept(page, name));
  made.follow(7);
  return { uploads: made, name };
}

const until = (yes: () => boolean) => vi.waitFor(() => expect(yes()).toBe(true));

describe("Uploads", () => {
  it("asks before anything of a dataset is sent but what describes it", async () => {
    const sent: Transfer[] = [];
    const { uploads } = uploadsOf(sender(sent));
    await uploads.take(1, [named("set/a.json", COCO), named("set/images/1.png"), named("set/images/2.png")]);
    await until(() => uploads.datasets.value[0]?.preview !== null && uploads.datasets.value.length === 1);
    expect(sent.map((one) => one.name)).toEqual(["set.zip"]);
    await uploads.decide(uploads.datasets.value[0], "everything");
    await until(() => calls.includes("POST /api/projects/1/uploads/9/import"));
    expect(sent.slice(1).map((one) => [one.name, one.batch])).toEqual([["set/images/1.png", 9], ["set/images/2.png", 9]]);
    expect(uploads.datasets.value).toEqual([]);
  });

  it("takes only the pictures of a folder, and drops what described it", async () => {
    const sent: Transfer[] = [];
    const { uploads } = uploadsOf(sender(sent));
    await uploads.take(1, [named("set/a.json", COCO), named("set/images/1.png")]);
    await until(() => Boolean(uploads.datasets.value[0]?.preview));
    await uploads.decide(uploads.datasets.value[0], "pictures");
    await until(() => uploads.queue.group(1).count("done") === 1);
    expect(sent[1].batch).toBeNull();
    expect(calls.slice(1)).toEqual(["DELETE /api/projects/1/uploads/9"]);
  });

  it("imports an archive of pictures alone without a question", async () => {
    preview = { ...PREVIEW, format: null, promised: 0 };
    const { uploads } = uploadsOf(sender([]));
    await uploads.take(1, [named("trays.zip")]);
    await until(() => calls.includes("POST /api/projects/1/uploads/9/import"));
    await until(() => uploads.datasets.value.length === 0);
  });

  it("goes on after a reload, and for nobody else", async () => {
    const hang: Send = () => new Promise(() => undefined);
    const { uploads, name } = uploadsOf(hang);
    await uploads.take(1, [named("a.png"), named("b.png")]);
    const kept = new Kept("page-9", name);
    await turn();
    const sent: Transfer[] = [];
    const other = new Uploads(sender(sent), new Kept("page-2", name));
    other.follow(8);
    await other.resume(1);
    expect(sent).toEqual([]);
    const again = new Uploads(sender(sent), new Kept("page-3", name));
    again.follow(7);
    await again.resume(1);
    await until(() => again.queue.group(1).count("done", "lost") === 2);
    expect(await kept.adopt(8, 1, new Set())).toEqual([]);
  });

  it("knows a file that is chosen again", async () => {
    let readable = false;
    const sent: string[] = [];
    const { uploads } = uploadsOf(async (transfer) => {
      if (!readable) throw new Unreadable();
      sent.push(transfer.name);
      return { state: "done", problem: null };
    });
    await uploads.take(1, [named("set/a.png", "12345")]);
    await until(() => uploads.queue.group(1).count("lost") === 1);
    readable = true;
    await uploads.take(1, [named("a.png", "12345"), named("b.png", "other")]);
    await until(() => uploads.queue.group(1).count("done") === 2);
    expect(sent).toEqual(["set/a.png", "b.png"]);
    expect(uploads.queue.group(1).all.size).toBe(2);
  });

  it("sends nothing of the one who signed out", async () => {
    const { uploads } = uploadsOf(() => new Promise(() => undefined));
    await uploads.take(1, [named("a.png")]);
    uploads.follow(null);
    expect(uploads.queue.halt.value).toBe("signed-out");
    uploads.follow(8);
    expect(uploads.queue.group(1).all.size).toBe(0);
    expect(uploads.queue.halt.value).toBeNull();
  });
});
