import { complete, http } from "./client";
import type { Query } from "./http";
import type { Annotation, Job, Page, Saved, WireAnnotation } from "./types";

export type RevisionKind =
  | "edit" | "late" | "submit" | "take-back" | "review" | "withdraw" | "relabel" | "restore" | "auto-label" | "import" | "undo";

/** What a revision did to how many annotations of a label. */
export interface Deed {
  what:
    | "predicted" | "added" | "removed" | "relabelled" | "moved" | "described" | "accepted" | "refused" | "approved" | "reopened"
    | "given-back";
  label_id: number;
  n: number;
}

export interface Revision {
  image_id: number;
  revision: number;
  kind: RevisionKind;
  author_id: number | null;
  job_id: number | null;
  at_ms: number;
  added: number;
  changed: number;
  removed: number;
  author: string | null;
  image_name: string | null;
  did: Deed[] | null;
}

/** What undoing a job would do. */
export interface UndoPreview {
  images: number;
  annotations: number;
  returning: number;
  pictures: number;
  pictures_back: number;
  tasks: number;
  kept: number;
  kept_images: number;
  kept_pictures: number;
  undone_by: number | null;
}

/** What erasing an image would erase. */
export interface PurgePreview {
  name: string;
  annotations: number;
  revisions: number;
  threads: number;
  snapshots: { id: number; name: string }[];
  shared: boolean;
}

const image = (projectId: number, id: number): string => `/api/projects/${projectId}/images/${id}`;
const undo = (projectId: number, jobId: number): string => `/api/projects/${projectId}/jobs/${jobId}/undo`;

export const history = {
  ofProject: (projectId: number, query: Query) => http.get<Page<Revision>>(`/api/projects/${projectId}/history`, query),
  ofImage: (projectId: number, id: number, after: string | null) =>
    http.get<Page<Revision>>(`${image(projectId, id)}/history`, { after, limit: 50 }),
  at: async (projectId: number, id: number, revision: number): Promise<Annotation[]> =>
    (await http.get<{ annotations: WireAnnotation[] }>(`${image(projectId, id)}/history/${revision}`)).annotations.map(complete),
  restore: (projectId: number, id: number, revision: number, facts: { diff_id: string; revision: number }) =>
    http.post<Saved>(`${image(projectId, id)}/history/${revision}/restore`, facts),
  undoPreview: (projectId: number, jobId: number) => http.get<UndoPreview>(undo(projectId, jobId)),
  undo: (projectId: number, jobId: number) => http.post<Job>(undo(projectId, jobId)),
  purgePreview: (projectId: number, id: number) => http.get<PurgePreview>(`${image(projectId, id)}/purge`),
  purge: (projectId: number, id: number, facts: { confirm: string; reason: string; delete_snapshots: boolean }) =>
    http.post<{ snapshots: number[]; files: number }>(`${image(projectId, id)}/purge`, facts),
};
