import { signal } from "@preact/signals";

import { tasks, type WorkRole } from "../api/client";
import { Problem, toProblem } from "../api/problem";
import type { Task } from "../api/types";
import { me } from "./session";

const AHEAD = 12;
/** So many of the next tasks are leased with the present one: their pictures are decoded already. */
const LEASED = 2;

type Calls = Pick<typeof tasks, "next" | "queue" | "takeIfFree">;

/** Its image is gone, or the right to it. */
const GONE = [403, 404];

/**
 * The tasks one person works through. The next ones are known ahead, so that their pictures are
 * there; the box is told afterwards, and a task somebody else took meanwhile is passed over.
 */
export class WorkQueue {
  readonly current = signal<Task | null>(null);
  readonly ahead = signal<readonly Task[]>([]);
  /** Left without handing them in, the last one at the end. */
  readonly past = signal<readonly Task[]>([]);
  /** False until the box has answered once. */
  readonly known = signal(false);
  readonly problem = signal<Problem | null>(null);
  private readonly projectId: number;
  private readonly role: WorkRole;
  private readonly calls: Calls;
  /** Handed in, and the box has not answered yet: what it says of them meanwhile is old. */
  private readonly finished = new Set<number>();
  /** Counts the moves of the person: an answer asked for before the last one comes too late. */
  private moves = 0;

  constructor(projectId: number, role: WorkRole, calls: Calls = tasks) {
    this.projectId = projectId;
    this.role = role;
    this.calls = calls;
  }

  /** Ask the box for the first task, or begin with one that somebody picked. */
  async start(picked?: Task): Promise<void> {
    await this.guard(async () => {
      const moves = this.moves;
      const found = picked ?? this.fresh(await this.calls.next(this.projectId, this.role));
      if (moves === this.moves) this.current.value = found;
      this.known.value = true;
      await this.fill();
    });
  }

  /** Go on from what is finished: the next known task is there at once, and this one comes back only as new work. */
  advance(): Task | null {
    if (this.current.value) this.finished.add(this.current.value.id);
    return this.show(this.ahead.value[0] ?? null, this.ahead.value.slice(1));
  }

  /** The box has answered: should the task come again, as after a review, it is work again. */
  told(task: Task): void {
    // What was asked for before this does not know of it.
    if (this.finished.delete(task.id)) this.moves++;
  }

  /** Look at the next one; this one waits. False at the end. */
  next(): boolean {
    const [next, ...rest] = this.ahead.value;
    if (!next) return false;
    if (this.current.value) this.past.value = [...this.past.value, this.current.value];
    this.show(next, rest);
    return true;
  }

  /** Look at the one before again; false at the beginning. */
  previous(): boolean {
    const last = this.past.value.at(-1);
    if (!last) return false;
    const now = this.current.value;
    this.past.value = this.past.value.slice(0, -1);
    this.show(last, now ? [now, ...this.ahead.value] : this.ahead.value);
    return true;
  }

  /** Tell the box what is worked on now, and look further ahead. Call after the last verdict is in. */
  async settle(): Promise<void> {
    await this.guard(async () => {
      const [now, moves] = [this.current.value, this.moves];
      if (!now) {
        const found = this.fresh(await this.calls.next(this.projectId, this.role));
        if (moves === this.moves) this.current.value = found;
      } else if (!this.leased(now)) await this.take(now);
      await this.fill();
    });
  }

  /** Put a task back in front, as after its verdict was withdrawn. */
  back(task: Task): void {
    this.finished.delete(task.id);
    const now = this.current.value;
    const others = (all: readonly Task[]): Task[] => all.filter((one) => one.id !== task.id);
    this.past.value = others(this.past.value);
    this.show(task, now && now.id !== task.id ? [now, ...others(this.ahead.value)] : others(this.ahead.value));
  }

  /** Learn of new work while idle; while busy only what is ahead is looked at again. */
  async refresh(): Promise<void> {
    if (this.current.value) await this.guard(() => this.fill());
    else await this.start();
  }

  /** The box answers again: ask for what it did not say. */
  async mend(): Promise<void> {
    if (!this.problem.value?.transient) return;
    await (this.known.value ? this.settle() : this.start());
  }

  private show(task: Task | null, ahead: readonly Task[]): Task | null {
    this.moves++;
    this.current.value = task;
    this.ahead.value = ahead;
    return task;
  }

  private leased(task: Task): boolean {
    return this.role === "annotate" && task.state === "in_progress" && task.assignee_id === (me.value?.id ?? null);
  }

  private async take(task: Task): Promise<void> {
    const taken = await this.asked(task);
    if (this.current.value?.id !== task.id) return;
    if (taken) {
      this.current.value = taken;
      return;
    }
    this.advance();
    await this.settle();
  }

  /** Lease what comes next; what somebody else has is no longer ahead. */
  private async lease(): Promise<void> {
    for (const task of this.ahead.value.slice(0, LEASED)) {
      if (this.leased(task)) continue;
      const taken = await this.asked(task);
      this.ahead.value = this.ahead.value.flatMap((one) => (one.id === task.id ? (taken ?? []) : one));
    }
  }

  /** Ask for a task; null where it cannot be had any more. */
  private async asked(task: Task): Promise<Task | null> {
    try {
      return await this.calls.takeIfFree(this.projectId, task.id, this.role);
    } catch (error) {
      if (error instanceof Problem && GONE.includes(error.status)) return null;
      throw error;
    }
  }

  private fresh(task: Task | null): Task | null {
    return task && !this.finished.has(task.id) ? task : null;
  }

  private async fill(): Promise<void> {
    const moves = this.moves;
    const waiting = await this.calls.queue(this.projectId, this.role, AHEAD + this.past.value.length + 2);
    if (moves !== this.moves) return;
    const passed = new Set([this.current.value, ...this.past.value].map((task) => task?.id));
    const found = waiting.filter((task) => !passed.has(task.id) && !this.finished.has(task.id));
    // What the person has seen ahead stays in its order.
    const byId = new Map(found.map((task) => [task.id, task]));
    const kept = this.ahead.value.flatMap((task) => byId.get(task.id) ?? []);
    const known = new Set(kept.map((task) => task.id));
    this.ahead.value = [...kept, ...found.filter((task) => !known.has(task.id))].slice(0, AHEAD);
    if (this.role === "annotate") await this.lease();
  }

  private async guard(act: () => Promise<void>): Promise<void> {
    try {
      this.problem.value = null;
      await act();
    } catch (error) {
      this.problem.value = toProblem(error);
    }
  }
}
