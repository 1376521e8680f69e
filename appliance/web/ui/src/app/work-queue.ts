import { signal } from "@preact/signals";

import { tasks, type WorkRole } from "../api/client";
import { Problem, toProblem } from "../api/problem";
import type { Task, TaskState } from "../api/types";
import { me } from "./session";

const AHEAD = 12;

type Calls = Pick<typeof tasks, "next" | "list" | "take">;

/**
 * The tasks one person works through. The next ones are known ahead, so that their pictures are
 * there; the box is told afterwards, and a task somebody else took meanwhile is passed over.
 */
export class WorkQueue {
  readonly current = signal<Task | null>(null);
  readonly ahead = signal<readonly Task[]>([]);
  /** False until the box has answered once. */
  readonly known = signal(false);
  readonly problem = signal<Problem | null>(null);
  private readonly projectId: number;
  private readonly role: WorkRole;
  private readonly calls: Calls;
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
      const found = picked ?? (await this.calls.next(this.projectId, this.role));
      if (moves === this.moves) this.current.value = found;
      this.known.value = true;
      await this.fill();
    });
  }

  /** Go on: the next known task is there at once. `finished` ones do not come back. */
  advance(finished = true): Task | null {
    this.moves++;
    const left = this.current.value;
    if (left && finished) this.finished.add(left.id);
    const [next, ...rest] = this.ahead.value;
    this.current.value = next ?? null;
    this.ahead.value = rest;
    return this.current.value;
  }

  /** Tell the box what is worked on now, and look further ahead. Call after the last verdict is in. */
  async settle(): Promise<void> {
    await this.guard(async () => {
      const [now, moves] = [this.current.value, this.moves];
      if (!now) {
        const found = this.fresh(await this.calls.next(this.projectId, this.role));
        if (moves === this.moves) this.current.value = found;
      } else if (this.role === "annotate") await this.take(now);
      await this.fill();
    });
  }

  /** Put a task back in front, as after its verdict was withdrawn. */
  back(task: Task): void {
    this.moves++;
    this.finished.delete(task.id);
    const now = this.current.value;
    if (now && now.id !== task.id) this.ahead.value = [now, ...this.ahead.value.filter((one) => one.id !== task.id)];
    this.current.value = task;
  }

  /** Learn of new work while idle; while busy only what is ahead is looked at again. */
  async refresh(): Promise<void> {
    if (this.current.value) await this.guard(() => this.fill());
    else await this.start();
  }

  private async take(task: Task): Promise<void> {
    try {
      const taken = await this.calls.take(this.projectId, task.id);
      if (this.current.value?.id === task.id) this.current.value = taken;
    } catch (error) {
      const passed = error instanceof Problem && [403, 404, 409].includes(error.status);
      if (!passed) throw error;
      if (this.current.value?.id !== task.id) return;
      this.advance();
      await this.settle();
    }
  }

  private fresh(task: Task | null): Task | null {
    return task && !this.finished.has(task.id) ? task : null;
  }

  private async fill(): Promise<void> {
    // In the order in which the box hands them out: returned work comes before new work.
    const states: readonly TaskState[] = this.role === "review" ? ["in_review"] : ["returned", "open"];
    const pages = await Promise.all(
      states.map((state) => this.calls.list(this.projectId, { state, limit: AHEAD + 2 })),
    );
    const now = this.current.value;
    const mine = (task: Task): boolean => this.role === "review" || [null, me.value?.id].includes(task.assignee_id);
    this.ahead.value = pages
      .flatMap((page) => page.items)
      .filter((task) => task.id !== now?.id && !this.finished.has(task.id) && mine(task))
      .slice(0, AHEAD);
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
