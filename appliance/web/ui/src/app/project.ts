import { signal } from "@preact/signals";

import type { Label, ProjectRow } from "../api/types";
import type { Params } from "./router";

export interface ProjectPageProps {
  project: ProjectRow;
  labels: Label[];
  params: Params;
  reload: () => void;
}

export const currentProject = signal<ProjectRow | null>(null);

export const mayAdminister = (project: ProjectRow, globalAdmin: boolean): boolean =>
  globalAdmin || project.role === "admin";
export const mayReview = (project: ProjectRow, globalAdmin: boolean): boolean =>
  mayAdminister(project, globalAdmin) || project.role === "reviewer";
