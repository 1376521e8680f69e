import { describe, expect, it } from "vitest";

import { complete } from "../../src/api/client";
import { offline, Problem } from "../../src/api/problem";
import type { Annotation, ImageWithTask, Task, TaskState } from "../../src/api/types";
import { Errand } from "../../src/app/errand";
import type { Intent } from "../../src/editor/journal";
import type { Outcome } from "../../src/editor/saver";

const BOX = { type: "box", x1: 10, y1: 20, x2: 30, y2: 60 } as const;
const INTENT: Intent = {
  kind: "submit", projectId: 1, imageId: 9, taskId: 7, name: "a.png", revision: 3, reason: null, at: 1, refusal: null,
};
const STALE = new Problem(409, { code: "stale-revision", detail: "Look again." });
const TAKEN = new Problem(409, { code: "conflict", detail: "In review already." });

function running(answers: (Problem | null)[], now: { annotations?: Annotation[]; state?: TaskState; assignee?: number; before?: Outcome[] } = {}) {
  const revisions: number[] = [];
  const told: string[] = [];
  const task = { id: 7, state: now.state ?? "in_progress", assignee_id: now.assignee ?? 2 } as Task;
  const submit = async (_project: number, _task: number, revision: number): Promise<Task> => {
    revisions.push(revision);
    const answer = answers.shift();
    if (answer) throw answer;
    return task;
  };
  const errand = new Errand(INTENT, {
    userId: 2,
    before: async () => now.before?.shift() ?? "done",
    saver: () => undefined,
    done: () => void told.push("done"),
    refused: (problem) => void told.push(problem.message),
    calls: {
      submit,
      skip: (project, id) => submit(project, id, -1),
      image: async () => ({ task }) as ImageWithTask,
      annotations: async () => ({ image_id: 9, revision: 5, late: 0, annotations: now.annotations ?? [] }),
    },
  });
  return { errand, revisions, told };
}

describe("Errand", () => {
  it("goes after the changes it covers", async () => {
    const { errand, revisions, told } = running([], { before: ["again", "later", "done"] });
    expect([await errand.push(), await errand.push()]).toEqual(["again", "later"]);
    expect(revisions).toEqual([]);
    expect(await errand.push()).toBe("done");
    expect([revisions, told]).toEqual([[3], ["done"]]);
  });

  it("waits for the box, and for somebody to sign in", async () => {
    const { errand, told } = running([offline(), new Problem(401, { code: "not-signed-in" })]);
    expect([await errand.push(), await errand.push(), await errand.push()]).toEqual(["later", "signed-out", "done"]);
    expect(told).toEqual(["done"]);
  });

  it("is not held up by predictions or by what the same person saved", async () => {
    const annotations = [
      complete({ id: "p1345678", label_id: 1, geometry: BOX, source: "model", model_id: 1, revision: 5 }),
      complete({ id: "d1345678", label_id: 1, geometry: BOX, author_id: 2, revision: 4 }),
      complete({ id: "e1345678", label_id: 1, geometry: BOX, author_id: 8, revision: 2 }),
    ];
    const { errand, revisions } = running([STALE], { annotations });
    expect([await errand.push(), await errand.push()]).toEqual(["again", "done"]);
    expect(revisions).toEqual([3, 5]);
  });

  it("comes back when somebody else changed the image", async () => {
    const { errand, told } = running([STALE], { annotations: [complete({ id: "d1345678", label_id: 1, geometry: BOX, author_id: 8, revision: 5 })] });
    expect(await errand.push()).toBe("done");
    expect(told).toEqual(["Look again."]);
  });

  it("knows its own submission when the answer was lost, and tells of another's", async () => {
    const own = running([TAKEN], { state: "in_review" });
    expect([await own.errand.push(), own.told]).toEqual(["done", ["done"]]);
    const other = running([TAKEN], { state: "in_review", assignee: 8 });
    expect([await other.errand.push(), other.told]).toEqual(["done", ["In review already."]]);
  });
});
