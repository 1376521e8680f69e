const LATEST_MS = 10_000;

/**
 * Have the browser keep the console's files, so that it loads while the box is away.
 *
 * Only where the browser lets it: over TLS it trusts, or on the box itself. Elsewhere the console
 * works as well and needs the box to load.
 */
export function startKeeping(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const begin = (): void => {
    navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" }).catch(() => undefined);
  };
  // What is on the screen comes first.
  if ("requestIdleCallback" in globalThis) requestIdleCallback(begin, { timeout: LATEST_MS });
  else setTimeout(begin, LATEST_MS);
}
