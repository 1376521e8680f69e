import { jobName, jobOf } from "../app/jobs";
import { JobMark } from "./marks";
import { count } from "./words";

/** What the project's newest job does, for the status line: words and counts. */
export function JobLine({ projectId }: { projectId: number }) {
  const job = jobOf(projectId);
  if (!job) return null;
  const far = job.total > 0 ? `${count(job.progress)} of ${count(job.total)}` : job.state;
  return (
    <a class="job-line" href="/jobs">
      <JobMark state={job.state} />
      <span>{jobName(job.kind)}</span>
      <b>{job.state === "running" || job.state === "paused" ? far : job.state}</b>
      {job.message && <span class="cut">{job.message}</span>}
    </a>
  );
}
