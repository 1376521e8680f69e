import { describe, expect, it } from "vitest";

import type { TaskState } from "../../src/api/types";
import { nextStep } from "../../src/workbench/next-step";

const project = (states: Partial<Record<TaskState, number>>) => ({
  images: Object.values(states).reduce((sum, n) => sum + n, 0),
  states: { open: 0, in_progress: 0, in_review: 0, returned: 0, done: 0, skipped: 0, ...states },
});
const leads = (states: Partial<Record<TaskState, number>>, reviews = false) => nextStep(project(states), reviews).page;

describe("with nothing on the bench", () => {
  it("leads to images, to review or to the dataset", () => {
    expect(leads({})).toBe("images");
    expect(leads({ done: 8, skipped: 1 })).toBe("dataset");
    expect(leads({ done: 8, in_review: 2 }, true)).toBe("review");
    expect(leads({ done: 8, in_review: 2 })).toBe("images");
    expect(leads({ done: 8, in_progress: 2 })).toBe("images");
  });

  it("says how many", () => {
    expect(nextStep(project({ done: 8, skipped: 1 }), false).words).toContain("8 images");
    expect(nextStep(project({ in_review: 1 }), true).words).toContain("1 image waits");
  });
});
