import { http, projects } from "../api/client";
import { Pictures } from "../editor/pictures";
import { firstBench, firstView, firstWorker } from "./first";

let begun: { projectId: number; pictures: Pictures } | null = null;

/**
 * Ask for all that the address is going to show at once, before it is known who is signed in.
 *
 * The box answers with the workbench's own page only where somebody is.
 */
export function startEarly(): void {
  if (!firstBench) return;
  const { projectId, imageId, page } = firstBench;
  void (page === "annotate" ? import("../workbench/annotate") : import("../workbench/review")).catch(() => undefined);
  http.ahead(projects.address(projectId));
  http.ahead(`${projects.address(projectId)}/labels`);
  void import("../editor/render/raster-client").then(({ startRaster }) => startRaster(firstWorker), () => undefined);
  if (imageId === null) return;
  begun = { projectId, pictures: new Pictures(projectId) };
  begun.pictures.begin(imageId, firstView);
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
