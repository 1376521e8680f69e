import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { images, tasks } from "../../src/api/client";
import { offline, Problem } from "../../src/api/problem";
import type { ImageWithTask, Review, Task } from "../../src/api/types";
import type { Desk } from "../../src/app/desk";
import { Verdicts } from "../../src/workbench/verdicts";
import type { QueueWalk } from "../../src/workbench/walk";

const task = (id: number, more: Partial<Task> = {}): Task => ({ id, image_id: id * 10, state: "in_review", revision: 3, ...more }) as Task;
const refused = (status: number, code: string): Problem => new Problem(status, { code });

/** A walk that writes down what it is told. */
function bench() {
  const said: string[] = [];
  const walk = {
    advance: () => void said.push("advance"),
    told: (one: Task) => void said.push(`told ${one.id}`),
    back: (one: Task) => void said.push(`back ${one.id}`),
    settle: async () => void said.push("settle"),
  } as unknown as QueueWalk;
  const waits: number[] = [];
  const verdicts = new Verdicts({
    projectId: 1,
    walk,
    forget: (id) => void said.push(`forget ${id}`),
    spent: (id) => id * 100,
    later: (run, delayMs) => {
      waits.push(delayMs);
      queueMicrotask(run);
    },
  });
  const desk = {
    document: { revision: 3 },
    saver: { unsentCount: 0, flush: async () => undefined, hear: () => said.push("hear"), catchUp: async () => undefined, state: signal("saved") },
  } as unknown as Desk;
  const over = (): Promise<void> => new Promise((go) => verdicts.after(go));
  return { verdicts, desk, said, waits, over };
}

describe("Verdicts", () => {
  const review = vi.spyOn(tasks, "review");
  const look = vi.spyOn(images, "get");
  beforeEach(() => {
    review.mockReset();
    look.mockReset();
  });
  afterEach(() => expect(review).toHaveBeenCalled());

  it("go on at once and are sent again until the box can be reached", async () => {
    review.mockRejectedValueOnce(offline()).mockRejectedValueOnce(refused(401, "not-signed-in")).mockResolvedValueOnce({} as Review);
    const { verdicts, desk, said, waits, over } = bench();
    verdicts.give(task(1), desk, "approve", ["a"]);
    expect([said, verdicts.unsent.value]).toEqual([["advance"], 1]);
    await over();
    expect(review).toHaveBeenCalledTimes(3);
    expect(review).toHaveBeenLastCalledWith(1, 1, { revision: 3, verdict: "approve", reason: undefined, verdicts: [{ annotation_id: "a", verdict: "reject" }] }, 1_000);
    expect([waits, said, verdicts.unsent.value, verdicts.problem.value]).toEqual([[2000, 2000], ["advance", "told 1", "settle"], 0, null]);
  });

  it("are heard in their order, and the queue is looked at once", async () => {
    review.mockRejectedValueOnce(offline()).mockResolvedValue({} as Review);
    const { verdicts, desk, said, over } = bench();
    verdicts.give(task(1), desk, "approve", []);
    verdicts.give(task(2), desk, "return", [], "duplicate");
    await over();
    expect(review.mock.calls.map(([, id]) => id)).toEqual([1, 1, 2]);
    expect(said).toEqual(["advance", "advance", "told 1", "told 2", "settle"]);
  });

  it("take a conflict as told where the answer to the first try was lost", async () => {
    review.mockRejectedValueOnce(offline()).mockRejectedValueOnce(refused(409, "conflict"));
    look.mockResolvedValue({ task: task(1, { state: "done", reviewer_id: null }) } as ImageWithTask);
    const { verdicts, desk, said, over } = bench();
    verdicts.give(task(1), desk, "approve", []);
    await over();
    expect([said, verdicts.given.value.length, verdicts.problem.value]).toEqual([["advance", "told 1", "settle"], 1, null]);
  });

  it("bring the image back with the reason where the box refuses", async () => {
    review.mockRejectedValueOnce(refused(409, "stale-revision"));
    const { verdicts, desk, said, over } = bench();
    verdicts.give(task(1), desk, "approve", []);
    await over();
    expect(said).toEqual(["advance", "hear", "forget 10", "back 1", "settle"]);
    expect([verdicts.given.value, verdicts.problem.value?.code]).toEqual([[], "stale-revision"]);
  });

  it("are waited for by whoever looks for new work, also those given meanwhile", async () => {
    const answers: (() => void)[] = [];
    review.mockImplementation(() => new Promise((done) => answers.push(() => done({} as Review))));
    const { verdicts, desk, said } = bench();
    verdicts.give(task(1), desk, "approve", []);
    verdicts.after(() => said.push("look"));
    verdicts.give(task(2), desk, "approve", []);
    await vi.waitFor(() => expect(answers.length).toBe(1));
    answers[0]();
    await vi.waitFor(() => expect(answers.length).toBe(2));
    expect(said).not.toContain("look");
    answers[1]();
    await vi.waitFor(() => expect(said.at(-1)).toBe("look"));
  });
});
