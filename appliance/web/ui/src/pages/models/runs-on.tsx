import { useState } from "preact/hooks";

import { models, type Prepared, type Runtimes } from "../../api/models";
import type { Model } from "../../api/types";
import { noteJob } from "../../app/jobs";
import { useAct } from "../../app/use";
import { Button, Fault } from "../../parts/controls";
import { useJob } from "./use-job";

interface Props {
  model: Model;
  runtimes: Runtimes;
  operates: boolean;
}

/** The runtime that SAM's two graphs run on; it gets no engines built. */
const OF_CLICKS = "onnxruntime";

/** What a model runs on here and why, and getting it ready for that beforehand. */
export function RunsOn({ model, runtimes, operates }: Props) {
  const [jobId, setJobId] = useState<number | null>(null);
  const [prepared, setPrepared] = useState<Prepared | null>(null);
  const { busy, problem, run } = useAct();
  const clicks = model.task === "prompt";
  const own = clicks ? runtimes.backends.find((one) => one.name === OF_CLICKS) : undefined;
  const name = prepared?.backend ?? (clicks ? own?.name : runtimes.backend);
  const device = prepared?.device ?? (clicks ? own?.devices[0] : runtimes.device);
  const told = prepared?.fallback ? runtimes.backend : null; // the line about the preparing says why not
  const others = clicks ? [] : runtimes.backends.filter((one) => one.name !== name && one.name !== told);
  const prepare = (): void =>
    run(async () => {
      setPrepared(null);
      const job = await models.prepare(model.id);
      noteJob(job);
      setJobId(job.id);
    });
  return (
    <section aria-label="Runs on">
      <header>
        <h3>Runs on</h3>
        <span class="space" />
        <span>{name ? `${name}, ${device}` : "nothing on this box"}</span>
      </header>
      {name === (clicks ? own?.name : runtimes.backend) && <p class="second small">{clicks ? `${own?.reason ?? runtimes.reason}: clicks are answered by it everywhere.` : `${runtimes.reason}.`}</p>}
      {others.map((one) => (
        <p key={one.name} class="second small">
          {one.name}: {one.fallback ?? one.reason}.
        </p>
      ))}
      {prepared && (
        <p role="status">
          Ready on {prepared.backend}, {prepared.device}, after {prepared.seconds.toFixed(1)} s{prepared.fallback && `. Not on a better one: ${prepared.fallback}`}
        </p>
      )}
      {jobId !== null && <Progress key={jobId} jobId={jobId} onDone={(found) => { setPrepared(found); setJobId(null); }} />}
      <Fault problem={problem} />
      {operates && !clicks && model.archived_at_ms === null && (
        <div>
          <Button disabled={busy || jobId !== null} title="Loads it now, so that the first auto-labelling need not wait" onClick={prepare}>
            Prepare for this device
          </Button>
        </div>
      )}
    </section>
  );
}

/** How far the preparing is, live, and what it failed of. */
function Progress({ jobId, onDone }: { jobId: number; onDone: (found: Prepared) => void }) {
  const { job, failed } = useJob(jobId, "The preparing", (result) => onDone(result as unknown as Prepared));
  if (failed) return <Fault problem={failed} />;
  return <p class="second" role="status">{job?.message || (job?.state === "running" ? "loading" : "waiting for its turn")}</p>;
}
