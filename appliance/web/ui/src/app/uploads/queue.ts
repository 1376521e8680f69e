import { signal } from "@preact/signals-core";

import { offline, Problem, toProblem } from "../../api/problem";
import { Group } from "./group";
import type { Transfer, TransferState } from "./transfer";

/** What the box made of a file. */
export interface Outcome {
  state: TransferState;
  problem: Problem | null;
}

/** Send a file, going on where it broke off; a `Problem` says why it did not come through. */
export type Send = (transfer: Transfer, listen: Listener, signal: AbortSignal) => Promise<Outcome>;

export interface Listener {
  progress: (bytes: number) => void;
  began: (url: string) => void;
}

/** Why nothing is sent at present. */
export type Halt = "offline" | "signed-out" | "full" | "paused";

/** The queue as a page shows it. */
export interface Seen {
  group: (projectId: number) => Group;
}

interface Options {
  /** Resolves when the box answers. */
  answers: () => Promise<unknown>;
  wait?: (ms: number) => Promise<void>;
  nowMs?: () => number;
}

/** The file was moved or changed since it was chosen. */
export class Unreadable extends Error {}

const AT_ONCE = 4;
const TELL_MS = 150;
const TRIES = 6;
const PROBE_MS = 2_000;
const LONGEST_MS = 15_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Sends files, four at once, whatever their number. What a second try may mend is tried again; when
 * the box is away everything waits and goes on by itself. `seen` is told anew at most a few times a second.
 */
export class Queue {
  readonly seen = signal<Seen>({ group: (projectId) => this.group(projectId) });
  readonly halt = signal<Halt | null>(null);
  /** Called for each file that is settled or lost; may be replaced. */
  onSettled: (transfer: Transfer) => void = () => undefined;
  onBegan: (transfer: Transfer) => void = () => undefined;
  private readonly groups = new Map<number, Group>();
  private readonly running = new Map<number, AbortController>();
  private readonly send: Send;
  private readonly options: Required<Options>;
  private telling = false;
  private probing = false;
  private epoch = 0;

  constructor(send: Send, options: Options) {
    this.send = send;
    this.options = { wait: sleep, nowMs: () => Date.now(), ...options };
  }

  group(projectId: number): Group {
    let found = this.groups.get(projectId);
    if (!found) this.groups.set(projectId, (found = new Group()));
    return found;
  }

  add(transfers: readonly Transfer[]): void {
    for (const transfer of transfers) this.group(transfer.projectId).add(transfer);
    this.pump();
    this.tell();
  }

  retry(transfers: readonly Transfer[]): void {
    for (const transfer of transfers) {
      if (transfer.state !== "failed" && transfer.state !== "lost") continue;
      Object.assign(transfer, { problem: null, tries: 0 });
      this.group(transfer.projectId).move(transfer, "waiting");
    }
    this.go();
    this.tell();
  }

  /** Forget files; what is under way is broken off. */
  drop(transfers: readonly Transfer[]): void {
    for (const transfer of transfers) {
      this.group(transfer.projectId).remove(transfer);
      transfer.state = "dropped";
      this.running.get(transfer.id)?.abort();
    }
    this.pump();
    this.tell();
  }

  /** Forget everything, as when somebody else signs in. */
  reset(): void {
    this.epoch++;
    for (const controller of this.running.values()) controller.abort();
    this.running.clear();
    this.groups.clear();
    this.halt.value = null;
    this.tell();
  }

  pause(why: Halt = "paused"): void {
    this.halt.value = why;
    for (const controller of this.running.values()) controller.abort();
    if (why === "offline") void this.probe();
  }

  go(): void {
    this.halt.value = null;
    this.pump();
    this.tell();
  }

  private pump(): void {
    while (this.halt.value === null && this.running.size < AT_ONCE) {
      const next = this.next();
      if (!next) return;
      this.group(next.projectId).move(next, "sending");
      const controller = new AbortController();
      this.running.set(next.id, controller);
      void this.run(next, controller.signal, this.epoch);
    }
  }

  private next(): Transfer | undefined {
    for (const group of this.groups.values()) {
      const found = group.first("waiting");
      if (found) return found;
    }
    return undefined;
  }

  private async run(transfer: Transfer, stop: AbortSignal, epoch: number): Promise<void> {
    const group = this.group(transfer.projectId);
    const listen: Listener = {
      progress: (bytes) => {
        if (stop.aborted) return;
        group.progress(transfer, bytes);
        this.tell();
      },
      began: (url) => {
        transfer.url = url;
        this.onBegan(transfer);
      },
    };
    let after: () => Promise<void> | void;
    try {
      const outcome = await this.send(transfer, listen, stop);
      after = () => this.settle(transfer, outcome.state, outcome.problem);
    } catch (error) {
      after = () => this.failed(transfer, error, stop);
    }
    if (epoch !== this.epoch) return;
    this.running.delete(transfer.id);
    if (group.all.has(transfer.id)) await after();
    this.pump();
    this.tell();
  }

  private settle(transfer: Transfer, state: TransferState, problem: Problem | null): void {
    transfer.problem = problem;
    this.group(transfer.projectId).move(transfer, state);
    this.onSettled(transfer);
  }

  private async failed(transfer: Transfer, error: unknown, stop: AbortSignal): Promise<void> {
    const again = (): void => this.group(transfer.projectId).move(transfer, "waiting");
    if (error instanceof Unreadable) return this.settle(transfer, "lost", null);
    if (stop.aborted) return again();
    const problem = error instanceof Problem ? error : toProblem(error);
    const why = halting(problem);
    if (why) {
      again();
      if (this.halt.value === null) this.pause(why);
      return;
    }
    if (!mendable(problem) || ++transfer.tries >= TRIES) return this.settle(transfer, "failed", problem);
    const epoch = this.epoch;
    await this.options.wait(Math.min(500 * 2 ** transfer.tries, LONGEST_MS));
    if (epoch === this.epoch && this.group(transfer.projectId).all.has(transfer.id)) again();
  }

  /** Ask until the box answers, then go on. */
  private async probe(): Promise<void> {
    if (this.probing) return;
    this.probing = true;
    for (let ms = PROBE_MS / 4; this.halt.value === "offline"; ms = Math.min(ms * 2, PROBE_MS * 2)) {
      await this.options.wait(ms);
      const up = await this.options.answers().then(() => true, (error: unknown) => !isOffline(error));
      if (up && this.halt.value === "offline") this.go();
    }
    this.probing = false;
  }

  private tell(): void {
    if (this.telling) return;
    this.telling = true;
    setTimeout(() => {
      this.telling = false;
      const now = this.options.nowMs();
      for (const group of this.groups.values()) group.sample(now);
      this.seen.value = { group: (projectId) => this.group(projectId) };
    }, TELL_MS);
  }
}

const isOffline = (error: unknown): boolean => error instanceof Problem && error.code === offline().code;

function halting(problem: Problem): Halt | null {
  if (isOffline(problem)) return "offline";
  if (problem.status === 401) return "signed-out";
  return problem.status === 507 ? "full" : null;
}

const mendable = (problem: Problem): boolean => problem.transient || [409, 423, 460].includes(problem.status);
