const BENCH = /^\/projects\/(\d+)\/(?:(annotate|review)|images\/(\d+))$/;

/** The page of the workbench that an address shows, and its image where it names one. */
export function benchAt(path: string, query: URLSearchParams) {
  const found = BENCH.exec(path);
  if (!found) return null;
  const [, project, page = "annotate", named] = found;
  const imageId = Number(named ?? query.get("image"));
  return { page: page as "annotate" | "review", projectId: Number(project), imageId: Number.isInteger(imageId) && imageId > 0 ? imageId : null };
}
