import { type ChoreKind, system } from "../../api/system";
import type { Job } from "../../api/types";
import { hasEnded, liveJobs, noteJob } from "../../app/jobs";
import { useAct } from "../../app/use";
import { Progress } from "../../parts/bar";
import { Button, Fault } from "../../parts/controls";
import { count } from "../../parts/words";

/** The chore of this kind that is under way, as events tell of it. */
export function underWay(kind: ChoreKind) {
  return [...liveJobs.value.values()].find((job) => job.kind === kind && !hasEnded(job.state)) ?? null;
}

interface Props {
  kind: ChoreKind;
  word: string;
  primary?: boolean;
  disabled?: boolean;
}

/** Start a chore of the box; while it is under way, how far it is. */
export function Chore({ kind, word, primary, disabled }: Props) {
  const { busy, problem, run } = useAct();
  const job = underWay(kind);
  if (job) {
    return (
      <a class="chore" href="/jobs">
        <Progress done={job.progress} total={job.total} label={word} />
        <span>
          {job.state === "running" && job.total > 0 ? `${count(job.progress)} of ${count(job.total)}` : job.state}
        </span>
      </a>
    );
  }
  const start = async (): Promise<void> => {
    const started: Job = await system.start(kind);
    noteJob(started);
  };
  return (
    <>
      <Fault problem={problem} />
      <Button kind={primary ? "primary" : "plain"} disabled={busy || disabled} onClick={() => run(start)}>
        {word}
      </Button>
    </>
  );
}
