import { useEffect, useState } from "preact/hooks";

import { jobs, projects } from "../api/client";
import type { Job, JobState, JsonObject, Note } from "../api/types";
import { hasEnded, jobTitle, liveJobs } from "../app/jobs";
import { mayAdminister } from "../app/project";
import { session } from "../app/session";
import { useAct, useEvents, useLoad } from "../app/use";
import { Progress } from "../parts/bar";
import { Button, Empty, Fault } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { JOB_WORDS, JobMark } from "../parts/marks";
import { count, span, when } from "../parts/words";
import { canUndo, UndoJob } from "./undo-job";

const PAGE = 100;
const MOST = 500;
const SURE_AFTER_MS = 3_000;

type Command = "pause" | "resume" | "cancel" | "retry";

const COMMANDS: Record<JobState, readonly [Command, string][]> = {
  queued: [["cancel", "Cancel"]],
  running: [
    ["pause", "Pause"],
    ["cancel", "Cancel"],
  ],
  paused: [
    ["resume", "Resume"],
    ["cancel", "Cancel"],
  ],
  failed: [["retry", "Retry"]],
  cancelled: [["retry", "Retry"]],
  done: [],
};

/** The message of a job's error, with the file it names. */
export function errorWords(error: JsonObject | null): string | null {
  if (!error) return null;
  const message = typeof error.message === "string" ? error.message : "It failed without saying why.";
  const file = typeof error.file === "string" && !message.includes(error.file) ? `${error.file}: ` : "";
  return file + message;
}

export function Jobs() {
  const [limit, setLimit] = useState(PAGE);
  const loaded = useLoad(() => jobs.page({ limit }), [limit]);
  const names = useLoad(projects.list, []);
  const [notesOf, setNotesOf] = useState<Job | null>(null);
  const [undoing, setUndoing] = useState<Job | null>(null);
  const mayUndo = (job: Job): boolean => {
    const project = names.value?.find((one) => one.id === job.project_id);
    return project !== undefined && canUndo(job) && mayAdminister(project, session.value?.permissions.administer ?? false);
  };
  useEvents(["job.changed"], null, loaded.reload);
  useEffect(() => {
    document.title = "Jobs · PixelQueue";
  }, []);
  const all = (loaded.value?.items ?? []).map((job) => ({ ...job, ...liveJobs.value.get(job.id) }));
  const projectName = (id: number | null): string =>
    id === null ? "all" : (names.value?.find((project) => project.id === id)?.name ?? `project ${id}`);
  const parts: [string, Job[]][] = [
    ["Now", all.filter((job) => !hasEnded(job.state)).sort(byTurn)],
    ["Ended", all.filter((job) => hasEnded(job.state))],
  ];
  return (
    <div class="page">
      <main class="sheet">
        <header>
          <h1>Jobs</h1>
          <span class="second">{summary(all)}</span>
        </header>
        <Fault problem={loaded.problem} retry={loaded.reload} />
        {loaded.value && all.length === 0 && (
          <Empty action={<a class="button" href="/">All projects</a>}>
            No job yet: auto-label, snapshots, imports and exports appear here.
          </Empty>
        )}
        {parts
          .filter(([, some]) => some.length > 0)
          .map(([title, some]) => (
            <section key={title} class="lane">
              <h2>{title}</h2>
              <table class="rows jobs">
                <tbody>
                  {some.map((job) => (
                    <Row key={job.id} job={job} project={projectName(job.project_id)} onNotes={() => setNotesOf(job)} onUndo={mayUndo(job) ? () => setUndoing(job) : null} reload={loaded.reload} />
                  ))}
                </tbody>
              </table>
            </section>
          ))}
        {loaded.value?.next && limit < MOST && (
          <Button onClick={() => setLimit(Math.min(MOST, limit + PAGE))}>Show older ones</Button>
        )}
      </main>
      {undoing && undoing.project_id !== null && <UndoJob job={undoing} projectId={undoing.project_id} onClose={() => setUndoing(null)} />}
      {notesOf && <Notes job={notesOf} onClose={() => setNotesOf(null)} />}
    </div>
  );
}

