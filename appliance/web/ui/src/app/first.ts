import { benchAt } from "./bench-address";

/** The image in the address of a page of the workbench; null elsewhere, and where the box answers with the general page. */
export const firstBench =
  globalThis.document?.documentElement.dataset.page === "workbench" ? benchAt(location.pathname, new URLSearchParams(location.search)) : null;

/**
 * Its pixels, begun by a few lines that the browser has long before the rest of the code, so that they
 * are decoded beside that. No bitmap in the end: ask again.
 */
export const firstView: Promise<ImageBitmap | null> | null = firstBench?.imageId ? viewed(firstBench.projectId, firstBench.imageId) : null;

/** The worker that draws shapes, begun while the code that needs it is on its way. */
export let firstWorker: Worker | null = null;

export function beginWorker(): void {
  if (firstBench && typeof OffscreenCanvas !== "undefined") firstWorker = new Worker(new URL("../editor/render/raster-worker.ts", import.meta.url), { type: "module", name: "raster" });
}

async function viewed(projectId: number, imageId: number): Promise<ImageBitmap | null> {
  try {
    const response = await fetch(`/api/projects/${projectId}/images/${imageId}/view`);
    // Not `blob()`: of an answer that is still coming to a preload, Chromium can leave that unsettled for ever.
    return response.ok ? await createImageBitmap(new Blob([await response.arrayBuffer()])) : null;
  } catch {
    return null;
  }
}
