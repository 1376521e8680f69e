import { account, http, projects } from "../api/client";
import type { Label } from "../api/types";
import { Pictures } from "../editor/pictures";
import { firstBench, firstView } from "./first";

/** What is known of an image may have changed after so long. */
const SOON_MS = 5_000;

/** What the workbench is going to show, on its way. */
export interface Begun {
  projectId: number;
  pictures: Pictures;
  labels: Promise<Label[]> | null;
  until: number;
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
  begun = { projectId, pictures: new Pictures(projectId), labels, until: Infinity };
  if (imageId !== null) begun.pictures.open(imageId, firstView).catch(() => undefined);
}

/** Ask for what else the page is made of. */
export function askRest(): void {
  if (!firstBench) return;
  http.ahead(account.address);
  http.ahead(projects.address(firstBench.projectId));
}

/** Somebody is about to open an image: all of it is on its way before the page is there. */
export function openSoon(projectId: number, imageId: number): void {
  begun = { projectId, pictures: ofProject(projectId)?.pictures ?? new Pictures(projectId), labels: null, until: performance.now() + SOON_MS };
  begun.pictures.open(imageId).catch(() => undefined);
}

/** Nothing of what was asked for comes: the box is away. */
export function dropEarly(): void {
  begun = null;
}

/** Where a project's pictures come from: with the first one on its way, when the page began with it. */
export function picturesOf(projectId: number): Pictures {
  const early = ofProject(projectId);
  begun = null;
  return early?.pictures ?? new Pictures(projectId);
}

/** A project's labels: those on their way, when the page began with it. */
export const labelsOf = (projectId: number): Promise<Label[]> =>
  ofProject(projectId)?.labels?.catch(() => projects.labels(projectId)) ?? projects.labels(projectId);

const ofProject = (projectId: number): Begun | null => (begun?.projectId === projectId && performance.now() < begun.until ? begun : null);
