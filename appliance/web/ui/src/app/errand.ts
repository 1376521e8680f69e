import { images, tasks } from "../api/client";
import { Problem, toProblem } from "../api/problem";
import type { Task } from "../api/types";
import { isPrediction } from "../editor/document";
import type { Intent } from "../editor/journal";
import type { Parcel } from "../editor/post";
import type { Outcome, Saver } from "../editor/saver";

interface Options {
  userId: number;
  /** Send what has to be there first. */
  before: () => Promise<Outcome>;
  saver: () => Saver | undefined;
  done: (task: Task | null) => void;
  refused: (problem: Problem) => void;
  calls?: { submit: typeof tasks.submit; skip: typeof tasks.skip; image: typeof images.get; annotations: typeof images.annotations };
}

const BOX = { submit: tasks.submit, skip: tasks.skip, image: images.get, annotations: images.annotations };

/** A submission or a skip on its way: after the changes it covers, until the box says yes or no. */
export class Errand implements Parcel {
  readonly intent: Intent;
  private readonly options: Options;
  private revision: number;

  constructor(intent: Intent, options: Options) {
    this.intent = intent;
    this.options = options;
    this.revision = intent.revision;
  }

  async push(): Promise<Outcome> {
    const outcome = await this.options.before();
    if (outcome !== "done") return outcome;
    const saver = this.options.saver();
    if (saver && saver.unsentCount > 0) return this.refuse(saver.problem.value ?? toProblem("Some changes are not saved."));
    // Work that came too late is no part of the image: submitting it would say otherwise.
    if (saver && saver.late.value > 0) return this.refuse(new Problem(409, { code: "conflict", detail: "The image was handed in by somebody else meanwhile." }));
    this.revision = Math.max(this.revision, saver?.document.revision ?? 0);
    try {
      this.options.done(await this.tell());
      return "done";
    } catch (error) {
      return await this.fail(toProblem(error));
    }
  }

  private tell(): Promise<Task> {
    const { kind, projectId, taskId, reason, activeMs } = this.intent;
    const calls = this.options.calls ?? BOX;
    return kind === "submit" ? calls.submit(projectId, taskId, this.revision, activeMs) : calls.skip(projectId, taskId, reason ?? "skipped");
  }

  private async fail(problem: Problem): Promise<Outcome> {
    if (problem.status === 401) return "signed-out";
    if (problem.transient) return "later";
    if (problem.status >= 500) return "stuck";
    try {
      if (problem.code === "stale-revision" && (await this.onlyOursIsNew())) return "again";
      if (problem.code === "conflict" && (await this.wasTold())) return "done";
    } catch (error) {
      const why = toProblem(error);
      if (why.status === 401) return "signed-out";
      if (why.transient) return "later";
    }
    return this.refuse(problem);
  }

  /** A model's work, or what this person saved from elsewhere, is no reason to look again. */
  private async onlyOursIsNew(): Promise<boolean> {
    const { projectId, imageId } = this.intent;
    const now = await (this.options.calls ?? BOX).annotations(projectId, imageId);
    const fresh = now.annotations.filter((one) => one.revision > this.revision);
    if (now.revision === this.revision || !fresh.every((one) => isPrediction(one) || one.author_id === this.options.userId)) return false;
    this.revision = now.revision;
    return true;
  }

  /** The answer to the first try may have been lost. */
  private async wasTold(): Promise<boolean> {
    const { projectId, imageId, kind } = this.intent;
    const { task } = await (this.options.calls ?? BOX).image(projectId, imageId);
    const told = kind === "submit" && ["in_review", "done"].includes(task.state) && task.assignee_id === this.options.userId;
    if (told) this.options.done(task);
    return told;
  }

  private refuse(problem: Problem): Outcome {
    this.options.refused(problem);
    return "done";
  }
}
