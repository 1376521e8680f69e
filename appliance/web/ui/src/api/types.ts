/** The records of the box as they travel in JSON. One place, hand-written after the server's records. */

import type { Geometry, Mask } from "../geometry";

export type { Geometry };

export type GlobalRole = "admin" | "operator" | "member";
/** Who may make an account. */
export type Door = "open" | "invite" | "closed";
export type ProjectRole = "admin" | "reviewer" | "annotator";
export type TaskState = "open" | "in_progress" | "in_review" | "done" | "returned" | "skipped";
export type JobState = "queued" | "running" | "paused" | "done" | "failed" | "cancelled";
export type QueueOrder = "manual" | "oldest" | "random" | "uncertain";
export type AttributeValue = string | number | boolean;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface User {
  id: number;
  email: string;
  name: string;
  role: GlobalRole;
  disabled: boolean;
  created_at_ms: number;
}

export interface Box {
  /** Stays the same whatever the box's address and name. */
  id: string;
  name: string;
  version: string;
  demo: boolean;
  registration: Door;
}

export interface Session {
  user: User;
  box: Box;
  permissions: { create_project: boolean; administer: boolean; operate: boolean };
}

export interface Member {
  user_id: number;
  email: string;
  name: string;
  role: ProjectRole;
}

export interface Project {
  id: number;
  name: string;
  guideline: string;
  review_policy: ReviewPolicy;
  queue_order: QueueOrder;
  model_id: number | null;
  created_by: number | null;
  created_at_ms: number;
}

/** Which images are reviewed before they are done, and who may approve. */
export interface ReviewPolicy {
  images: "none" | "all" | "sample";
  sample_percent: number;
  reviews: 1 | 2;
  others_only: boolean;
  model_made: boolean;
  returned_to: "author" | "anyone";
}

export type StateCounts = Record<TaskState, number>;

export interface ProjectRow extends Project {
  role: ProjectRole | null;
  images: number;
  states: StateCounts;
  members: number;
  labels: number;
  thumbnails: number[];
  active_at_ms: number;
  /** Comments that the caller has not read. */
  unread: number;
  model: { id: number; name: string; version: number } | null;
}

export interface AttributeSpec {
  name: string;
  kind: "choice" | "text" | "number" | "switch";
  choices: string[];
  required: boolean;
  default: AttributeValue | null;
}

export interface Skeleton {
  points: string[];
  edges: [number, number][];
  /** Where the points of a typical one lie, `x, y` from 0 to 1; empty when nobody has drawn it. */
  layout: number[];
}

export interface Label {
  id: number;
  project_id: number;
  class_index: number;
  name: string;
  color: string;
  hotkey: string | null;
  attributes: AttributeSpec[];
  skeleton: Skeleton | null;
}

export interface NewLabel {
  name: string;
  color?: string;
  hotkey?: string;
}

export interface Image {
  id: number;
  project_id: number;
  name: string;
  width: number;
  height: number;
  sha256: string;
  size_bytes: number;
  format: string;
  orientation: number;
  needs_rendition: boolean;
  /** Too large to be shown whole: it has tiles. */
  tiled: boolean;
  revision: number;
  annotations: number;
  predictions: number;
  state: TaskState;
  created_at_ms: number;
  assignee_id: number | null;
  /** Threads of comments that nobody has resolved. */
  threads: number;
}

/** An annotation as a thumbnail shows it: flat lines in 512ths of the image, of a box its corners. */
export interface Outline {
  label_id: number;
  lines: number[][];
  open?: boolean;
  predicted?: boolean;
}

export interface Outlines {
  image_id: number;
  revision: number;
  shapes: Outline[];
  more?: number;
}

/** Which images a change to many is for; empty for all. */
export interface ServerFilter {
  states?: TaskState[];
  labels?: number[];
  assignee?: number;
  confidence?: [number, number];
  folder?: string;
  job_id?: number;
  since_ms?: number;
  until_ms?: number;
  text?: string;
  splits?: Split[];
  comments?: "unresolved";
  unread_by?: number;
  priorities?: number[];
  due_since_ms?: number;
  due_until_ms?: number;
}

export type ImageSelection = { ids: number[] } | { filter: ServerFilter };

export interface BulkOutcome {
  images: number;
  changed: number;
  /** Does it, or stands for what was done at once, to be undone. */
  job: Job | null;
}

export interface Folder {
  folder: string;
  images: number;
}

/** Annotations by label, images by person (0 is nobody) up to `most`, predictions by confidence in steps. */
export interface Facets {
  most: number;
  labels: { label_id: number; annotations: number }[];
  assignees: { user_id: number; images: number }[];
  confidence: number[];
}

