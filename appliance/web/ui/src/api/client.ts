import { Http, type Query } from "./http";
import type {
  Annotation, Answerer, BulkOutcome, Diff, Door, Export, Facets, Folder, GlobalRole, Image, ImageAnnotations,
  ImageSelection, ImageWithTask, Job, JobWithNotes, JsonObject, Label, Late, Load, Member, NewLabel, Outlines, Page, Project,
  ProjectRole, ProjectRow, Review, ReviewPolicy, Saved, Segmentation, SegmentPrompt, ServerFilter, Session, Snapshot,
  SnapshotChanges, SnapshotSummary, Task, TaskState, TilesFacts, Verdict, WireAnnotation,
} from "./types";
import type { NewComment, Thread, Unread, Validation, ValidationProblem } from "./types";

export const http = new Http();

/** The box takes no more for one submission. */
const DAY_MS = 86_400_000;

const project = (id: number): string => `/api/projects/${id}`;
const image = (projectId: number, id: number): string => `${project(projectId)}/images/${id}`;
const task = (projectId: number, id: number): string => `${project(projectId)}/tasks/${id}`;

/** Fill in the fields the server leaves out at their defaults. */
export function complete(wire: WireAnnotation): Annotation {
  return {
    attributes: {},
    source: "manual",
    status: "draft",
    revision: 0,
    confidence: null,
    model_id: null,
    author_id: null,
    ...wire,
  };
}

/** Follow a list to its end. For lists that stay short: labels, members, models. */
export async function all<T>(path: string, query: Record<string, string | number | null> = {}): Promise<T[]> {
  const items: T[] = [];
  let after: string | null = null;
  do {
    const page: Page<T> = await http.get<Page<T>>(path, { ...query, after });
    items.push(...page.items);
    after = page.next ?? null;
  } while (after !== null);
  return items;
}

/** What an invitation is to. */
export interface Offer {
  role: GlobalRole;
  project: string | null;
  project_role: ProjectRole | null;
  expires_at_ms: number;
}

/** What a device has to trust; the fingerprint is the authority's. */
export interface Trust {
  name: string;
  source: "none" | "box" | "site";
  fingerprint?: string | null;
  ends_at_ms?: number | null;
}

export const box = {
  health: () => http.send("GET", "/api/health"),
  trust: () => http.get<Trust>("/api/trust"),
};

export const account = {
  address: "/api/session",
  setupNeeded: async () => (await http.get<{ needed: boolean }>("/api/setup")).needed,
  setup: (facts: { code: string; email: string; name: string; password: string }) =>
    http.post<Session>("/api/setup", facts),
  registration: async () => (await http.get<{ registration: Door }>("/api/registration")).registration,
  register: (facts: { email: string; name: string; password: string; invitation?: string }) =>
    http.post<Session>("/api/register", facts),
  openInvitation: (secret: string) => http.post<Offer>("/api/invitation", { secret }),
  reset: (facts: { email: string; code: string; password: string }) => http.post<Session>("/api/reset", facts),
  signIn: (email: string, password: string) => http.post<Session>("/api/session", { email, password }),
  session: () => http.get<Session>("/api/session"),
  signOut: () => http.delete("/api/session"),
};

