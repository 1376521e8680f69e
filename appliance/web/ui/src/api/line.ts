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
  /** Nothing was heard since the last request that failed. */
  readonly silent = signal(false);
  /** Something failed and has not been asked again yet. */
  readonly owing = signal(false);
  private readonly options: Required<Options>;
  private delayMs = FIRST_DELAY_MS;
  private backAt = -CALM_MS;
  private planned = false;

  constructor(options: Options) {
    this.options = { later: (run, delayMs) => void setTimeout(run, delayMs), now: () => performance.now(), random: Math.random, ...options };
  }

  /** A request got no answer. */
  failed(): void {
    if (!this.owing.value && this.options.now() - this.backAt > CALM_MS) this.delayMs = FIRST_DELAY_MS;
    this.silent.value = true;
    this.owing.value = true;
    this.plan();
  }

  /** The box has said something. */
  answered(): void {
    this.silent.value = false;
  }

  private plan(): void {
    if (this.planned) return;
    this.planned = true;
    const { delayMs, options } = this;
    this.delayMs = Math.min(LONGEST_DELAY_MS, delayMs * 2);
    options.later(() => void this.look(), delayMs * (0.5 + options.random() / 2));
  }

  private async look(): Promise<void> {
    if (this.silent.value) await this.options.ask().catch(() => undefined);
    this.planned = false;
    if (this.silent.value) this.plan();
    else this.back();
  }

  private back(): void {
    this.backAt = this.options.now();
    this.owing.value = false;
    this.options.onBack();
  }
}
