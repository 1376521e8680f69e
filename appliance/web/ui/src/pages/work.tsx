import { useState } from "preact/hooks";

import "./work.css";

import { images, projects, tasks } from "../api/client";
import type { Load, Member, Task } from "../api/types";
import { mayAdminister, type ProjectPageProps } from "../app/project";
import { session } from "../app/session";
import { useAct, useEvents, useLoad } from "../app/use";
import { Button, Empty, Fault, Select } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { count, counted, when } from "../parts/words";

const COLUMNS: readonly (readonly [keyof Load, string, string])[] = [
  ["assigned", "Assigned", "Open, and given to them by hand; of nobody, what is free for anybody"],
  ["begun", "Begun", "In their hands now"],
  ["abandoned", "Left", "Begun, but without a sign of life: whoever asks next gets it"],
  ["returned", "Returned", "Returned by a reviewer, not taken up yet"],
  ["overdue", "Overdue", "Of these, past their due date"],
  ["skipped", "Skipped", "Put aside with a reason"],
  ["to_review", "Reviewing", "Open before them for review"],
];

/** Who has how much to do, with the way to give it to somebody else; and what was put aside, with the reasons. */
export function Work(props: ProjectPageProps) {
  const may = mayAdminister(props.project, session.value?.permissions.administer ?? false);
  return (
    <div class="page">
      <main class="sheet">
        <header>
          <h1>Work</h1>
          <span class="second">{counted(props.project.states.open, "image")} open, {count(props.project.states.in_review)} in review</span>
        </header>
        {may && <People {...props} />}
        {props.project.role === "annotator" ? <Empty>Only reviewers and admins see the work of others.</Empty> : <Skipped {...props} may={may} />}
      </main>
    </div>
  );
}

function People({ project }: ProjectPageProps) {
  const loads = useLoad(() => tasks.work(project.id), [project.id]);
  const members = useLoad(() => projects.members(project.id), [project.id]);
  const [moving, setMoving] = useState<Load | null>(null);
  useEvents(["task.changed", "member.changed"], project.id, loads.reload);
  return (
    <section>
      <table class="rows work">
        <thead>
          <tr>
            <th>Person</th>
            {COLUMNS.map(([key, word, meaning]) => (
              <th key={key} class="number" title={meaning}>
                {word}
              </th>
            ))}
            <th />
          </tr>
        </thead>
        <tbody>
          {(loads.value ?? []).map((load) => (
            <tr key={load.user_id ?? 0}>
              <td>
                <b>{load.user_id === null ? "Nobody" : load.name}</b> <span class="second small">{load.role ?? "free for anybody"}</span>
              </td>
              {COLUMNS.map(([key]) => (
                <td key={key} class={`number ${load[key] === 0 ? "second" : ""} ${key === "overdue" && load.overdue > 0 ? "late" : ""}`}>
                  {count(load[key] as number)}
                </td>
              ))}
              <td class="number nowrap">
                {load.user_id !== null && (
                  <Button kind="quiet" disabled={load.assigned + load.begun + load.abandoned + load.returned === 0} onClick={() => setMoving(load)}>
                    Reassign
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Fault problem={loads.problem ?? members.problem} />
      {moving && (
        <Reassign
          projectId={project.id}
          load={moving}
          members={(members.value ?? []).filter((one) => one.user_id !== moving.user_id)}
          onClose={() => {
            setMoving(null);
            loads.reload();
          }}
        />
      )}
    </section>
  );
}

function Reassign({ projectId, load, members, onClose }: { projectId: number; load: Load; members: readonly Member[]; onClose: () => void }) {
  const [picked, setPicked] = useState("");
  const { busy, problem, run } = useAct();
  const filter = { assignee: load.user_id ?? 0, states: ["open" as const, "in_progress" as const, "returned" as const] };
  return (
    <Dialog title={`Reassign what ${load.name} has`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            await images.assign(projectId, { filter }, picked ? Number(picked) : null);
            onClose();
          });
        }}
      >
        <Select label="To" value={picked} options={[["", "Nobody: free for anybody"], ...members.map((one) => [String(one.user_id), one.name] as const)]} onPick={setPicked} />
        <p class="second">What is open, begun or returned goes; what is in review or done stays. What they drew stays on the images.</p>
        <Fault problem={problem} />
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy}>
            Reassign
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

function Skipped({ project, may }: ProjectPageProps & { may: boolean }) {
  const found = useLoad(() => tasks.list(project.id, { state: "skipped", limit: 100 }), [project.id]);
  const members = useLoad(() => projects.members(project.id), [project.id]);
  const { busy, problem, run } = useAct();
  useEvents(["task.changed"], project.id, found.reload);
  const name = (task: Task): string => members.value?.find((one) => one.user_id === task.assignee_id)?.name ?? "somebody who left";
  const reopen = (task: Task): void =>
    run(async () => {
      await images.reopen(project.id, { ids: [task.image_id] });
      found.reload();
    });
  return (
    <section>
      <h2>Skipped</h2>
      {found.value?.items.length === 0 && <p class="second">Nothing is put aside.</p>}
      <table class="rows">
        <tbody>
          {(found.value?.items ?? []).map((task) => (
            <tr key={task.id}>
              <td class="key">
                <a href={`/projects/${project.id}/images/${task.image_id}`}>
                  <img class="small-picture" src={images.thumbnailUrl(project.id, task.image_id)} alt={`Image ${task.image_id}`} loading="lazy" />
                </a>
              </td>
              <td>{task.reason}</td>
              <td class="second">
                {name(task)}, {when(task.updated_at_ms)}
              </td>
              <td class="key">
                {may && (
                  <Button kind="quiet" disabled={busy} onClick={() => reopen(task)}>
                    Put back
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.value?.next && <p class="second">Only the first 100 are shown; Browse shows all that are skipped.</p>}
      <Fault problem={problem ?? found.problem} />
    </section>
  );
}
