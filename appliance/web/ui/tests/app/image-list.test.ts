import { describe, expect, it, vi } from "vitest";

import type { EventHandler } from "../../src/api/events";
import { Problem } from "../../src/api/problem";
import type { Image, ServerEvent } from "../../src/api/types";
import { EVERYTHING, filterOf, type ImageFilter } from "../../src/app/image-filter";
import { ImageList, type ImageSource } from "../../src/app/image-list";

const event = (kind: string, data: ServerEvent["data"]): ServerEvent => ({ seq: 1, kind, project_id: 1, data, at_ms: 0 });

/** A box with images of these ids; `asked` tells what was asked of it. */
function boxWith(ids: number[]) {
  const asked: string[] = [];
  const box = { ids, asked, revision: 0, broken: false };
  const source: ImageSource = {
    ids: async (filter, after) => {
      asked.push(after === undefined ? `ids ${filter.sort}` : `after ${after}`);
      if (box.broken) throw new Problem(503, { code: "unavailable" });
      const found = box.ids.filter((id) => after === undefined || id > after);
      return Int32Array.from(filter.sort === "newest" ? found.toReversed() : found);
    },
    rows: async (wanted) => {
      asked.push(`rows ${wanted.length}`);
      return wanted.filter((id) => box.ids.includes(id)).map((id) => ({ id, revision: box.revision }) as Image);
    },
  };
  return { ...box, box, listOf: (filter: Partial<ImageFilter> = {}) => new ImageList(1, { ...EVERYTHING, ...filter }, source) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe("ImageList", () => {
  it("knows the number of all images and asks only for rows that somebody looks at", async () => {
    const { asked, listOf } = boxWith(numbers(100_000));
    const list = listOf();
    await list.start();
    await list.start();
    expect(list.total).toBe(100_000);
    list.want(60_000, 60_150);
    await settled();
    expect(list.at(60_000)?.id).toBe(40_000);
    expect(list.at(0)).toBeUndefined();
    expect(asked).toEqual(["ids newest", "rows 150"]);
  });

  it("never asks for what flew by while an answer was under way", async () => {
    const { asked, listOf } = boxWith(numbers(10_000));
    const list = listOf();
    await list.start();
    for (let from = 0; from < 9_000; from += 100) list.want(from, from + 100);
    await settled();
    expect(asked).toEqual(["ids newest", "rows 100", "rows 100"]);
    expect(list.at(8_950)?.id).toBe(1_050);
    expect(list.at(500)).toBeUndefined();
  });

  it("puts new images where they belong with one small request for a whole burst", async () => {
    for (const [sort, expected] of [["newest", [5, 4, 3, 2, 1]], ["oldest", [1, 2, 3, 4, 5]]] as const) {
      const { box, asked, listOf } = boxWith([1, 2, 3]);
      const list = listOf({ sort });
      await list.start();
      box.ids.push(4, 5);
      await list.take(Array.from({ length: 10_000 }, () => event("image.added", { image_ids: [4] })));
      expect([...(list.ids.value ?? [])]).toEqual(expected);
      expect(asked).toEqual([`ids ${sort}`, "after 3"]);
    }
  });

  it("drops deleted images at once, singly and in numbers", async () => {
    const { asked, listOf } = boxWith(numbers(6));
    const list = listOf({ sort: "oldest" });
    await list.start();
    await list.take([event("image.deleted", { image_id: 2 }), event("image.deleted", { image_ids: [4, 5] })]);
    expect([...(list.ids.value ?? [])]).toEqual([1, 3, 6]);
    expect(asked).toHaveLength(1);
  });

  it("loads a changed row again when it is looked at, and the ids only where work moves images", async () => {
    for (const [filter, requests] of [[{}, 0], [{ states: ["open"] }, 1]] as const) {
      const { box, asked, listOf } = boxWith([1, 2, 3]);
      const list = listOf(filter);
      await list.start();
      list.want(0, 3);
      await settled();
      box.revision = 7;
      asked.length = 0;
      await list.take([event("task.changed", { image_id: 2 }), event("annotations.changed", { image_id: 2 })]);
      expect(asked.filter((one) => one.startsWith("ids"))).toHaveLength(requests);
      expect(list.row(2)?.revision).toBe(0);
      list.want(0, 3);
      await settled();
      expect(list.row(2)?.revision).toBe(7);
    }
  });

  it("drops what the box does not have any more", async () => {
    const { box, listOf } = boxWith([1, 2, 3]);
    const list = listOf({ sort: "oldest" });
    await list.start();
    box.ids.splice(1, 1);
    list.want(0, 3);
    await settled();
    expect([...(list.ids.value ?? [])]).toEqual([1, 3]);
  });

  it("keeps what shows when the box does not answer, and says so until it does", async () => {
    const { box, listOf } = boxWith([1]);
    const list = listOf();
    await list.start();
    box.broken = true;
    await list.reload();
    expect([list.problem.value?.code, list.total]).toEqual(["unavailable", 1]);
    box.broken = false;
    await list.reload();
    expect(list.problem.value).toBeNull();
  });

  it("forgets that the box did not answer once it does, with all rows there already", async () => {
    const { box, listOf } = boxWith([1]);
    const list = listOf();
    await list.start();
    list.want(0, 1);
    await settled();
    const handlers = new Map<string, EventHandler>();
    const stop = list.follow({ on: (kind, handler) => (handlers.set(kind, handler), () => handlers.delete(kind)) });
    box.broken = true;
    await list.take([event("image.added", {})]);
    expect(list.problem.value?.transient).toBe(true);
    box.broken = false;
    handlers.get("reached")?.(event("reached", {}));
    await vi.waitUntil(() => list.problem.value === null);
    stop();
  });

  it("follows its own project until it is told to stop", async () => {
    const { asked, listOf } = boxWith([1]);
    const list = listOf();
    await list.start();
    const handlers = new Map<string, EventHandler>();
    const stop = list.follow({ on: (kind, handler) => (handlers.set(kind, handler), () => handlers.delete(kind)) });
    handlers.get("image.added")?.({ ...event("image.added", {}), project_id: 2 });
    handlers.get("image.deleted")?.(event("image.deleted", { image_id: 1 }));
    await expect.poll(() => list.total).toBe(0);
    stop();
    expect(handlers.size).toBe(0);
    expect(asked).toHaveLength(1);
  });
});

describe("filter", () => {
  it("is the same after a trip through the address, and leaves out what makes no sense", async () => {
    const { searchOf } = await import("../../src/app/image-filter");
    const text = "?state=open%2Cdone&label=3%2C4&assignee=0&confidence=0.2-0.55&folder=%2Fa+b&job=7&since=5&until=9&text=x%26y&split=train%2Ctest&priority=2%2C-1&due=week&sort=name";
    expect(searchOf(filterOf(new URLSearchParams(text)))).toBe(text);
    expect(searchOf(EVERYTHING)).toBe("");
    expect(searchOf(EVERYTHING, { image: "3" })).toBe("?image=3");
    const odd = filterOf(new URLSearchParams("state=gone&label=x,-2&assignee=me&confidence=2-3&sort=size&folder=&split=dev&priority=7&due=soon"));
    expect(odd).toEqual(EVERYTHING);
  });

  it("asks for times where the address has words", async () => {
    const { askedOf, bodyOf } = await import("../../src/app/image-filter");
    vi.useFakeTimers({ now: new Date(2026, 10, 25, 15, 30) });
    const wednesday = Date.now();
    const asked = (due: string) => askedOf(filterOf(new URLSearchParams(`due=${due}&priority=1`)));
    expect(asked("overdue")).toMatchObject({ priority: "1", due_until: wednesday });
    expect(asked("overdue").due).toBeNull();
    expect(asked("week")).toMatchObject({ due_since: wednesday, due_until: new Date(2026, 10, 30).getTime() });
    vi.setSystemTime(new Date(2026, 10, 29, 23, 0));
    expect(bodyOf(filterOf(new URLSearchParams("due=week&priority=2")))).toEqual({
      priorities: [2], due_since_ms: Date.now(), due_until_ms: new Date(2026, 10, 30).getTime(),
    });
    vi.useRealTimers();
  });

  it("is told in the server's words", async () => {
    const { bodyOf, isFiltered } = await import("../../src/app/image-filter");
    const filter = filterOf(new URLSearchParams("state=open&assignee=0&confidence=0-0.5&job=3&since=5&split=val&sort=name"));
    expect(bodyOf(filter)).toEqual({ states: ["open"], assignee: 0, confidence: [0, 0.5], job_id: 3, since_ms: 5, splits: ["val"] });
    expect([isFiltered(filter), isFiltered({ ...EVERYTHING, sort: "name" })]).toEqual([true, false]);
  });
});
