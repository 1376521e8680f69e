import { account, http, projects } from "../api/client";
import type { Label } from "../api/types";
import { Pictures } from "../editor/pictures";
import { firstBench, firstView } from "./first";

/** What an address of the workbench shows, on its way. */
export interface Begun {
  projectId: number;
  pictures: Pictures;
  labels: Promise<Label[]>;
}

export let begun: Begun | null = null;

/**
 * Ask at once for what the address is going to show, before it is known who is signed in.
 *
 * The box answers with the workbench's own page only where somebody is.
 */
export function startEarly(): void {
  if (!firstBench) return;
  const { projectId, imageId } = firstBench;
  const labels = projects.labels(projectId);
  labels.catch(() => undefined);
  begun = { projectId, pictures: new Pictures(projectId), labels };
  if (imageId !== null) begun.pictures.begin(imageId, firstView);
}

/** Ask for what else the page is made of. */
export function askRest(): void {
  if (!firstBench) return;
  http.ahead(account.address);
  http.ahead(projects.address(firstBench.projectId));
}

/** Nothing of what was asked for comes: the box is away. */
export function dropEarly(): void {
  begun = null;
}

/** Where a project's pictures come from: with the first one on its way, when the page began with it. */
export function picturesOf(projectId: number): Pictures {
  const early = begun?.projectId === projectId ? begun.pictures : null;
  begun = null;
  return early ?? new Pictures(projectId);
}

/** A project's labels: those on their way, when the page began with it. */
export const labelsOf = (projectId: number): Promise<Label[]> =>
  begun?.projectId === projectId ? begun.labels.catch(() => projects.labels(projectId)) : projects.labels(projectId);
