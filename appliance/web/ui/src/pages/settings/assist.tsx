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
      {models.length === 0 && <p class="second">A MobileSAM or SAM 2.1 model outlines objects better: an operator adds it under Models.</p>}
      <Fault problem={problem ?? unread} />
    </section>
  );
}
