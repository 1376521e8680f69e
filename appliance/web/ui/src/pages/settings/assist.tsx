import { projects } from "../../api/client";
import type { ProjectPageProps } from "../../app/project";
import { useAct, useEvents, useLoad } from "../../app/use";
import { Fault, Select } from "../../parts/controls";

const BUILT_IN = "";

/** What answers the clicks of smart segment. */
export function Assist({ project }: ProjectPageProps) {
  const { value, problem: unread, reload } = useLoad(() => projects.segmenter(project.id), [project.id]);
  const { busy, problem, run } = useAct();
  useEvents(["project.changed"], project.id, reload);
  const models = (value?.models ?? []).map((one): [string, string] => [String(one.id), `${one.name}, version ${one.version}`]);
  const choose = (picked: string): void =>
    run(async () => {
      await projects.chooseSegmenter(project.id, picked === BUILT_IN ? null : Number(picked));
      reload();
    });
  return (
    <section>
      <h2>Smart segment</h2>
      <Select
        label="Clicks are answered by"
        disabled={busy || !value}
        value={String(value?.model_id ?? BUILT_IN)}
        options={[[BUILT_IN, "Built-in, without weights"], ...models]}
        onPick={choose}
      />
      {value && <p class="second">{words(value.model_id !== null, models.length > 0)}</p>}
      <Fault problem={problem ?? unread} />
    </section>
  );
}

function words(chosen: boolean, others: boolean): string {
  if (chosen) return "It looks at an image as soon as somebody takes it, so that clicks are answered at once. Where it cannot run, the built-in one answers.";
  if (others) return "It is always there. A SAM model outlines objects better, and needs a moment for each image that nobody has taken before.";
  return "A MobileSAM or SAM 2.1 model outlines objects better: an operator adds it under Models.";
}
