import type { ServerFilter, Split, TaskState } from "../api/types";

export type Sort = "newest" | "oldest" | "name";

/** Which images, and in what order: what stands in the address of the grid and of a walk through it. */
export interface ImageFilter {
  states: readonly TaskState[];
  labels: readonly number[];
  /** A user, or 0 for nobody. */
  assignee: number | null;
  confidence: readonly [number, number] | null;
  folder: string | null;
  job: number | null;
  /** From this time on, and up to before that one, in milliseconds. */
  since: number | null;
  until: number | null;
  text: string | null;
  /** As the newest snapshot divides the images, or while there is none the next one. */
  splits: readonly Split[];
  comments: "unresolved" | null;
  /** A user who has comments to read there. */
  unreadBy: number | null;
  priorities: readonly number[];
  /** When unfinished work is wanted. */
  due: Due | null;
  sort: Sort;
}

export type Due = "overdue" | "week";

export const STATES: readonly TaskState[] = ["open", "in_progress", "in_review", "returned", "done", "skipped"];
export const SPLITS: readonly Split[] = ["train", "val", "test"];
export const PRIORITIES: readonly (readonly [number, string])[] = [[2, "Urgent"], [1, "High"], [0, "Normal"], [-1, "Low"]];
export const DUES: readonly (readonly [Due, string])[] = [["overdue", "Overdue"], ["week", "Due this week"]];
const SORTS: readonly Sort[] = ["newest", "oldest", "name"];

export const EVERYTHING: ImageFilter = {
  states: [], labels: [], assignee: null, confidence: null, folder: null, job: null, since: null, until: null,
  text: null, splits: [], comments: null, unreadBy: null, priorities: [], due: null, sort: "newest",
};

const PARAMETERS = ["state", "label", "assignee", "confidence", "folder", "job", "since", "until", "text", "split", "comments", "unread_by", "priority", "due", "sort"];

/** Read the filter from an address; what makes no sense is left out. */
export function filterOf(query: URLSearchParams): ImageFilter {
  const list = (name: string): string[] => (query.get(name) ?? "").split(",").filter(Boolean);
  const whole = (name: string): number | null => (/^\d{1,15}$/.test(query.get(name) ?? "") ? Number(query.get(name)) : null);
  const confidence = /^(0(?:\.\d+)?|1)-(0(?:\.\d+)?|1)$/.exec(query.get("confidence") ?? "");
  return {
    states: STATES.filter((state) => list("state").includes(state)),
    labels: [...new Set(list("label").map(Number).filter((id) => Number.isInteger(id) && id > 0))],
    assignee: whole("assignee"),
    confidence: confidence ? [Number(confidence[1]), Number(confidence[2])] : null,
    folder: query.get("folder") || null,
    job: whole("job"),
    since: whole("since"),
    until: whole("until"),
    text: query.get("text") || null,
    splits: SPLITS.filter((split) => list("split").includes(split)),
    comments: query.get("comments") === "unresolved" ? "unresolved" : null,
    unreadBy: whole("unread_by"),
    priorities: PRIORITIES.map(([level]) => level).filter((level) => list("priority").includes(String(level))),
    due: DUES.find(([due]) => due === query.get("due"))?.[0] ?? null,
    sort: SORTS.find((sort) => sort === query.get("sort")) ?? EVERYTHING.sort,
  };
}

/** The parameters of an address of this console; null for what is not asked for. */
export function queryOf(filter: ImageFilter): Record<string, string | null> {
  const whole = (value: number | null): string | null => (value === null ? null : String(value));
  return {
    state: filter.states.join(",") || null,
    label: filter.labels.join(",") || null,
    assignee: whole(filter.assignee),
    confidence: filter.confidence?.join("-") ?? null,
    folder: filter.folder,
    job: whole(filter.job),
    since: whole(filter.since),
    until: whole(filter.until),
    text: filter.text,
    split: filter.splits.join(",") || null,
    comments: filter.comments,
    unread_by: whole(filter.unreadBy),
    priority: filter.priorities.join(",") || null,
    due: filter.due,
    sort: filter.sort === EVERYTHING.sort ? null : filter.sort,
  };
}

/** The same as the API asks for it: in times. */
export function askedOf(filter: ImageFilter): Record<string, string | number | null> {
  return { ...queryOf({ ...filter, due: null }), ...(filter.due && spanOf(filter.due)) };
}

/** Up to now, or from now to the end of Sunday, in the browser's days. */
function spanOf(due: Due): { due_since?: number; due_until: number } {
  const now = new Date();
  if (due === "overdue") return { due_until: now.getTime() };
  const monday = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 7 - ((now.getDay() + 6) % 7));
  return { due_since: now.getTime(), due_until: monday.getTime() };
}

/** `?state=open&label=3`, or nothing: what a link to an image takes along, so that a walk follows the filter. */
export function searchOf(filter: ImageFilter, more: Record<string, string> = {}): string {
  const pairs = new URLSearchParams(more);
  for (const [name, value] of Object.entries(queryOf(filter))) if (value !== null) pairs.set(name, value);
  return pairs.size > 0 ? `?${pairs}` : "";
}

/** The filter as changes to many images take it. */
export function bodyOf(filter: ImageFilter): ServerFilter {
  const body: ServerFilter = {};
  if (filter.states.length > 0) body.states = [...filter.states];
  if (filter.labels.length > 0) body.labels = [...filter.labels];
  if (filter.assignee !== null) body.assignee = filter.assignee;
  if (filter.confidence) body.confidence = [filter.confidence[0], filter.confidence[1]];
  if (filter.folder !== null) body.folder = filter.folder;
  if (filter.job !== null) body.job_id = filter.job;
  if (filter.since !== null) body.since_ms = filter.since;
  if (filter.until !== null) body.until_ms = filter.until;
  if (filter.text !== null) body.text = filter.text;
  if (filter.splits.length > 0) body.splits = [...filter.splits];
  if (filter.comments !== null) body.comments = filter.comments;
  if (filter.unreadBy !== null) body.unread_by = filter.unreadBy;
  if (filter.priorities.length > 0) body.priorities = [...filter.priorities];
  if (filter.due !== null) {
    const { due_since, due_until } = spanOf(filter.due);
    body.due_until_ms = due_until;
    if (due_since !== undefined) body.due_since_ms = due_since;
  }
  return body;
}

export const isFiltered = (filter: ImageFilter): boolean => Object.keys(bodyOf(filter)).length > 0;

/** True when work on an image can bring it into the list or take it out. */
export const followsWork = (filter: ImageFilter): boolean =>
  filter.states.length > 0 || filter.labels.length > 0 || filter.assignee !== null || filter.confidence !== null || filter.comments !== null || filter.unreadBy !== null || filter.priorities.length > 0 || filter.due !== null;

export const keyOf = (filter: ImageFilter): string => searchOf(filter);

/** An address's query without any filter, to be changed to another one. */
export const noFilter = (): Record<string, null> => Object.fromEntries(PARAMETERS.map((name) => [name, null]));
