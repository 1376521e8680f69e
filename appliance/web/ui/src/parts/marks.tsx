import type { JSX } from "preact";

import type { JobState, TaskState } from "../api/types";
import type { AnnotationState } from "../editor/document";

/** State is shape and word. Tasks and jobs are round, annotations are square; dashed is the machine,
 * filled is finished, a triangle is a fault. */

export const TASK_WORDS: Record<TaskState, string> = {
  open: "Open",
  in_progress: "In progress",
  in_review: "In review",
  returned: "Returned",
  done: "Done",
  skipped: "Skipped",
};

export const JOB_WORDS: Record<JobState, string> = {
  queued: "queued",
  running: "running",
  paused: "paused",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

export const ANNOTATION_WORDS: Record<AnnotationState, string> = {
  prediction: "Predictions",
  drawn: "Drawn",
  accepted: "Accepted",
  approved: "Approved",
  rejected: "Rejected",
};

const ring = <circle cx="8" cy="8" r="5.5" />;
const disc = (
  <>
    <circle cx="8" cy="8" r="6.2" fill="currentColor" stroke="none" />
    <path d="M5 8.2l2.2 2.2L11 6.2" stroke="var(--bg)" />
  </>
);
const square = <rect x="2.75" y="2.75" width="10.5" height="10.5" />;
const half = (
  <>
    {ring}
    <path d="M8 2.5a5.5 5.5 0 010 11z" fill="currentColor" stroke="none" />
  </>
);
const minus = (
  <>
    {ring}
    <path d="M5.2 8h5.6" />
  </>
);
const fault = <path d="M8 2.5l6 11H2zM8 6.5v3.2M8 11.5h.01" />;

const TASK: Record<TaskState, JSX.Element> = {
  open: ring,
  in_progress: half,
  in_review: (
    <>
      {ring}
      <circle cx="8" cy="8" r="2" fill="currentColor" stroke="none" />
    </>
  ),
  returned: <path d="M5.5 3L2.5 6l3 3M3 6h6a3.7 3.7 0 010 7.5H6" />,
  done: disc,
  skipped: minus,
};

const JOB: Record<JobState, JSX.Element> = {
  queued: <circle cx="8" cy="8" r="5.5" stroke-dasharray="2 2.3" />,
  running: half,
  paused: <path d="M6 3.5v9M10 3.5v9" />,
  done: disc,
  failed: fault,
  cancelled: minus,
};

const ANNOTATION: Record<AnnotationState, JSX.Element> = {
  prediction: <rect x="2.75" y="2.75" width="10.5" height="10.5" stroke-dasharray="2.6 2.6" />,
  drawn: square,
  accepted: (
    <>
      {square}
      <path d="M5.5 8l2 2 3.5-4" />
    </>
  ),
  approved: (
    <>
      <rect x="2" y="2" width="12" height="12" fill="currentColor" stroke="none" />
      <path d="M5.2 8l2.2 2.2L11 6" stroke="var(--bg)" />
    </>
  ),
  rejected: (
    <>
      {square}
      <path d="M3 3l10 10M13 3L3 13" />
    </>
  ),
};

function Mark({ children }: { children: JSX.Element }) {
  return (
    <svg class="mark-16" viewBox="0 0 16 16" aria-hidden="true">
      {children}
    </svg>
  );
}

/** Well, or something to see to. */
export const StateMark = ({ well }: { well: boolean }) => <Mark>{well ? disc : fault}</Mark>;
export const TaskMark = ({ state }: { state: TaskState }) => <Mark>{TASK[state]}</Mark>;
export const JobMark = ({ state }: { state: JobState }) => <Mark>{JOB[state]}</Mark>;
export const AnnotationMark = ({ state }: { state: AnnotationState }) => <Mark>{ANNOTATION[state]}</Mark>;
