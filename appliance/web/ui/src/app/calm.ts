import { firstBench } from "./first";

/** What waits, waits no longer than this: the image may not come. */
const LATEST_MS = 3_000;

/** The image that the page began with is on the screen. */
export let calmDown: () => void = () => undefined;

/**
 * Resolves when `calmDown` is called, and at once where the page did not begin with an image.
 *
 * What can do without is asked for after it: each request takes some of the same few cores from
 * the decoding and drawing of that image.
 */
export const calm = new Promise<void>((done) => {
  if (!firstBench?.imageId) return done();
  calmDown = done;
  setTimeout(done, LATEST_MS);
});
