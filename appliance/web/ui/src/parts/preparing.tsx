import type { Job } from "../api/types";
import "./preparing.css";

const WORDS: Partial<Record<Job["state"], string>> = {
  queued: "Preparing tiles · waiting",
  paused: "Tiles are paused: resume their job",
  cancelled: "No tiles: their job was cancelled. Retry it on the page Jobs",
};

/** What a very large picture waits for, over the thumbnail that shows meanwhile. Only the eye follows the figure. */
export function Preparing({ job }: { job: Job | null }) {
  if (!job) return null;
  const [what, howFar] = preparingWords(job).split(" · ");
  return (
    <p class="preparing" role="status">
      {what}
      {howFar && <span aria-hidden="true"> · {howFar}</span>}
    </p>
  );
}

export function preparingWords(job: Pick<Job, "state" | "progress" | "total" | "error">): string {
  if (job.state === "failed") return `No tiles: ${String(job.error?.message ?? "their job failed")}. Retry it on the page Jobs`;
  const percent = job.total > 0 ? Math.floor((100 * job.progress) / job.total) : 0;
  return WORDS[job.state] ?? `Preparing tiles · ${percent} %`;
}