export const projects = {
  address: project,
  list: () => all<ProjectRow>("/api/projects"),
  get: (id: number) => http.get<ProjectRow>(project(id)),
  create: (facts: { name: string; review_policy: Partial<ReviewPolicy>; guideline?: string; labels: NewLabel[] }) =>
    http.post<Project>("/api/projects", facts),
  change: (id: number, facts: Partial<Pick<Project, "name" | "guideline" | "review_policy" | "queue_order" | "model_id">>) =>
    http.patch<Project>(project(id), facts),
  remove: (id: number) => http.delete(project(id)),
  labels: (id: number) => all<Label>(`${project(id)}/labels`),
  addLabel: (id: number, label: NewLabel) => http.post<Label>(`${project(id)}/labels`, label),
  changeLabel: (id: number, labelId: number, facts: Partial<Pick<Label, "name" | "color" | "hotkey" | "attributes" | "skeleton">>) =>
    http.patch<Label>(`${project(id)}/labels/${labelId}`, facts),
  removeLabel: (id: number, labelId: number, how: { merge_into?: number; annotations?: "delete" } = {}) =>
    http.delete(`${project(id)}/labels/${labelId}`, how),
  members: (id: number) => all<Member>(`${project(id)}/members`),
  setMember: (id: number, userId: number, role: ProjectRole) =>
    http.put<Member>(`${project(id)}/members/${userId}`, { role }),
  addMember: (id: number, email: string, role: ProjectRole) =>
    http.put<Member>(`${project(id)}/members`, { email, role }),
  segmenter: (id: number) => http.get<Answerer>(`${project(id)}/segmenter`),
  chooseSegmenter: (id: number, modelId: number | null) =>
    http.put<Answerer>(`${project(id)}/segmenter`, { model_id: modelId }),
  removeMember: (id: number, userId: number) => http.delete(`${project(id)}/members/${userId}`),
};

export const images = {
  address: image,
  /** The ids of all that match, in order. */
  ids: async (projectId: number, query: Query): Promise<Int32Array> => {
    const ids = new Int32Array(await http.bytes(`${project(projectId)}/images/ids`, query));
    for (let i = 1; i < ids.length; i++) ids[i] += ids[i - 1];
    return ids;
  },
  some: async (projectId: number, ids: readonly number[]) =>
    (await http.get<Page<Image>>(`${project(projectId)}/images`, { ids: ids.join(",") })).items,
  outlines: async (projectId: number, ids: readonly number[]) =>
    (await http.get<Page<Outlines>>(`${project(projectId)}/images/outlines`, { ids: ids.join(",") })).items,
  folders: (projectId: number) => all<Folder>(`${project(projectId)}/images/folders`, { limit: 500 }),
  facets: (projectId: number) => http.get<Facets>(`${project(projectId)}/images/facets`),
  removeSome: (projectId: number, which: ImageSelection) =>
    http.post<BulkOutcome>(`${project(projectId)}/images/delete`, which),
  reopen: (projectId: number, which: ImageSelection) =>
    http.post<BulkOutcome>(`${project(projectId)}/images/reopen`, which),
  assign: (projectId: number, which: ImageSelection, assigneeId: number | null) =>
    http.post<BulkOutcome>(`${project(projectId)}/images/assign`, { ...which, assignee_id: assigneeId }),
  share: (projectId: number, which: ImageSelection, people: readonly number[]) =>
    http.post<BulkOutcome>(`${project(projectId)}/images/share`, { ...which, people: [...people] }),
  prioritise: (projectId: number, which: ImageSelection, priority: number) =>
    http.post<BulkOutcome>(`${project(projectId)}/images/prioritise`, { ...which, priority }),
  due: (projectId: number, which: ImageSelection, dueAtMs: number | null) =>
    http.post<BulkOutcome>(`${project(projectId)}/images/due`, { ...which, due_at_ms: dueAtMs }),
  move: (projectId: number, which: ImageSelection, to: "front" | "end") =>
    http.post<BulkOutcome>(`${project(projectId)}/images/move`, { ...which, to }),
  settle: (projectId: number, which: ImageSelection) =>
    http.post<BulkOutcome>(`${project(projectId)}/images/settle`, which),
  get: (projectId: number, id: number) => http.get<ImageWithTask>(image(projectId, id)),
  remove: (projectId: number, id: number) => http.delete(image(projectId, id)),
  fileUrl: (picture: Image) => `${image(picture.project_id, picture.id)}/file?v=${picture.sha256}`,
  renditionUrl: (picture: Image) => `${image(picture.project_id, picture.id)}/rendition?v=${picture.sha256}`,
  /** What shows an image of which nothing is known yet: its rendition, or the thumbnail of one with tiles. */
  viewUrl: (projectId: number, id: number) => `${image(projectId, id)}/view`,
  tiles: (projectId: number, id: number) => http.get<TilesFacts>(`${image(projectId, id)}/tiles`),
  overviewUrl: (picture: Image) => `${image(picture.project_id, picture.id)}/tiles/overview?v=${picture.sha256}`,
  tileUrl: (picture: Image, { level, x, y }: { level: number; x: number; y: number }) =>
    `${image(picture.project_id, picture.id)}/tiles/${level}/${x}/${y}?v=${picture.sha256}`,
  thumbnailUrl: (projectId: number, id: number, sha256?: string) =>
    `${image(projectId, id)}/thumbnail${sha256 ? `?v=${sha256}` : ""}`,
  annotations: async (projectId: number, id: number): Promise<ImageAnnotations> => {
    const answer = await http.get<{ image_id: number; revision: number; late?: number; annotations: WireAnnotation[] }>(
      `${image(projectId, id)}/annotations`,
    );
    return { ...answer, late: answer.late ?? 0, annotations: answer.annotations.map(complete) };
  },
  /** What models made here that a person has changed, refused or deleted since. */
  before: async (projectId: number, id: number): Promise<Annotation[]> =>
    (await http.get<{ items: WireAnnotation[] }>(`${image(projectId, id)}/predicted`)).items.map(complete),
  save: async (projectId: number, id: number, diff: Diff, keepalive = false) =>
    (await http.send<Saved>("POST", `${image(projectId, id)}/annotations`, { json: diff, keepalive })).body,
  /** The object that clicks and a box mean. */
  segment: async (projectId: number, id: number, prompt: SegmentPrompt, signal: AbortSignal) =>
    (await http.send<Segmentation>("POST", `${image(projectId, id)}/segment`, { json: prompt, signal })).body,
  /** Hand in work that came when the image was in review or done. */
  late: (projectId: number, id: number, diff: Diff) => http.post<Late>(`${image(projectId, id)}/late`, diff),
};

