import { signal } from "@preact/signals-core";

interface Options {
  /** Ask the box for something small. */
  ask: () => Promise<unknown>;
  /** The box answers again. */
  onBack: () => unknown;
  later?: (run: () => void, delayMs: number) => void;
  now?: () => number;
  random?: () => number;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 5_000;
/** A box that failed again so soon after it was back is asked less often. */
const CALM_MS = 30_000;

/**
 * Whether the box answers what it is asked.
 *
 * A request can fail while the socket lives on, and then nothing else tells when to ask again. So
 * from the first request without an answer the box is asked, more and more seldom, until it answers.
 * What it says otherwise meanwhile counts as well, at the next turn: who asks again at every sign of
 * life would ask without end where one request keeps failing.
 */
export class Line {
  readonly silent = signal(false);
  private readonly options: Required<Options>;
  private delayMs = FIRST_DELAY_MS;
  private backAt = -CALM_MS;
  private planned = false;
  private heard = false;

  constructor(options: Options) {
    this.options = { later: (run, delayMs) => void setTimeout(run, delayMs), now: () => performance.now(), random: Math.random, ...options };
  }

  /** A request got no answer. */
  failed(): void {
    if (!this.silent.value && this.options.now() - this.backAt > CALM_MS) this.delayMs = FIRST_DELAY_MS;
    this.silent.value = true;
    this.heard = false;
    this.plan();
  }

  /** The box has said something. */
  answered(): void {
    this.heard = true;
  }

  private plan(): void {
    if (this.planned) return;
    this.planned = true;
    const { delayMs, options } = this;
    this.delayMs = Math.min(LONGEST_DELAY_MS, delayMs * 2);
    options.later(() => void this.look(), delayMs * (0.5 + options.random() / 2));
  }

  private async look(): Promise<void> {
    if (!this.heard) await this.options.ask().catch(() => undefined);
    this.planned = false;
    if (this.heard) this.back();
    else this.plan();
  }

  private back(): void {
    this.backAt = this.options.now();
    this.silent.value = false;
    this.options.onBack();
  }
}
