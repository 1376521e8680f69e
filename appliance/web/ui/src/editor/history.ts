import { type Change, invert } from "./document";

/** The steps of one image that can be undone and redone. */
export class History {
  private past: Change[] = [];
  private future: Change[] = [];

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  push(change: Change): void {
    if (change.size === 0) return;
    this.past.push(change);
    this.future = [];
  }

  /** The change that takes the last step back, or null. */
  undo(): Change | null {
    const step = this.past.pop();
    if (!step) return null;
    this.future.push(step);
    return invert(step);
  }

  redo(): Change | null {
    const step = this.future.pop();
    if (!step) return null;
    this.past.push(step);
    return step;
  }
}