export type WorkRole = "annotate" | "review";

export const tasks = {
  next: async (projectId: number, role: WorkRole): Promise<Task | null> =>
    http.post<Task | null>(`${project(projectId)}/tasks/next`, undefined, { role }),
  list: (projectId: number, query: { state: TaskState; assignee?: string; limit?: number; after?: string }) =>
    http.get<Page<Task>>(`${project(projectId)}/tasks`, query),
  /** What one would be given next, in that order. */
  queue: async (projectId: number, role: WorkRole, limit: number): Promise<Task[]> =>
    (await http.get<Page<Task>>(`${project(projectId)}/queue`, { role, limit })).items,
  /** Who has how much to do. */
  work: async (projectId: number): Promise<Load[]> => (await http.get<Page<Load>>(`${project(projectId)}/work`)).items,
  take: (projectId: number, id: number, role: WorkRole = "annotate") =>
    http.post<Task>(`${task(projectId, id)}/take`, undefined, { role }),
  /** Take a task unless somebody else has it, or it is handed in, by now. */
  takeIfFree: (projectId: number, id: number, role: WorkRole): Promise<Task | null> =>
    http.post<Task | null>(`${task(projectId, id)}/take`, undefined, { role, if_free: true }),
  /** Take one's own submission back, until a reviewer has opened it. */
  takeBack: (projectId: number, id: number) => http.post<Task>(`${task(projectId, id)}/take-back`),
  submit: (projectId: number, id: number, revision: number, activeMs?: number) =>
    http.post<Task>(`${task(projectId, id)}/submit`, activeMs === undefined ? { revision } : { revision, active_ms: Math.min(activeMs, DAY_MS) }),
  skip: (projectId: number, id: number, reason: string) =>
    http.post<Task>(`${task(projectId, id)}/skip`, { reason }),
  review: (
    projectId: number,
    id: number,
    facts: { revision: number; verdict: "approve" | "return"; reason?: string; verdicts: Verdict[] },
    activeMs: number,
  ) => http.post<Review>(`${task(projectId, id)}/review`, { ...facts, active_ms: Math.min(activeMs, DAY_MS) }),
  late: (projectId: number, imageId?: number) => all<Late>(`${project(projectId)}/late`, { image_id: imageId ?? null }),
  applyLate: (projectId: number, id: number) => http.post<Late>(`${project(projectId)}/late/${id}/apply`),
  dismissLate: (projectId: number, id: number) => http.post<Late>(`${project(projectId)}/late/${id}/dismiss`),
  withdraw: (projectId: number, id: number) => http.post<Task>(`${task(projectId, id)}/withdraw`),
};

