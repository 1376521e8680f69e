import { choose } from "./router";

const BENCHES: readonly [string, "annotate" | "review"][] = [
  ["/projects/:project/annotate", "annotate"],
  ["/projects/:project/review", "review"],
  ["/projects/:project/images/:image", "annotate"],
];

/** The page of the workbench that an address shows, and its image where it names one. */
export function benchAt(path: string, query: URLSearchParams) {
  const found = choose(BENCHES, path);
  const projectId = Number(found?.params.project);
  if (!found || !Number.isInteger(projectId)) return null;
  const imageId = Number(found.params.image ?? query.get("image"));
  return { page: found.value, projectId, imageId: Number.isInteger(imageId) && imageId > 0 ? imageId : null };
}