/** Whether the tiles of a picture are there, and how to ask for them; `job` makes them while they are not. */
export interface TilesFacts {
  ready: boolean;
  width: number;
  height: number;
  tile_size: number;
  levels: number;
  job: Job | null;
}

export interface ImageWithTask extends Image {
  task: Task;
}

/** Fields at their default are left out by the server. */
export interface WireAnnotation {
  id: string;
  label_id: number;
  geometry: Geometry;
  attributes?: Record<string, AttributeValue>;
  source?: "manual" | "model" | "import";
  status?: "draft" | "approved" | "rejected";
  revision?: number;
  confidence?: number | null;
  model_id?: number | null;
  author_id?: number | null;
}

export type Annotation = Required<WireAnnotation>;

export interface Draft {
  id: string;
  label_id: number;
  geometry: Geometry;
  attributes?: Record<string, AttributeValue>;
  rejected?: boolean;
  /** Take an acceptance or a refusal back: what the model made is a prediction again. */
  untouched?: boolean;
}

export interface Diff {
  diff_id: string;
  revision: number;
  added?: Draft[];
  changed?: Draft[];
  removed?: string[];
}

export interface Saved {
  image_id: number;
  revision: number;
  repeated: boolean;
}

/** A place on the object somebody means, or beside it. */
export interface Click {
  x: number;
  y: number;
  positive: boolean;
}

/** What somebody asks about an image; `view` is the part in sight, `mask` the answer before. */
export interface SegmentPrompt {
  points: Click[];
  box?: [number, number, number, number];
  view?: [number, number, number, number];
  mask?: Mask;
  chain?: string;
}

/** What answers a project's clicks, and what else could; null stands for the built-in segmenter. */
export interface Answerer {
  segmenter: string;
  model_id: number | null;
  models: Model[];
}

/** The object that a prompt means; the mask is null when nothing was found. */
export interface Segmentation {
  segmenter: string;
  model_id: number | null;
  mask: Mask | null;
  score: number;
  region: [number, number, number, number];
  /** Names the answer as the segmenter has it, for the next prompt; null where it keeps nothing finer. */
  chain: string | null;
}

export interface Comment {
  id: number;
  key: string;
  author_id: number | null;
  author: string | null;
  /** Empty once it is deleted. */
  text: string;
  mentions: number[];
  created_at_ms: number;
  edited_at_ms: number | null;
  deleted_at_ms: number | null;
}

/** Where a thread is about: a point of the image, of an annotation where it names one. */
export interface Pin {
  x: number;
  y: number;
  annotation_id?: string;
}

export interface Thread {
  id: number;
  /** That of its first comment. */
  key: string;
  image_id: number;
  number: number;
  annotation_id: string | null;
  /** The annotation was deleted since: the point is what is left. */
  gone: boolean;
  x: number | null;
  y: number | null;
  author_id: number | null;
  /** Somebody else replied, or changed the annotation. */
  answered: boolean;
  resolved_by: number | null;
  resolver: string | null;
  resolved_at_ms: number | null;
  created_at_ms: number;
  comments: Comment[];
  unread: number;
}

export interface NewComment {
  key: string;
  text: string;
  reply_to?: string;
  pin?: Pin;
}

export interface Unread {
  comments: number;
  mentions: number;
  images: { image_id: number; comments: number; mentions: number }[];
}

/** Why the last snapshot of approved work was refused. */
export interface Validation {
  job_id: number;
  name: string;
  images: number;
  problems: number;
  counts: Record<string, number>;
  at_ms: number;
}

export interface ValidationProblem {
  number: number;
  image_id: number;
  image: string;
  annotation_id: string | null;
  code: string;
  words: string;
}

/** A diff that came when its image was in review or done, kept beside the image. */
export interface Late {
  id: number;
  project_id: number;
  image_id: number;
  author_id: number | null;
  state: "open" | "applied" | "dismissed";
  diff: Diff;
  decided_by: number | null;
  created_at_ms: number;
}

export interface ImageAnnotations {
  image_id: number;
  revision: number;
  /** How many late diffs wait to be decided. */
  late: number;
  annotations: Annotation[];
}

export interface Task {
  id: number;
  project_id: number;
  image_id: number;
  round: number;
  state: TaskState;
  assignee_id: number | null;
  assigned: boolean;
  reviewer_id: number | null;
  approvals: number;
  priority: number;
  due_at_ms: number | null;
  uncertainty: number;
  revision: number;
  lease_until_ms: number | null;
  reason: string | null;
  updated_at_ms: number;
}

/** One member's work in a project; of nobody where `user_id` is null. */
export interface Load {
  user_id: number | null;
  name: string;
  role: ProjectRole | null;
  assigned: number;
  begun: number;
  abandoned: number;
  returned: number;
  overdue: number;
  skipped: number;
  to_review: number;
}