export const comments = {
  of: (projectId: number, imageId: number) => all<Thread>(`${image(projectId, imageId)}/comments`),
  /** The same key again is the same comment. */
  add: (projectId: number, imageId: number, comment: NewComment) => http.post<Thread>(`${image(projectId, imageId)}/comments`, comment),
  read: (projectId: number, imageId: number, threadId: number) =>
    http.post<null>(`${image(projectId, imageId)}/comments/read`, { thread_id: threadId }),
  unread: (projectId: number) => http.get<Unread>(`${project(projectId)}/comments/unread`),
  edit: (projectId: number, id: number, text: string) => http.patch<Thread>(`${project(projectId)}/comments/${id}`, { text }),
  remove: (projectId: number, id: number) => http.delete(`${project(projectId)}/comments/${id}`),
  resolve: (projectId: number, threadId: number) => http.post<Thread>(`${project(projectId)}/threads/${threadId}/resolve`),
  reopen: (projectId: number, threadId: number) => http.post<Thread>(`${project(projectId)}/threads/${threadId}/reopen`),
};

export const machine = {
  autoLabel: (
    projectId: number,
    facts: { model_id?: number; image_ids?: number[]; filter?: ServerFilter; conf?: number; iou?: number; submit?: boolean },
  ) => http.post<Job>(`${project(projectId)}/auto-label`, facts),
  snapshots: (projectId: number) => all<Snapshot>(`${project(projectId)}/snapshots`),
  snapshot: (projectId: number, facts: { name: string; contents: Snapshot["contents"] }) =>
    http.post<Job>(`${project(projectId)}/snapshots`, facts),
  snapshotSummary: ({ project_id, id }: Snapshot) =>
    http.get<SnapshotSummary>(`${project(project_id)}/snapshots/${id}/summary`),
  snapshotChanges: ({ project_id, id }: Snapshot, since: number) =>
    http.get<SnapshotChanges>(`${project(project_id)}/snapshots/${id}/changes`, { since }),
  /** Why the last snapshot of approved work was refused; null when it was not. */
  validation: (projectId: number) => http.get<Validation | null>(`${project(projectId)}/validation`),
  problems: (projectId: number, after: string | null = null) =>
    http.get<Page<ValidationProblem>>(`${project(projectId)}/validation/problems`, { after }),
  exports: (projectId: number) => all<Export>(`${project(projectId)}/exports`),
  export: (projectId: number, facts: { snapshot_id?: number; format: string; options?: JsonObject }) =>
    http.post<Job>(`${project(projectId)}/exports`, facts),
  exportUrl: (item: Export) => `${project(item.project_id)}/exports/${item.id}/file`,
};

export const jobs = {
  page: (query: { project_id?: number; state?: string; after?: string | null; limit?: number }) =>
    http.get<Page<Job>>("/api/jobs", query),
  get: (id: number) => http.get<JobWithNotes>(`/api/jobs/${id}`),
  tell: (id: number, what: "pause" | "resume" | "cancel" | "retry") => http.post<Job>(`/api/jobs/${id}/${what}`),
};
