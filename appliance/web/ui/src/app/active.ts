/** Without a move or a key for so long, a person is taken to be away. */
export const IDLE_MS = 60_000;
const TICK_MS = 1_000;
const INPUT = ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"] as const;

/** An image that is annotated, or the same one under review: each has its own time. */
export type At = number | `review:${number}`;

export interface Surroundings {
  now: () => number;
  visible: () => boolean;
}

/**
 * How long a person is really at each image: its page is shown, and there was input within a minute.
 *
 * What is measured stays with the image until it is handed in or judged, over reloads of the page too.
 */
export class ActiveTime {
  private at: At | null = null;
  private last: number;
  private input: number;

  constructor(
    private readonly around: Surroundings,
    private readonly kept: Pick<Storage, "getItem" | "setItem" | "removeItem">,
  ) {
    this.last = this.input = around.now();
  }

  /** An image is worked on; null for none. */
  on(at: At | null): void {
    this.tick();
    this.at = at;
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
    if (this.at !== null && visible() && worked > 0) this.kept.setItem(this.key(this.at), String(this.of(this.at) + worked));
  }

  /** What an image took, which begins at nothing again. */
  take(at: At): number {
    this.tick();
    const worked = Math.round(this.of(at));
    this.kept.removeItem(this.key(at));
    return worked;
  }

  private of(at: At): number {
    return Number(this.kept.getItem(this.key(at)) ?? 0);
  }

  private key(at: At): string {
    return `active:${at}`;
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
