import { computed, signal } from "@preact/signals";

import { images, tasks } from "../api/client";
import { type Problem, toProblem } from "../api/problem";
import type { Task } from "../api/types";
import { outbox } from "../app/session";
import type { Bench } from "./bench";
import { faults } from "./faults";
import type { Walk } from "./walk";

/** So many of the last images handed in stay in the strip. */
const KEPT = 3;

export interface Handed {
  task: Task;
  kind: "submit" | "skip";
  /** A reviewer has opened it, or it went on: it cannot be taken back any more. */
  gone: boolean;
}

/** Handing images in: the next one is there at once, the box hears of it afterwards. */
export class Handing {
  readonly handed = signal<readonly Handed[]>([]);
  readonly problem = signal<Problem | null>(null);
  readonly latest = computed(() => this.handed.value[0] ?? null);
  private readonly bench: Bench;
  private readonly walk: Walk;

  constructor(bench: Bench, walk: Walk) {
    this.bench = bench;
    this.walk = walk;
  }

  /** Submit what is on the bench; something invalid is shown and said instead. */
  submit(): void {
    const { bench } = this;
    const editor = bench.editor;
    if (!editor) return;
    const found = faults(bench.annotations.value, bench.labels.value, editor.size);
    const [first, ...others] = found;
    if (first) {
      bench.session.select(first.id);
      bench.look(first.id);
      bench.notice.value = others.length > 0 ? `${first.words} ${others.length} more after it.` : first.words;
      return;
    }
    this.hand("submit", null);
  }

  skip(reason: string): void {
    this.hand("skip", reason);
  }

  /** Have a task on the bench again that was handed in by mistake. */
  async takeBack({ task, kind }: Handed): Promise<void> {
    this.problem.value = null;
    try {
      const { id } = this.bench.project.peek();
      const again = kind === "submit" ? await tasks.takeBack(id, task.id) : await tasks.take(id, task.id);
      this.bench.pictures.forget(task.image_id);
      this.forget(task.id);
      this.walk.back(again);
    } catch (error) {
      this.problem.value = toProblem(error);
      await this.check();
    }
  }

  /** See whether a reviewer has opened what was handed in. */
  async check(): Promise<void> {
    for (const one of this.handed.value.filter(({ gone }) => !gone)) {
      if (outbox.value?.intents.value.some((intent) => intent.taskId === one.task.id)) continue;
      const now = await images.get(this.bench.project.peek().id, one.task.image_id).catch(() => null);
      if (now && isGone(one, now.task)) this.handed.value = this.handed.value.map((other) => (other === one ? { ...one, gone: true } : other));
    }
  }

  /** Whether the box has heard of it yet. */
  underway(one: Handed): boolean {
    return outbox.value?.intents.value.some((intent) => intent.taskId === one.task.id) ?? false;
  }

  private hand(kind: "submit" | "skip", reason: string | null): void {
    const { bench, walk } = this;
    const [task, desk] = [walk.task.value, bench.desk.value];
    if (!task || !desk || !bench.editor) return;
    this.problem.value = null;
    this.handed.value = [{ task, kind, gone: false }, ...this.handed.value.filter((one) => one.task.id !== task.id)].slice(0, KEPT);
    walk.advance();
    desk
      .hand(kind, task, reason)
      .then(
        () => walk.told(task),
        () => {
          // Why it was refused is told wherever the person is by then.
          this.forget(task.id);
          walk.back(task);
        },
      )
      .then(() => walk.settle())
      .catch(() => undefined);
  }

  private forget(taskId: number): void {
    this.handed.value = this.handed.value.filter((one) => one.task.id !== taskId);
  }
}

function isGone({ kind, task }: Handed, now: Task): boolean {
  if (kind === "skip") return now.state !== "skipped";
  return now.round !== task.round || !(now.state === "done" || (now.state === "in_review" && now.reviewer_id === null));
}