/** Running jobs first, then the others in the order in which they will run. */
function byTurn(a: Job, b: Job): number {
  const rank = (job: Job): number => ["running", "paused", "queued"].indexOf(job.state);
  return rank(a) - rank(b) || b.priority - a.priority || a.id - b.id;
}

/** How long a running job will take by its speed so far, in words; null while nobody can tell. */
export function timeLeft(job: Job, nowMs: number): string | null {
  if (job.state !== "running" || job.started_at_ms === null || job.total === 0 || job.progress === 0) return null;
  const spent = nowMs - job.started_at_ms;
  if (spent < SURE_AFTER_MS) return null;
  return `${span((spent * (job.total - job.progress)) / job.progress)} left`;
}

function summary(all: readonly Job[]): string {
  const words: [JobState, string][] = [
    ["running", "running"],
    ["queued", "waiting"],
    ["paused", "paused"],
    ["failed", "failed"],
    ["done", "done"],
  ];
  return words
    .map(([state, word]) => [all.filter((job) => job.state === state).length, word] as const)
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`)
    .join(", ");
}

function Row(props: { job: Job; project: string; onNotes: () => void; onUndo: (() => void) | null; reload: () => void }) {
  const { job, project, onNotes, onUndo, reload } = props;
  const { busy, problem, run } = useAct();
  const error = problem?.message ?? errorWords(job.error);
  const time = job.finished_at_ms
    ? `${when(job.finished_at_ms)}${job.started_at_ms ? `, took ${span(job.finished_at_ms - job.started_at_ms)}` : ""}`
    : (timeLeft(job, Date.now()) ?? when(job.created_at_ms));
  return (
    <>
      <tr>
        <td class="job-state">
          <span class="state">
            <JobMark state={job.state} />
            {JOB_WORDS[job.state]}
          </span>
        </td>
        <td class="job-name">
          {jobTitle(job)} <span class="second mono">{job.id}</span>
        </td>
        <td class="job-project second cut" title={`${project}, lane ${job.lane}`}>
          {project}
        </td>
        <td class="job-bar">
          <Progress
            done={job.state === "done" ? 1 : job.progress}
            total={job.state === "done" ? 1 : job.total}
            label={`${jobTitle(job)} ${job.id}`}
          />
        </td>
        <td class="cut">{job.total > 0 ? `${count(job.progress)} of ${count(job.total)}` : hasEnded(job.state) ? "" : job.message}</td>
        <td class="second number wide-only">{time}</td>
        <td class="job-acts">
          {onUndo && (
            <Button kind="quiet" onClick={onUndo}>
              Undo
            </Button>
          )}
          {COMMANDS[job.state].map(([command, word]) => (
            <Button
              key={command}
              kind="quiet"
              disabled={busy}
              onClick={() =>
                run(async () => {
                  await jobs.tell(job.id, command);
                  reload();
                })
              }
            >
              {word}
            </Button>
          ))}
          {hasEnded(job.state) && (
            <Button kind="quiet" onClick={onNotes}>
              Notes
            </Button>
          )}
        </td>
      </tr>
      {error && (
        <tr class="below">
          <td />
          <td colSpan={6} class="second small">
            {error}
          </td>
        </tr>
      )}
    </>
  );
}

/** What a job could not do, file by file. */
export function NoteList({ notes }: { notes: readonly Note[] }) {
  return (
    <ul class="notes">
      {notes.map((note, i) => (
        <li key={i}>
          {note.file && <span class="mono">{note.file} </span>}
          {note.message}
          {note.count > 1 && !note.message.includes(count(note.count)) && <span class="second"> {count(note.count)} times</span>}
        </li>
      ))}
    </ul>
  );
}

function Notes({ job, onClose }: { job: Job; onClose: () => void }) {
  const loaded = useLoad(() => jobs.get(job.id), [job.id]);
  return (
    <Dialog title={`${jobTitle(job)} ${job.id}`} wide onClose={onClose}>
      <Fault problem={loaded.problem} retry={loaded.reload} />
      {errorWords(job.error) && <p>{errorWords(job.error)}</p>}
      {loaded.value && loaded.value.notes.length === 0 && <p class="second">No notes: nothing was left out.</p>}
      {loaded.value && <NoteList notes={loaded.value.notes} />}
    </Dialog>
  );
}
