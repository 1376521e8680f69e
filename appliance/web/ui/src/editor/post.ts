import { signal } from "@preact/signals-core";

import type { Outcome } from "./saver";

/** Something that has to reach the box: the changes of an image, a submission. */
export interface Parcel {
  push: () => Promise<Outcome>;
}

interface Options {
  later?: (run: () => void, delayMs: number) => () => void;
  random?: () => number;
}

/** Changes of one gesture gather this long; with the way to the box it stays within a second. */
const GATHER_MS = 400;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;
/** One parcel sends so many diffs in a row before it lets the others through. */
const MOST_TURNS = 20;

/**
 * Carry parcels to the box, oldest first, one at a time.
 *
 * While the box is away they wait together: one timer for all, twice as long each time up to five
 * seconds, with jitter, so that a room full of tablets does not come back in one moment.
 */
export class Post {
  readonly offline = signal(false);
  readonly busy = signal(false);
  readonly signedOut = signal(false);
  readonly waiting = signal(0);
  private readonly queue = new Set<Parcel>();
  /** Added while it was under way: it has to be carried once more. */
  private readonly touched = new Set<Parcel>();
  private readonly later: (run: () => void, delayMs: number) => () => void;
  private readonly random: () => number;
  private cancel: (() => void) | null = null;
  private running: Promise<void> | null = null;
  private failures = 0;
  private closed = false;

  constructor(options: Options = {}) {
    this.later = options.later ?? afterwards;
    this.random = options.random ?? Math.random;
  }

  add(parcel: Parcel): void {
    this.queue.add(parcel);
    this.touched.add(parcel);
    this.waiting.value = this.queue.size;
    if (!this.running) this.plan(GATHER_MS);
  }

  drop(parcel: Parcel): void {
    this.queue.delete(parcel);
    this.waiting.value = this.queue.size;
  }

  /** Try at once: the line is back, or somebody waits. Resolves when the round is over. */
  now(): Promise<void> {
    if (this.closed) return Promise.resolve();
    this.cancel?.();
    this.cancel = null;
    this.running ??= this.round().finally(() => {
      this.running = null;
      this.busy.value = false;
      if (this.queue.size > 0 && !this.signedOut.value) this.plan(this.failures > 0 ? this.retryMs() : GATHER_MS);
    });
    return this.running;
  }

  /** Somebody signed in again. */
  resume(): void {
    this.signedOut.value = false;
    void this.now();
  }

  close(): void {
    this.closed = true;
    this.cancel?.();
    this.queue.clear();
  }

  private plan(delayMs: number): void {
    if (this.cancel || this.closed || this.signedOut.value) return;
    this.cancel = this.later(() => {
      this.cancel = null;
      void this.now();
    }, delayMs);
  }

  private retryMs(): number {
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.failures - 1));
    return longest * (0.5 + this.random() / 2);
  }

  private async round(): Promise<void> {
    this.busy.value = true;
    let stuck = false;
    for (const parcel of [...this.queue]) {
      const outcome = await this.carry(parcel);
      if (this.closed) return;
      if (outcome === "later" || outcome === "signed-out") {
        this.signedOut.value = outcome === "signed-out";
        this.offline.value = outcome === "later";
        this.failures += outcome === "later" ? 1 : 0;
        return;
      }
      stuck ||= outcome === "stuck";
    }
    this.offline.value = false;
    this.failures = stuck ? this.failures + 1 : 0;
  }

  private async carry(parcel: Parcel): Promise<Outcome> {
    let outcome: Outcome;
    let turns = 0;
    do {
      this.touched.delete(parcel);
      outcome = await parcel.push();
    } while (outcome === "again" && !this.closed && ++turns < MOST_TURNS);
    if (outcome === "done" && !this.touched.has(parcel)) this.queue.delete(parcel);
    this.waiting.value = this.queue.size;
    return outcome === "again" ? "stuck" : outcome;
  }
}

function afterwards(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
