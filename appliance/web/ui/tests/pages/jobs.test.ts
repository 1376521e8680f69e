import { describe, expect, it } from "vitest";

import type { Job } from "../../src/api/types";
import { jobTitle } from "../../src/app/jobs";
import { timeLeft } from "../../src/pages/jobs";

const job = (facts: Partial<Job>): Job => ({ state: "running", started_at_ms: 10_000, progress: 25, total: 100, ...facts }) as Job;

describe("timeLeft", () => {
  it("goes by the speed so far", () => {
    expect(timeLeft(job({}), 30_000)).toBe("1 min left");
    expect(timeLeft(job({ progress: 80 }), 30_000)).toBe("5 s left");
  });

  it("says nothing while nobody can tell", () => {
    expect(timeLeft(job({}), 11_000)).toBeNull();
    expect(timeLeft(job({ total: 0 }), 30_000)).toBeNull();
    expect(timeLeft(job({ progress: 0 }), 30_000)).toBeNull();
    expect(timeLeft(job({ state: "queued", started_at_ms: null }), 30_000)).toBeNull();
  });
});

describe("jobTitle", () => {
  it("says of a change to images what it changes", () => {
    expect(jobTitle(job({ kind: "change-images", parameters: { action: "reopen" } }))).toBe("Reopen images");
    expect(jobTitle(job({ kind: "change-images", parameters: { action: "paint" } }))).toBe("Change images");
    expect(jobTitle(job({ kind: "auto-label", parameters: { action: "reopen" } }))).toBe("Auto-label");
  });
});
