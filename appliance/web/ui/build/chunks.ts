import { resolve } from "node:path";

interface Graph {
  getModuleInfo(id: string): { importedIds: readonly string[]; dynamicallyImportedIds: readonly string[] } | null;
}

const MAIN = resolve("src/main.tsx");
const SIGHT = resolve("src/app/sight.ts");
const AT_WORK = resolve("src/workbench/page.ts");

/**
 * The console's code in few files: what every page needs (`console`, of which `base` also serves the first
 * image), and what the workbench needs besides (`workbench`, of which `sight` shows the first image).
 *
 * A page opened at an image has what shows that on the way at once, in few requests, and all else
 * afterwards. The pages that are loaded when they are first shown stay files of their own.
 */
export function chunkOf(id: string, graph: Graph): string | null {
  const first = closure(SIGHT, graph).has(id);
  // The first image waits for its styles: one file of them comes sooner than two.
  if (first && id.endsWith(".css")) return "base";
  if (closure(MAIN, graph).has(id)) return first ? "base" : "console";
  if (first) return "sight";
  const workbench = closure(AT_WORK, graph);
  if (!workbench.has(id)) return null;
  const pages = (graph.getModuleInfo(resolve("src/app/app.tsx"))?.dynamicallyImportedIds ?? []).filter((page) => !workbench.has(page));
  return pages.some((page) => closure(page, graph).has(id)) ? "console" : "workbench";
}

/** A module with all that it imports, directly or not. */
function closure(id: string, graph: Graph): ReadonlySet<string> {
  const known = closures.get(id);
  if (known) return known;
  const found = new Set([id]);
  for (const one of found) for (const next of graph.getModuleInfo(one)?.importedIds ?? []) found.add(next);
  closures.set(id, found);
  return found;
}

/** The few lines that a page of the workbench begins with, and what loads the rest, in a file that waits for no other. */
export const FIRST = /\/src\/(?:at-work|app\/first|app\/bench-address)\.ts$|vite\/preload-helper/;

const closures = new Map<string, ReadonlySet<string>>();
