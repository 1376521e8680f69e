import { http, projects } from "../api/client";
import { Pictures } from "../editor/pictures";
import { choose, place } from "./router";

const BENCHES: readonly [string, "annotate" | "review"][] = [
  ["/projects/:project/annotate", "annotate"],
  ["/projects/:project/review", "review"],
  ["/projects/:project/images/:image", "annotate"],
];

let begun: { projectId: number; pictures: Pictures } | null = null;

/** The page of the workbench that an address shows, and its image where it names one. */
export function benchAt(path: string, query: URLSearchParams) {
  const found = choose(BENCHES, path);
  const projectId = Number(found?.params.project);
  if (!found || !Number.isInteger(projectId)) return null;
  const imageId = Number(found.params.image ?? query.get("image"));
  return { page: found.value, projectId, imageId: Number.isInteger(imageId) && imageId > 0 ? imageId : null };
}

/** Ask for all that the address is going to show at once, before it is known who is signed in. */
export function startEarly(): void {
  const bench = benchAt(place.value.path, place.value.query);
  if (!bench) return;
  const { projectId, imageId, page } = bench;
  void (page === "annotate" ? import("../workbench/annotate") : import("../workbench/review")).catch(() => undefined);
  http.ahead(projects.address(projectId));
  http.ahead(`${projects.address(projectId)}/labels`);
  void import("../editor/render/raster-client").then(({ startRaster }) => startRaster(), () => undefined);
  if (imageId === null) return;
  begun = { projectId, pictures: new Pictures(projectId) };
  begun.pictures.ahead([imageId]);
}

/** Where a project's pictures come from: with the first one on its way, when the page began with it. */
export function picturesOf(projectId: number): Pictures {
  const early = begun?.projectId === projectId ? begun.pictures : null;
  begun = null;
  return early ?? new Pictures(projectId);
}
