import { beforeAll, describe, expect, it, vi } from "vitest";

import { jobs as client } from "../../src/api/client";
import type { Job } from "../../src/api/types";
import { jobOf, liveJobs, noteJob, startJobs } from "../../src/app/jobs";
import { events, session } from "../../src/app/session";

const job = (id: number, state: Job["state"]): Job =>
  ({ id, kind: "auto-label", state, project_id: 1, progress: 0, total: 5, message: "" }) as Job;
let seq = 0;
const tell = (one: Job): void =>
  events["emit"]("job.changed", { seq: ++seq, kind: "job.changed", project_id: 1, data: { job: one as never }, at_ms: 0 });

describe("live jobs", () => {
  let listed = Promise.resolve({ items: [] as Job[] });
  beforeAll(() => {
    vi.spyOn(client, "page").mockImplementation(() => listed as never);
    startJobs();
  });

  it("are shown from the answer that started them", () => {
    noteJob(job(1, "queued"));
    expect(jobOf(1)?.state).toBe("queued");
  });

  it("do not go back when that answer is slower than the events", () => {
    tell(job(2, "running"));
    tell(job(2, "done"));
    noteJob(job(2, "queued"));
    expect(liveJobs.value.get(2)?.state).toBe("done");
  });

  it("do not go back to a list that was asked for before", async () => {
    let answer: (page: { items: Job[] }) => void = () => undefined;
    listed = new Promise((resolve) => (answer = resolve));
    session.value = { user: { id: 1 } } as never;
    tell(job(3, "done"));
    answer({ items: [job(3, "running"), job(4, "running")] });
    await vi.waitFor(() => expect(liveJobs.value.has(4)).toBe(true));
    expect(liveJobs.value.get(3)?.state).toBe("done");
  });
});
