/** Frames do not come where nobody sees the page: what waits for one waits no longer than this. */
const LATEST_MS = 250;

/** Call back once the next frame is on its way to the screen. */
export function afterFrame(act: () => void): void {
  const once = (): void => {
    clearTimeout(timer);
    if (!done) act();
    done = true;
  };
  let done = false;
  const timer = setTimeout(once, LATEST_MS);
  globalThis.requestAnimationFrame?.(() => setTimeout(once));
}
