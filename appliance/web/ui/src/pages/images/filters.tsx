import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { images, jobs, machine } from "../../api/client";
import type { Facets, Job, Label, Member, ProjectRow } from "../../api/types";
import { DUES, type ImageFilter, PRIORITIES, queryOf, SPLITS, STATES } from "../../app/image-filter";
import { setQuery } from "../../app/router";
import { me } from "../../app/session";
import { useUnread } from "../../app/unread";
import { useEvents, useLoad } from "../../app/use";
import { Swatch } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { TASK_WORDS, TaskMark } from "../../parts/marks";
import { count, when } from "../../parts/words";
import { Confidence } from "./confidence";
import { dayOf, nextDayOf, startOf } from "./days";

const FEW_LABELS = 6;
const MANY_FOLDERS = 200;
const TYPING_MS = 250;

interface Props {
  project: ProjectRow;
  labels: Label[];
  members: readonly Member[];
  filter: ImageFilter;
  open: boolean;
}

export const change = (filter: ImageFilter, facts: Partial<ImageFilter>): void =>
  setQuery(queryOf({ ...filter, ...facts }));

const toggled = <T,>(all: readonly T[], one: T): T[] => (all.includes(one) ? all.filter((other) => other !== one) : [...all, one]);

/** What the grid shows, chosen on the left; every choice stands in the address. */
export function Filters({ project, labels, members, filter, open }: Props) {
  const facets = useLoad(() => images.facets(project.id), [project.id]);
  useEvents(["annotations.changed", "task.changed", "image.deleted"], project.id, facets.reload);
  const unread = useUnread(project.id);
  const put = (facts: Partial<ImageFilter>): void => change(filter, facts);
  return (
    <aside class={open ? "filters open" : "filters"} aria-label="Filter">
      <Find filter={filter} />
      <h3>Status</h3>
      <ul>
        {STATES.map((one) => (
          <Choice key={one} on={filter.states.includes(one)} tally={count(project.states[one])} onToggle={() => put({ states: toggled(filter.states, one) })}>
            <TaskMark state={one} />
            {TASK_WORDS[one]}
          </Choice>
        ))}
      </ul>
      <h3>Comments</h3>
      <ul>
        <Choice on={filter.comments === "unresolved"} onToggle={() => put({ comments: filter.comments ? null : "unresolved" })}>
          Unresolved
        </Choice>
        <Choice
          on={filter.unreadBy !== null}
          tally={unread.total ? count(unread.total.comments) : undefined}
          onToggle={() => put({ unreadBy: filter.unreadBy === null ? (me.value?.id ?? null) : null })}
        >
          Unread by you
        </Choice>
      </ul>
      {labels.length > 0 && <Labels labels={labels} filter={filter} facets={facets.value} />}
      <Confidence bins={facets.value?.confidence ?? []} value={filter.confidence} onPick={(confidence) => put({ confidence })} />
      <Fold title="Assignee" on={filter.assignee !== null}>
        <ul>
          {[{ user_id: 0, name: "Nobody" }, ...members].map(({ user_id: id, name }) => (
            <Choice
              key={id}
              kind="radio"
              on={filter.assignee === id}
              tally={tallyOf(facets.value, id)}
              onToggle={() => put({ assignee: filter.assignee === id ? null : id })}
            >
              <span class="cut">{name}</span>
            </Choice>
          ))}
        </ul>
      </Fold>
      <Fold title="Priority" on={filter.priorities.length > 0}>
        <ul>
          {PRIORITIES.map(([level, word]) => (
            <Choice key={level} on={filter.priorities.includes(level)} onToggle={() => put({ priorities: toggled(filter.priorities, level) })}>
              {word}
            </Choice>
          ))}
        </ul>
      </Fold>
      <Fold title="Due" on={filter.due !== null}>
        <ul>
          {DUES.map(([due, word]) => (
            <Choice key={due} kind="radio" on={filter.due === due} onToggle={() => put({ due: filter.due === due ? null : due })}>
              {word}
            </Choice>
          ))}
        </ul>
      </Fold>
      <Fold title="Split" on={filter.splits.length > 0}>
        <Splits projectId={project.id} filter={filter} />
      </Fold>
      <Fold title="Folder" on={filter.folder !== null}>
        <Folders projectId={project.id} value={filter.folder} onPick={(folder) => put({ folder })} />
      </Fold>
      <Fold title="Import" on={filter.job !== null}>
        <Imports projectId={project.id} value={filter.job} onPick={(job) => put({ job })} />
      </Fold>
      <Fold title="Date added" on={filter.since !== null || filter.until !== null}>
        <div class="dates">
          <Day label="From" value={dayOf(filter.since)} onPick={(day) => put({ since: startOf(day) })} />
          <Day label="To" value={dayOf(filter.until && filter.until - 1)} onPick={(day) => put({ until: nextDayOf(day) })} />
        </div>
      </Fold>
    </aside>
  );
}

