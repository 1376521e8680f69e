import { useEffect, useState } from "preact/hooks";

import { jobs } from "../../api/client";
import { Problem } from "../../api/problem";
import type { JsonObject } from "../../api/types";
import { hasEnded, type LiveJob, liveJobs } from "../../app/jobs";

/** A job as it goes, and what it failed of; `onDone` gets its result. `words` name it: "The conversion". */
export function useJob(jobId: number, words: string, onDone: (result: JsonObject | null) => void): { job: LiveJob | undefined; failed: Problem | null } {
  const job = liveJobs.value.get(jobId);
  const [failed, setFailed] = useState<Problem | null>(null);
  const over = job === undefined || hasEnded(job.state);
  useEffect(() => {
    if (!over) return;
    jobs.get(jobId).then(
      (ended) => {
        if (ended.state === "done") onDone(ended.result);
        else if (hasEnded(ended.state)) setFailed(new Problem(422, { code: "failed", detail: String(ended.error?.message ?? `${words} was ${ended.state}.`) }));
      },
      () => undefined,
    );
  }, [over]);
  return { job, failed };
}
