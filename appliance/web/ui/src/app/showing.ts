import { signal } from "@preact/signals";

/** How annotations are shown; kept while somebody goes from image to image. */
export const threshold = signal(0);
export const hidden = signal(false);
