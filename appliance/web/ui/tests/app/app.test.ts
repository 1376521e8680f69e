import { describe, expect, it } from "vitest";

import type { Task } from "../../src/api/types";
import { choose, match } from "../../src/app/router";
import { WorkQueue } from "../../src/app/work-queue";
import { count, bytes, when } from "../../src/parts/words";

describe("router", () => {
  it("matches parameters and nothing longer or shorter", () => {
    expect(match("/projects/:project/images/:image", "/projects/3/images/41")).toEqual({ project: "3", image: "41" });
    expect(match("/projects/:project", "/projects/3/images")).toBeNull();
    expect(match("/projects/:project/images", "/projects/3/review")).toBeNull();
    expect(match("/", "/")).toEqual({});
    expect(match("/a/:name", "/a/%E0%A4%A")).toBeNull();
  });

  it("chooses the first that fits", () => {
    const routes: [string, string][] = [["/jobs", "jobs"], ["/:page", "page"]];
    expect(choose(routes, "/jobs")).toEqual({ value: "jobs", params: {} });
    expect(choose(routes, "/x")).toEqual({ value: "page", params: { page: "x" } });
    expect(choose(routes, "/x/y")).toBeNull();
  });
});

const task = (id: number): Task => ({ id, image_id: id * 10 }) as Task;

function queueOf(open: number[], taken: Set<number> = new Set()) {
  const calls: string[] = [];
  const mine: Task[] = [];
  const queue = new WorkQueue(1, "annotate", {
    next: async () => {
      calls.push("next");
      return open.length > 0 ? task(open.shift() ?? 0) : null;
    },
    queue: async () => [...mine, ...open.map(task)],
    takeIfFree: async (_project, id) => {
      calls.push(`take ${id}`);
      if (taken.has(id)) return null;
      open.splice(open.indexOf(id), 1);
      mine.push({ ...task(id), state: "in_progress", assignee_id: null });
      return mine[mine.length - 1];
    },
  });
  return { queue, calls };
}

describe("WorkQueue", () => {
  it("has the next task at once and tells the box afterwards", async () => {
    const { queue, calls } = queueOf([1, 2, 3]);
    await queue.start();
    expect(queue.current.value?.id).toBe(1);
    expect(queue.advance()?.id).toBe(2);
    expect(calls).toEqual(["next", "take 2", "take 3"]);
    await queue.settle();
    expect(calls.slice(3)).toEqual([]);
    expect(queue.ahead.value.map((one) => one.id)).toEqual([3]);
  });

  it("passes over what somebody else took", async () => {
    const { queue } = queueOf([1, 2, 3], new Set([2]));
    await queue.start();
    queue.advance();
    await queue.settle();
    expect(queue.current.value?.id).toBe(3);
  });

  it("drops an answer that comes after the person went on", async () => {
    const { queue } = queueOf([1]);
    const asked = queue.start();
    queue.back(task(7));
    queue.advance();
    await asked;
    expect(queue.current.value).toBeNull();
    expect(queue.known.value).toBe(true);
  });

  it("takes what was handed in for new work only once the box has heard of it", async () => {
    const open = [1];
    const { queue } = queueOf(open);
    await queue.start();
    queue.advance();
    open.push(1);
    await queue.refresh();
    expect(queue.current.value).toBeNull();
    queue.told(task(1));
    open.push(1);
    await queue.settle();
    expect(queue.current.value?.id).toBe(1);
  });

  it("drops an answer that does not know yet what was handed in", async () => {
    const { queue } = queueOf([1, 2]);
    await queue.start();
    queue.advance();
    const asked = queue.settle();
    queue.told(task(1));
    await asked;
    expect([queue.current.value?.id, queue.ahead.value]).toEqual([2, []]);
  });

  it("goes back and forth without handing anything in", async () => {
    const { queue } = queueOf([1, 2, 3]);
    await queue.start();
    expect(queue.previous()).toBe(false);
    expect(queue.next()).toBe(true);
    expect(queue.next()).toBe(true);
    expect([queue.current.value?.id, queue.next()]).toEqual([3, false]);
    expect(queue.previous()).toBe(true);
    expect([queue.current.value?.id, queue.past.value.map(({ id }) => id), queue.ahead.value.map(({ id }) => id)]).toEqual([2, [1], [3]]);
    queue.advance();
    expect([queue.current.value?.id, queue.past.value.map(({ id }) => id)]).toEqual([3, [1]]);
  });

  it("does not offer what is finished again, and puts a withdrawn task in front", async () => {
    const { queue } = queueOf([1, 2]);
    await queue.start();
    queue.advance();
    queue.back(task(1));
    expect(queue.current.value?.id).toBe(1);
    expect(queue.ahead.value.map((one) => one.id)).toEqual([2]);
  });
});

describe("words", () => {
  it("speaks of numbers, sizes and times", () => {
    expect(count(12480)).toBe("12,480");
    expect([bytes(999), bytes(36_200_000), bytes(842e9)]).toEqual(["999 bytes", "36.2 MB", "842 GB"]);
    const now = new Date(2026, 10, 23, 12, 0).getTime();
    expect(when(now - 30_000, now)).toBe("now");
    expect(when(now - 11 * 60_000, now)).toBe("11 min ago");
    expect(when(now - 3 * 3_600_000, now)).toBe("today 09:00");
    expect(when(now - 20 * 3_600_000, now)).toBe("yesterday");
    expect(when(new Date(2025, 0, 3).getTime(), now)).toBe("3 Jan 2025");
  });
});
