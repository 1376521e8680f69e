import { computed, effect, signal } from "@preact/signals";

import { jobs as client } from "../api/client";
import type { Job, JobState, ServerEvent } from "../api/types";
import { events, session } from "./session";

/** A job as events tell of it. */
export type LiveJob = Pick<Job, "id" | "kind" | "state" | "progress" | "total" | "message"> & {
  project_id: number | null;
};

const ENDED = new Set<JobState>(["done", "failed", "cancelled"]);
const KEEP_ENDED_MS = 8_000;
const ASK_MS = 200;

/** Jobs under way, and those that ended in the last seconds. */
export const liveJobs = signal<ReadonlyMap<number, LiveJob>>(new Map());
export const runningJobs = computed(
  () => [...liveJobs.value.values()].filter((job) => job.state === "running").length,
);

export const hasEnded = (state: JobState): boolean => ENDED.has(state);

/** Jobs that events have told of: they come in order, so no answer to a request is newer. */
const told = new Set<number>();

/** Show a job that was just started, unless events, which may be faster than the answer, have told of it. */
export function noteJob(job: LiveJob): void {
  if (!told.has(job.id)) put(job);
}

/** Put a job into the map; one that ended leaves a moment later. */
function put(job: LiveJob): void {
  const next = new Map(liveJobs.value);
  next.set(job.id, job);
  liveJobs.value = next;
  if (ENDED.has(job.state)) setTimeout(() => forget(job.id), KEEP_ENDED_MS);
}

function forget(id: number): void {
  const next = new Map(liveJobs.value);
  next.delete(id);
  liveJobs.value = next;
}

const URGENCY: readonly JobState[] = ["running", "failed", "done", "cancelled", "queued", "paused"];

/** The job of a project that says most: one that runs, one that has just ended, one that waits. */
export function jobOf(projectId: number): LiveJob | null {
  const mine = [...liveJobs.value.values()].filter((job) => job.project_id === projectId);
  return mine.sort((a, b) => URGENCY.indexOf(a.state) - URGENCY.indexOf(b.state) || b.id - a.id)[0] ?? null;
}

const WORDS: Record<string, string> = {
  "auto-label": "Auto-label",
  "clear-cache": "Empty the cache",
  collect: "Collect unused files",
  compile: "Prepare a model",
  convert: "Convert",
  export: "Export",
  import: "Import",
  measure: "Measure the space",
  scrub: "Read all stored files",
  snapshot: "Snapshot",
  thumbnails: "Thumbnails",
  tiles: "Tiles",
  train: "Train",
  undo: "Undo",
};

export function jobName(kind: string): string {
  return WORDS[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll(/[-_]/g, " ");
}

/** A job once it is over; asked for, because an event may have passed before anybody listened. */
export async function whenOver(id: number): Promise<Job> {
  for (;;) {
    const job = await client.get(id);
    if (hasEnded(job.state)) return job;
    await new Promise((go) => setTimeout(go, ASK_MS));
  }
}

const CHANGES: Record<string, string> = {
  assign: "Assign images",
  delete: "Delete images",
  due: "Set a date",
  move: "Move in the queue",
  prioritise: "Set a priority",
  reopen: "Reopen images",
  settle: "Follow the policy",
  share: "Deal images out",
};

/** A job's name, of a change to images by what it changes. */
export function jobTitle({ kind, parameters }: Pick<Job, "kind" | "parameters">): string {
  return (kind === "change-images" && CHANGES[String(parameters.action)]) || jobName(kind);
}

async function loadRunning(): Promise<void> {
  const pages = await Promise.all(["queued", "running", "paused"].map((state) => client.page({ state, limit: 50 })));
  const found = pages.flatMap((page) => page.items);
  const heard = [...liveJobs.value].filter(([id]) => told.has(id));
  liveJobs.value = new Map([...found.filter(({ id }) => !told.has(id)).map((job) => [job.id, job] as const), ...heard]);
}

export function startJobs(): void {
  events.on("job.changed", (event: ServerEvent) => {
    const job = event.data.job as unknown as LiveJob;
    told.add(job.id);
    put({ ...job, project_id: event.project_id });
  });
  events.on("resync", () => {
    told.clear();
    loadRunning().catch(() => undefined);
  });
  effect(() => {
    if (session.value) loadRunning().catch(() => undefined);
    else {
      told.clear();
      liveJobs.value = new Map();
    }
  });
}