export interface Verdict {
  annotation_id: string;
  verdict: "approve" | "reject";
  reason?: string;
}

export interface Review {
  id: number;
  task_id: number;
  image_id: number;
  revision: number;
  reviewer_id: number | null;
  verdict: "approve" | "return";
  reason: string | null;
  verdicts: Verdict[];
  round: number;
  stands_at: number;
  final: boolean;
  created_at_ms: number;
}

export interface Note {
  code: string;
  message: string;
  file: string | null;
  count: number;
}

export interface Snapshot {
  id: number;
  project_id: number;
  name: string;
  contents: "approved" | "everything";
  manifest_sha256: string;
  images: number;
  annotations: number;
  seed: number;
  created_by: number | null;
  created_at_ms: number;
}

export type Split = "train" | "val" | "test";

/** Images by split; annotations by label id and split, and by geometry. */
export interface SnapshotSummary {
  splits: Partial<Record<Split, number>>;
  labels: Record<number, Partial<Record<Split, number>>>;
  geometries: Record<string, number>;
  /** Images on which nothing is annotated. */
  empty: number;
}

/** Images that differ from an earlier snapshot's; the names are the first hundred of each kind. */
export interface SnapshotChanges {
  added: number;
  removed: number;
  changed: number;
  same: number;
  added_names: string[];
  removed_names: string[];
  changed_names: string[];
}

export interface Export {
  id: number;
  project_id: number;
  snapshot_id: number;
  format: string;
  job_id: number;
  sha256: string | null;
  size_bytes: number | null;
  notes: Note[];
  created_by: number | null;
  created_at_ms: number;
}

export type ModelTask = "detect" | "segment" | "pose" | "obb" | "classify" | "prompt";

export interface ModelInfo {
  family: string;
  task: ModelTask;
  labels: string[];
  input_size: [number, number];
  dynamic: boolean;
  batch: number | null;
  end_to_end: boolean;
  stride: number;
  details: JsonObject;
}

export interface ModelFile {
  role: string;
  sha256: string;
  size_bytes: number;
}

/** What of it is left out is not known. */
export interface Parity {
  ok: boolean;
  pictures: number;
  expected?: number;
  found?: number;
  matched?: number;
  worst_iou?: number;
  worst_confidence_gap?: number;
  worst_output_gap?: number;
  note?: string;
}

export interface Conversion {
  converter: string;
  versions: Record<string, string>;
  reading: "tensors" | "pickle";
  isolated: boolean;
  seconds: number;
  parity?: Parity | null;
  facts?: JsonObject;
}

export interface Provenance {
  file?: string;
  source_sha256?: string;
  snapshot?: { name: string; manifest_sha256: string };
  parameters?: JsonObject;
  parent?: { name: string; version: number; sha256: string };
  imported?: { name: string; version: number; sha256: string };
  conversion?: Conversion;
}

export interface Model {
  id: number;
  name: string;
  version: number;
  family: string;
  task: ModelTask;
  sha256: string;
  size_bytes: number;
  files: ModelFile[];
  info: ModelInfo;
  metrics: Record<string, number>;
  provenance: Provenance;
  created_by: number | null;
  created_at_ms: number;
  archived_at_ms: number | null;
  /** Projects in which it is active, in lists. */
  used_by?: { project_id: number; name: string }[];
}

export interface Job {
  id: number;
  kind: string;
  lane: string;
  priority: number;
  state: JobState;
  project_id: number | null;
  parameters: JsonObject;
  progress: number;
  total: number;
  message: string;
  result: JsonObject | null;
  error: JsonObject | null;
  attempts: number;
  created_by: number | null;
  created_at_ms: number;
  started_at_ms: number | null;
  finished_at_ms: number | null;
}

export interface JobWithNotes extends Job {
  notes: Note[];
}

export interface ServerEvent {
  seq: number;
  kind: string;
  project_id: number | null;
  data: JsonObject;
  at_ms: number;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

// Uploads

export interface Upload {
  id: number;
  project_id: number;
  name: string;
  kind: "picture" | "dataset";
  state: "receiving" | "ready" | "done" | "failed";
  length_bytes: number;
  offset_bytes: number;
  image_id: number | null;
  duplicate: boolean;
  problem: { code: string; message: string; field?: string; file?: string } | null;
  job_id: number | null;
}

/** What an uploaded dataset holds, before anything of it is written. */
export interface Preview {
  format: string | null;
  title: string;
  files: string[];
  pictures: number;
  promised: number;
  present: number;
  images: number;
  annotated: number;
  matched: number;
  missing: number;
  labels: { name: string; label_id: number | null; annotations: number }[];
  annotations: Record<string, number>;
  splits: Partial<Record<"train" | "val" | "test", number>>;
  notes: Note[];
}
