import { comments } from "../api/client";
import { type Problem, toProblem } from "../api/problem";
import type { Thread } from "../api/types";
import type { Remark } from "../editor/journal";
import type { Parcel } from "../editor/post";
import type { Outcome } from "../editor/saver";

interface Options {
  done: (thread: Thread) => void;
  refused: (problem: Problem) => void;
  add?: typeof comments.add;
}

/** A comment on its way; sent again with its key until the box says yes or no, so that it is there once. */
export class RemarkParcel implements Parcel {
  readonly remark: Remark;
  private readonly options: Options;

  constructor(remark: Remark, options: Options) {
    this.remark = remark;
    this.options = options;
  }

  async push(): Promise<Outcome> {
    const { projectId, imageId, comment } = this.remark;
    try {
      this.options.done(await (this.options.add ?? comments.add)(projectId, imageId, comment));
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status === 401) return "signed-out";
      if (problem.transient) return "later";
      if (problem.status >= 500) return "stuck";
      this.options.refused(problem);
    }
    return "done";
  }
}
