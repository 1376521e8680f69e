import { useEffect, useRef, useState } from "preact/hooks";

import { images, projects } from "../api/client";
import type { ProjectRow, ReviewPolicy } from "../api/types";
import { useKeys } from "../app/keys";
import { asks } from "../app/review-policy";
import { go } from "../app/router";
import { me, session } from "../app/session";
import { useAct, useEvents, useLoad } from "../app/use";
import { barWords, StateBar } from "../parts/bar";
import { Button, Empty, Fault, Field, Select } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icon";
import { Waiting } from "../parts/waiting";
import { count, counted, when } from "../parts/words";

type Order = "active" | "name" | "images" | "left";

const ORDERS: readonly (readonly [Order, string])[] = [
  ["active", "Last activity"],
  ["name", "Name"],
  ["images", "Most images"],
  ["left", "Most to do"],
];
const FEW = 5;
const KINDS = ["project.changed", "image.added", "image.deleted", "task.changed", "member.changed", "label.changed", "comment.changed", "comment.read"];

export function Projects() {
  const loaded = useLoad(projects.list, []);
  const [creating, setCreating] = useState(false);
  const [wanted, setWanted] = useState("");
  const [order, setOrder] = useState<Order>("active");
  const find = useRef<HTMLInputElement>(null);
  useEvents(KINDS, null, loaded.reload);
  useEffect(() => {
    document.title = "Projects · PixelQueue";
  }, []);
  useKeys({ find: () => find.current?.focus(), "new-project": () => mayCreate && setCreating(true) });
  const mayCreate = session.value?.permissions.create_project ?? false;
  const all = loaded.value ?? [];
  const shown = ordered(all, order).filter((project) => project.name.toLowerCase().includes(wanted.trim().toLowerCase()));
  return (
    <div class="page">
      <main class="sheet">
        <header>
          <h1>Projects</h1>
          {all.length > 0 && <span class="second">{summary(all)}</span>}
          <span class="space" />
          {all.length > 0 && (
            <>
              {all.length > FEW && <Select bare label="Order" value={order} options={ORDERS} onPick={(value) => setOrder(value as Order)} />}
              <label class="search">
                <span class="unseen">Find a project</span>
                <Icon name="search" />
                <input ref={find} class="input" placeholder="Find a project" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
                <kbd aria-hidden="true">/</kbd>
              </label>
              {mayCreate && (
                <Button kind="primary" onClick={() => setCreating(true)}>
                  New project
                </Button>
              )}
            </>
          )}
        </header>
        <Fault problem={loaded.problem} retry={loaded.reload} />
        {!loaded.value && !loaded.problem && <Waiting>Reading the projects</Waiting>}
        {loaded.value && all.length === 0 && (
          <Empty
            action={
              mayCreate && (
                <Button kind="primary" onClick={() => setCreating(true)}>
                  New project
                </Button>
              )
            }
          >
            You are not in a project yet: {mayCreate ? "create one, or ask somebody to add you to theirs" : "ask somebody to add you to theirs"}.
          </Empty>
        )}
        {shown.length > 0 && <Table rows={shown} />}
        {all.length > 0 && shown.length === 0 && (
          <Empty action={<Button onClick={() => setWanted("")}>Show all</Button>}>
            No project is called “{wanted}”.
          </Empty>
        )}
      </main>
      {creating && <NewProject onClose={() => setCreating(false)} />}
    </div>
  );
}

/** The rows in an order; those that are alike stay as they were. */
export function ordered(rows: readonly ProjectRow[], order: Order): ProjectRow[] {
  const key: Record<Order, (a: ProjectRow, b: ProjectRow) => number> = {
    active: (a, b) => b.active_at_ms - a.active_at_ms,
    name: (a, b) => a.name.localeCompare(b.name),
    images: (a, b) => b.images - a.images,
    left: (a, b) => b.images - b.states.done - (a.images - a.states.done),
  };
  return rows.toSorted(key[order]);
}

