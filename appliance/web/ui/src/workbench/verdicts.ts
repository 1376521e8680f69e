import { computed, signal } from "@preact/signals";

import { images, tasks } from "../api/client";
import { type Problem, toProblem } from "../api/problem";
import type { Task, Verdict } from "../api/types";
import type { Desk } from "../app/desk";
import { me } from "../app/session";
import type { QueueWalk } from "./walk";

const AGAIN_MS = 2_000;

export interface Given {
  task: Task;
  verdict: "approve" | "return";
  reason?: string;
  /** How long the reviewer was at it. */
  activeMs: number;
}

interface Options {
  projectId: number;
  walk: QueueWalk;
  /** What is kept of the image is out of date. */
  forget: (imageId: number) => void;
  /** How long the reviewer was at the image since the last verdict on it, in milliseconds. */
  spent: (imageId: number) => number;
  later?: (run: () => void, delayMs: number) => void;
}

/**
 * Verdicts of one sitting: the next image is there at once, the box hears them in their order.
 *
 * One that cannot reach the box waits and is sent again; one that the box refuses brings its image
 * back, with the reason. So none is lost without a word.
 */
export class Verdicts {
  /** The newest first. */
  readonly given = signal<readonly Given[]>([]);
  readonly problem = signal<Problem | null>(null);
  /** Not answered yet. */
  readonly unsent = signal(0);
  readonly approved = computed(() => this.given.value.filter((one) => one.verdict === "approve").length);
  private readonly options: Options;
  private sending: Promise<unknown> = Promise.resolve();

  constructor(options: Options) {
    this.options = options;
  }

  /** Judge what is on the desk as it is there now, with what the reviewer changed of it. */
  give(task: Task, desk: Desk, verdict: "approve" | "return", rejected: Iterable<string>, reason?: string): void {
    const { walk } = this.options;
    const verdicts = [...rejected].map((id): Verdict => ({ annotation_id: id, verdict: "reject" }));
    const given: Given = { task, verdict, reason, activeMs: this.options.spent(task.image_id) };
    const seen = desk.saver.unsentCount === 0 ? desk.document.revision : null;
    this.given.value = [given, ...this.given.value];
    this.problem.value = null;
    this.queue(async () => {
      try {
        await this.send(given, desk, seen, verdicts);
        walk.told(task);
      } catch (error) {
        this.comeBack(given, desk, toProblem(error));
      }
    });
    walk.advance();
  }

  /** Take the last verdict back; its image is on the desk again. */
  withdraw(): void {
    const [last] = this.given.value;
    if (!last) return;
    const { projectId, walk, forget } = this.options;
    this.given.value = this.given.value.slice(1);
    this.queue(async () => {
      try {
        const task = await tasks.withdraw(projectId, last.task.id);
        forget(last.task.image_id);
        walk.back(task);
      } catch (error) {
        this.problem.value = toProblem(error);
      }
    });
  }

  /** Run once the box has answered all. */
  after(then: () => void): void {
    const { sending } = this;
    void sending.then(() => (sending === this.sending ? then() : this.after(then)));
  }

  private queue(act: () => Promise<void>): void {
    this.unsent.value++;
    this.sending = this.sending
      .then(act)
      .finally(() => this.unsent.value--)
      .then(() => (this.unsent.value === 0 ? this.options.walk.settle() : undefined));
  }

  private async send({ task, verdict, reason, activeMs }: Given, desk: Desk, seen: number | null, verdicts: Verdict[]): Promise<void> {
    for (;;) {
      try {
        await desk.saver.flush();
        const said = { revision: seen ?? desk.document.revision, verdict, reason, verdicts };
        await tasks.review(this.options.projectId, task.id, said, activeMs);
        return;
      } catch (error) {
        const problem = toProblem(error);
        if (problem.code === "conflict" && (await this.wasTold(task, verdict))) return;
        if (!problem.transient && problem.status !== 401) throw problem;
        this.problem.value = problem;
        await this.pause();
        this.problem.value = null;
      }
    }
  }

  /** The answer to the first try may have been lost. */
  private async wasTold(task: Task, verdict: Given["verdict"]): Promise<boolean> {
    const found = await images.get(this.options.projectId, task.image_id).catch(() => null);
    const state = verdict === "approve" ? "done" : "returned";
    return found?.task.state === state && found.task.reviewer_id === (me.value?.id ?? null);
  }

  private comeBack(given: Given, desk: Desk, problem: Problem): void {
    this.problem.value = problem;
    this.given.value = this.given.value.filter((one) => one !== given);
    if (problem.code === "stale-revision") {
      desk.saver.hear(Number(problem.details.revision) || desk.document.revision + 1);
      void desk.saver.catchUp();
    }
    this.options.forget(given.task.image_id);
    this.options.walk.back(given.task);
  }

  private pause(): Promise<void> {
    const later = this.options.later ?? ((run, delayMs) => void setTimeout(run, delayMs));
    return new Promise((go) => later(go, AGAIN_MS));
  }
}
