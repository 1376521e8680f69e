import { useEffect, useState } from "preact/hooks";

import { jobs, projects } from "../api/client";
import { history, type Revision, type RevisionKind } from "../api/history";
import { type Problem, toProblem } from "../api/problem";
import { mayAdminister, type ProjectPageProps } from "../app/project";
import { place, setQuery } from "../app/router";
import { session } from "../app/session";
import { useLoad } from "../app/use";
import { Button, Empty, Fault, Field, Select } from "../parts/controls";
import { countWords, KIND_WORDS } from "../parts/history-words";
import { counted, moment } from "../parts/words";
import { canUndo, UndoJob } from "./undo-job";
import "./history.css";

const DAY_MS = 86_400_000;

/** Who changed what in the project, newest first; the filter is in the address. */
export function History({ project }: ProjectPageProps) {
  const query = place.value.query.toString();
  const job = place.value.query.get("job");
  const members = useLoad(() => projects.members(project.id), [project.id]);
  const [found, setFound] = useState<{ items: Revision[]; next: string | null } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const load = (before: readonly Revision[], after: string | null): (() => void) => {
    let wanted = true;
    setProblem(null);
    history.ofProject(project.id, { ...filterOf(new URLSearchParams(query)), after }).then(
      (page) => wanted && setFound({ items: [...before, ...page.items], next: page.next ?? null }),
      (error: unknown) => wanted && setProblem(toProblem(error)),
    );
    return () => void (wanted = false);
  };
  useEffect(() => {
    setFound(null);
    return load([], null);
  }, [project.id, query]);
  useEffect(() => {
    document.title = `History, ${project.name} · PixelQueue`;
  }, [project.name]);
  return (
    <div class="page">
      <main class="sheet">
        <header>
          <h1>History</h1>
          {found && <span class="second">{`${counted(found.items.length, "revision")}${found.next ? " so far" : ""}`}</span>}
          <span class="space" />
          {job && <UndoOne key={job} jobId={Number(job)} project={project} />}
        </header>
        <Filters people={(members.value ?? []).map((one) => [String(one.user_id), one.name] as const)} />
        <Fault problem={problem} retry={() => void load([], null)} />
        {found?.items.length === 0 && (
          <Empty action={query ? <Button onClick={clear}>Clear the filter</Button> : <a class="button" href={`/projects/${project.id}/annotate`}>Annotate</a>}>
            {query ? "No revision fits." : "Nobody has changed an annotation yet."}
          </Empty>
        )}
        {found && found.items.length > 0 && <Lines items={found.items} projectId={project.id} />}
        {found?.next && (
          <p class="more">
            <Button onClick={() => void load(found.items, found.next)}>Show older</Button>
          </p>
        )}
      </main>
    </div>
  );
}

/** The way back from the one job that is looked at, for those who may. */
function UndoOne({ jobId, project }: { jobId: number; project: ProjectPageProps["project"] }) {
  const [asking, setAsking] = useState(false);
  const { value: job } = useLoad(() => jobs.get(jobId), [jobId]);
  const may = job?.project_id === project.id && canUndo(job) && mayAdminister(project, session.value?.permissions.administer ?? false);
  if (!job || !may) return null;
  return (
    <>
      <Button onClick={() => setAsking(true)}>Undo job {jobId}</Button>
      {asking && <UndoJob job={job} projectId={project.id} onClose={() => setAsking(false)} />}
    </>
  );
}

const clear = (): void => setQuery({ who: null, kind: null, job: null, from: null, to: null });

/** Days are the browser's own; the last one counts whole. */
function filterOf(query: URLSearchParams): Record<string, string | number | null> {
  const at = (key: string): number | null => {
    const day = query.get(key);
    const ms = day ? new Date(`${day}T00:00`).getTime() : NaN;
    return Number.isNaN(ms) ? null : ms;
  };
  const to = at("to");
  return { author_id: query.get("who"), kind: query.get("kind"), job_id: query.get("job"), since_ms: at("from"), until_ms: to === null ? null : to + DAY_MS };
}

function Filters({ people }: { people: readonly (readonly [string, string])[] }) {
  const { query } = place.value;
  const pick = (key: string) => (value: string) => setQuery({ [key]: value });
  const kinds = (Object.keys(KIND_WORDS) as RevisionKind[]).map((kind) => [kind, KIND_WORDS[kind]] as const);
  return (
    <div class="history-filter" role="search" aria-label="Filter">
      <Select label="Who" value={query.get("who") ?? ""} options={[["", "Everybody"], ...people]} onPick={pick("who")} />
      <Select label="What" value={query.get("kind") ?? ""} options={[["", "Everything"], ...kinds]} onPick={pick("kind")} />
      <Field label="Job" value={query.get("job") ?? ""} maxLength={12} onText={(text) => setQuery({ job: text.replaceAll(/\D/g, "") })} />
      <Day label="From" value={query.get("from") ?? ""} onDay={pick("from")} />
      <Day label="To" value={query.get("to") ?? ""} onDay={pick("to")} />
    </div>
  );
}

function Day({ label, value, onDay }: { label: string; value: string; onDay: (day: string) => void }) {
  return (
    <div class="field">
      <label for={`history-${label}`}>{label}</label>
      <input id={`history-${label}`} class="input" type="date" value={value} onChange={(event) => onDay(event.currentTarget.value)} />
    </div>
  );
}

function Lines({ items, projectId }: { items: readonly Revision[]; projectId: number }) {
  return (
    <table class="rows history-log">
      <thead>
        <tr>
          <th class="when">When</th>
          <th class="who">Who</th>
          <th class="kind">What</th>
          <th class="image">Image</th>
          <th class="revision number">Revision</th>
          <th class="did">Annotations</th>
          <th class="job number">Job</th>
        </tr>
      </thead>
      <tbody>
        {items.map((one) => (
          <tr key={`${one.image_id}-${one.revision}`}>
            <td class="when second">{moment(one.at_ms)}</td>
            <td class="who cut">{one.author ?? <span class="second">the box</span>}</td>
            <td class="kind cut">{KIND_WORDS[one.kind]}</td>
            <td class="image cut">
              <a class="link mono" href={`/projects/${projectId}/annotate?image=${one.image_id}`}>
                {one.image_name}
              </a>
            </td>
            <td class="revision number second">{one.revision}</td>
            <td class="did second">{countWords(one)}</td>
            <td class="job number">
              {one.job_id !== null && (
                <Button kind="quiet" title="Only what this job did" onClick={() => setQuery({ job: String(one.job_id) })}>
                  {one.job_id}
                </Button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
