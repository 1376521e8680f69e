import { useId, useState } from "preact/hooks";

import { images, projects } from "../../api/client";
import type { QueueOrder, ReviewPolicy } from "../../api/types";
import { hasEnded } from "../../app/jobs";
import type { ProjectPageProps } from "../../app/project";
import { policyFaults, policyWords, samePolicy, underWay } from "../../app/review-policy";
import { useAct, useEvents, useLoad } from "../../app/use";
import { Button, Fault, Select } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { count } from "../../parts/words";

const IMAGES: readonly (readonly [ReviewPolicy["images"], string])[] = [
  ["none", "None"],
  ["sample", "A sample"],
  ["all", "All"],
];
const REVIEWS: readonly (readonly [string, string])[] = [
  ["1", "One"],
  ["2", "Two, by different people"],
];
const RETURNED: readonly (readonly [ReviewPolicy["returned_to"], string])[] = [
  ["author", "Their author"],
  ["anyone", "Anybody"],
];
const ORDERS: readonly (readonly [QueueOrder, string])[] = [
  ["oldest", "Oldest first"],
  ["manual", "By hand: as moved in Browse"],
  ["random", "Random, always the same"],
  ["uncertain", "Most uncertain first"],
];

/** Which images are reviewed and by whom, with what that will do in plain words; and the order of work. */
export function Review({ project, reload }: ProjectPageProps) {
  const [policy, setPolicy] = useState(project.review_policy);
  const [order, setOrder] = useState(project.queue_order);
  const [moved, setMoved] = useState<string | null>(null);
  const members = useLoad(() => projects.members(project.id), [project.id]);
  const { busy, problem, run } = useAct();
  useEvents(["member.changed"], project.id, members.reload);
  const changes = !samePolicy(policy, project.review_policy);
  const set = (fields: Partial<ReviewPolicy>): void => setPolicy({ ...policy, ...fields });
  const reviewed = policy.images !== "none" || policy.model_made;
  const save = (): void =>
    run(async () => {
      await projects.change(project.id, { review_policy: policy, queue_order: order });
      reload();
    });
  const settle = (): void =>
    run(async () => {
      const { changed, job } = await images.settle(project.id, { filter: { states: ["in_review", "done"] } });
      setMoved(job && !hasEnded(job.state) ? "A job brings them in line; the jobs page shows how far it is." : `${count(changed)} moved.`);
      reload();
    });
  return (
    <section>
      <h2>Review</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <div class="policy">
          <Select label="Images that are reviewed" value={policy.images} options={IMAGES} onPick={(value) => set({ images: value as ReviewPolicy["images"] })} />
          {policy.images === "sample" && <Percent value={policy.sample_percent} onValue={(percent) => set({ sample_percent: percent })} />}
          <Select label="Approvals an image needs" disabled={!reviewed} value={String(policy.reviews)} options={REVIEWS} onPick={(value) => set({ reviews: value === "2" ? 2 : 1 })} />
          <Select label="Returned images go to" disabled={!reviewed} value={policy.returned_to} options={RETURNED} onPick={(value) => set({ returned_to: value as ReviewPolicy["returned_to"] })} />
        </div>
        <Tick label="Always review images with labels that a model made" on={policy.model_made} disabled={policy.images === "all"} onChange={(on) => set({ model_made: on })} />
        <Tick label="Nobody approves their own work" on={policy.others_only || policy.reviews === 2} disabled={!reviewed || policy.reviews === 2} onChange={(on) => set({ others_only: on })} />
        <div class="means" aria-live="polite">
          <b>{changes ? "This policy will do" : "What this policy does"}</b>
          <ul>
            {policyWords(policy).map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
          {changes && underWay(project.states.in_review, project.states.done).map((line) => <p key={line}>{line}</p>)}
          {members.value &&
            policyFaults(policy, members.value).map((line) => (
              <p key={line} class="fault">
                <Icon name="warn" />
                {line}
              </p>
            ))}
        </div>
        <Select label="Order of the queue, after priority and due date" value={order} options={ORDERS} onPick={(value) => setOrder(value as QueueOrder)} />
        <Fault problem={problem ?? members.problem} />
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || (!changes && order === project.queue_order)}>
            Save
          </Button>
          <Button disabled={busy || changes || project.states.in_review + project.states.done === 0} title="Done images that lack approvals go back to review; images in review that need no more are done" onClick={settle}>
            Bring images in line
          </Button>
          {moved && <span role="status" class="second">{moved}</span>}
        </div>
      </form>
    </section>
  );
}

function Percent({ value, onValue }: { value: number; onValue: (value: number) => void }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Percent of the images</label>
      <input
        id={id}
        type="number"
        class="input"
        min={1}
        max={100}
        required
        value={value}
        onChange={(event) => onValue(Math.min(100, Math.max(1, Math.round(event.currentTarget.valueAsNumber) || 1)))}
      />
    </div>
  );
}

function Tick({ label, on, disabled, onChange }: { label: string; on: boolean; disabled?: boolean; onChange: (on: boolean) => void }) {
  return (
    <label class="line">
      <input type="checkbox" checked={on} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}
