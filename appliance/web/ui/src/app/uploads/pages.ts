const PREFIX = "pixelqueue-page-";

/** A name for this page, for as long as it is open. */
export const thisPage = `${PREFIX}${Math.random().toString(36).slice(2)}`;

// The lock is held until the page is gone, however it goes; only a secure context has locks.
if (typeof navigator !== "undefined" && navigator.locks) {
  void navigator.locks.request(thisPage, () => new Promise(() => undefined));
}

/** The pages of this box that are open in this browser. */
export async function livingPages(): Promise<ReadonlySet<string>> {
  if (typeof navigator === "undefined" || !navigator.locks) return new Set();
  const { held = [] } = await navigator.locks.query();
  return new Set(held.map(({ name }) => name ?? ""));
}