/** Part of the name; asked for when the typing pauses. */
function Find({ filter }: { filter: ImageFilter }) {
  const [text, setText] = useState(filter.text ?? "");
  const latest = useRef(filter);
  latest.current = filter;
  useEffect(() => setText(filter.text ?? ""), [filter.text]);
  useEffect(() => {
    if (text.trim() === (filter.text ?? "")) return;
    const timer = setTimeout(() => change(latest.current, { text: text.trim() || null }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class="search">
      <span class="unseen">Find by name</span>
      <Icon name="search" />
      <input id="find-image" class="input" type="search" maxLength={200} placeholder="Part of the name" value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

interface ChoiceProps {
  on: boolean;
  tally?: string;
  kind?: "checkbox" | "radio";
  onToggle: () => void;
  children: ComponentChildren;
}

function Choice({ on, tally, kind = "checkbox", onToggle, children }: ChoiceProps) {
  return (
    <li>
      <label class="choice">
        <input type="checkbox" class={kind} checked={on} onChange={onToggle} />
        {children}
        <span class="space" />
        <span class="second">{tally}</span>
      </label>
    </li>
  );
}

function Labels({ labels, filter, facets }: { labels: Label[]; filter: ImageFilter; facets: Facets | null }) {
  const [all, setAll] = useState(false);
  const shown = all ? labels : labels.filter((one, i) => i < FEW_LABELS || filter.labels.includes(one.id));
  const rest = labels.length - shown.length;
  return (
    <>
      <h3>Label</h3>
      <ul>
        {shown.map((one) => {
          const found = facets?.labels.find((other) => other.label_id === one.id);
          return (
            <Choice key={one.id} on={filter.labels.includes(one.id)} tally={found && count(found.annotations)} onToggle={() => change(filter, { labels: toggled(filter.labels, one.id) })}>
              <Swatch color={one.color} />
              <span class="cut">{one.name}</span>
            </Choice>
          );
        })}
      </ul>
      {rest > 0 && (
        <button class="more" onClick={() => setAll(true)}>
          {rest} more {rest === 1 ? "label" : "labels"}
        </button>
      )}
    </>
  );
}

/** Says whose division it is, as an image has none of its own. */
function Splits({ projectId, filter }: { projectId: number; filter: ImageFilter }) {
  const made = useLoad(() => machine.snapshots(projectId), [projectId]);
  useEvents(["snapshot.made", "snapshot.deleted"], projectId, made.reload);
  const newest = made.value?.reduce((a, b) => (b.id > a.id ? b : a), made.value[0]);
  return (
    <>
      <ul>
        {SPLITS.map((one) => (
          <Choice key={one} on={filter.splits.includes(one)} onToggle={() => change(filter, { splits: toggled(filter.splits, one) })}>
            {one}
          </Choice>
        ))}
      </ul>
      {made.value && <p class="note second">{newest ? `As snapshot ${newest.name} divides them.` : "As the first snapshot will divide them."}</p>}
    </>
  );
}

/** Closed unless it is used, so that what is asked for is never hidden; its content loads when it opens. */
function Fold({ title, on, children }: { title: string; on: boolean; children: ComponentChildren }) {
  const [open, setOpen] = useState(on);
  useEffect(() => {
    if (on) setOpen(true);
  }, [on]);
  return (
    <section>
      <button class="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? "down" : "right"} />
        {title}
      </button>
      {open && children}
    </section>
  );
}

function Folders({ projectId, value, onPick }: { projectId: number; value: string | null; onPick: (folder: string | null) => void }) {
  const found = useLoad(() => images.folders(projectId), [projectId]);
  useEvents(["image.added", "image.deleted"], projectId, found.reload);
  const all = found.value ?? [];
  const shown = all.filter((one, i) => i < MANY_FOLDERS || one.folder === value);
  return (
    <ul class="long">
      {shown.map((one) => (
        <Choice key={one.folder} kind="radio" on={one.folder === value} tally={count(one.images)} onToggle={() => onPick(one.folder === value ? null : one.folder)}>
          <span class="cut" title={one.folder}>{folderName(one.folder)}</span>
        </Choice>
      ))}
      {all.length > shown.length && <li class="note second">{count(all.length - shown.length)} more: search for part of the name.</li>}
    </ul>
  );
}

export const folderName = (folder: string): string => (folder === "/" ? "Top folder" : folder.slice(1));

function Imports({ projectId, value, onPick }: { projectId: number; value: number | null; onPick: (job: number | null) => void }) {
  const found = useLoad(() => jobs.page({ project_id: projectId, limit: 100 }), [projectId]);
  const imports = (found.value?.items ?? []).filter((job) => job.kind === "import");
  if (found.value && imports.length === 0) return <p class="note second">No archive or folder was imported yet.</p>;
  return (
    <ul class="long">
      {imports.map((job) => (
        <Choice key={job.id} kind="radio" on={job.id === value} tally={when(job.created_at_ms)} onToggle={() => onPick(job.id === value ? null : job.id)}>
          <span class="cut" title={importName(job)}>{importName(job)}</span>
        </Choice>
      ))}
    </ul>
  );
}

function importName(job: Job): string {
  const { name, folder } = job.parameters;
  return String(name || folder || `Import ${job.id}`);
}

function Day({ label, value, onPick }: { label: string; value: string; onPick: (day: string) => void }) {
  return (
    <label class="day">
      <span class="second small">{label}</span>
      <input class="input" type="date" value={value} onChange={(event) => onPick(event.currentTarget.value)} />
    </label>
  );
}

function tallyOf(facets: Facets | null, userId: number): string | undefined {
  const found = facets?.assignees.find((one) => one.user_id === userId);
  return found && facets ? count(found.images) + (found.images >= facets.most ? "+" : "") : undefined;
}