function summary(rows: ProjectRow[]): string {
  const total = rows.reduce((sum, row) => sum + row.images, 0);
  const done = rows.reduce((sum, row) => sum + row.states.done, 0);
  return `${counted(rows.length, "project")}, ${counted(total, "image")}, ${count(done)} done`;
}

function Table({ rows }: { rows: ProjectRow[] }) {
  return (
    <table class="rows projects">
      <thead>
        <tr>
          <th>
            <span class="unseen">Pictures</span>
          </th>
          <th>Project</th>
          <th>Images</th>
          <th class="number">Done</th>
          <th class="number wide-only">Members</th>
          <th class="wide-only">Model in use</th>
          <th class="number wide-only">Last activity</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.id} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row }: { row: ProjectRow }) {
  const to = `/projects/${row.id}/images`;
  return (
    <tr onClick={(event) => !(event.target as Element).closest("a") && go(to)}>
      <td class="strip">
        <div>
          {row.thumbnails.map((id) => (
            <img key={id} src={images.thumbnailUrl(row.id, id)} alt="" loading="lazy" />
          ))}
        </div>
      </td>
      <td>
        <a href={to}>
          <b>{row.name}</b>
        </a>
        {row.unread > 0 && (
          <a class="unread-badge small" href={`${to}?unread_by=${me.value?.id ?? ""}`} title="Show their images">
            {counted(row.unread, "unread comment")}
          </a>
        )}
        <span class="second small">{[counted(row.labels, "label"), asks(row.review_policy) ? "reviewed" : "no review", row.role && `you are ${row.role}`].filter(Boolean).join(", ")}</span>
      </td>
      <td class="counts">
        <StateBar states={row.states} total={row.images} />
        <span class="second small">{barWords(row.states, row.images)}</span>
      </td>
      <td class="number">
        <b>{count(row.states.done)}</b>
        <span class="second small">of {count(row.images)}</span>
      </td>
      <td class="number wide-only">{count(row.members)}</td>
      <td class="wide-only">
        {row.model ? <span class="mono">{`${row.model.name}-${row.model.version}`}</span> : <span class="second">none yet</span>}
      </td>
      <td class="number second wide-only">{when(row.active_at_ms)}</td>
    </tr>
  );
}

const POLICIES: readonly (readonly [ReviewPolicy["images"], string])[] = [
  ["none", "No review: submitted is done"],
  ["all", "Every image is reviewed"],
];

/** Split a list of names at commas and lines, keep the order, drop doubles. */
export function labelNames(text: string): string[] {
  return [...new Set(text.split(/[\n,]/).map((name) => name.trim()).filter(Boolean))];
}

function NewProject({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [labels, setLabels] = useState("");
  const [policy, setPolicy] = useState<ReviewPolicy["images"]>("none");
  const { busy, problem, run } = useAct();
  const names = labelNames(labels);
  const create = async (): Promise<void> => {
    const project = await projects.create({
      name: name.trim(),
      review_policy: { images: policy },
      labels: names.map((label) => ({ name: label })),
    });
    go(`/projects/${project.id}/images`);
  };
  return (
    <Dialog title="New project" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(create);
        }}
      >
        <Field label="Name" required autofocus maxLength={200} value={name} onText={setName} fault={problem?.field === "name" ? problem.message : null} />
        <div class="field">
          <label for="new-labels">Labels, one a line or separated by commas</label>
          <textarea id="new-labels" class="input" rows={5} placeholder={"person\ncar\nbicycle"} value={labels} onInput={(event) => setLabels(event.currentTarget.value)} />
          <span class="hint">{names.length > 0 ? counted(names.length, "label") : "More can be added at any time."}</span>
        </div>
        <Select label="Review" value={policy} options={POLICIES} onPick={(value) => setPolicy(value as ReviewPolicy["images"])} />
        {problem?.field !== "name" && <Fault problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || name.trim() === ""}>
            Create
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
