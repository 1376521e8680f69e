/** Without a move or a key for so long, a person is taken to be away. */
export const IDLE_MS = 60_000;
const TICK_MS = 1_000;
const INPUT = ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"] as const;

export interface Surroundings {
  now: () => number;
  visible: () => boolean;
}

/**
 * How long a person is really at each image: its page is shown, and there was input within a minute.
 *
 * What is measured stays with the image until it is handed in, over reloads of the page too.
 */
export class ActiveTime {
  private imageId: number | null = null;
  private last: number;
  private input: number;

  constructor(
    private readonly around: Surroundings,
    private readonly kept: Pick<Storage, "getItem" | "setItem" | "removeItem">,
  ) {
    this.last = this.input = around.now();
  }

  /** An image is worked on; null for none. */
  on(imageId: number | null): void {
    this.tick();
    this.imageId = imageId;
  }

  /** There was input. */
  touch(): void {
    const now = this.around.now();
    if (now > this.input + IDLE_MS) this.tick();
    this.input = now;
  }

  /** Add the time since the last tick to the image, as far as somebody was there. */
  tick(): void {
    const { now, visible } = this.around;
    const [from, to] = [this.last, now()];
    this.last = to;
    const worked = Math.min(to, this.input + IDLE_MS) - from;
    if (this.imageId !== null && visible() && worked > 0) this.kept.setItem(this.key(this.imageId), String(this.of(this.imageId) + worked));
  }

  /** What an image took, which begins at nothing again. */
  take(imageId: number): number {
    this.tick();
    const worked = Math.round(this.of(imageId));
    this.kept.removeItem(this.key(imageId));
    return worked;
  }

  private of(imageId: number): number {
    return Number(this.kept.getItem(this.key(imageId)) ?? 0);
  }

  private key(imageId: number): string {
    return `active:${imageId}`;
  }
}

let here: ActiveTime | null = null;

/** The page's own, which listens from its first use on. */
export function activeTime(): ActiveTime {
  if (here) return here;
  const made = new ActiveTime({ now: () => performance.now(), visible: () => document.visibilityState === "visible" }, sessionStorage);
  for (const kind of INPUT) addEventListener(kind, () => made.touch(), { capture: true, passive: true });
  document.addEventListener("visibilitychange", () => made.tick());
  addEventListener("pagehide", () => made.tick());
  setInterval(() => made.tick(), TICK_MS);
  return (here = made);
}
