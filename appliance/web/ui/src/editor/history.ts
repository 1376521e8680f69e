import type { ImageDocument } from "./document";
import { type Change, compose, invert } from "./document";
import { replayed, type Replay } from "./replay";

/** A place in the past to which a gesture can be squashed or bailed out. */
export type Mark = number;

/**
 * The steps of one image that can be undone and redone, as many as there are.
 *
 * A step is what this person changed. Others change the document in between; undoing then takes
 * back what is still as the step left it (see `replayed`).
 */
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

  mark(): Mark {
    return this.past.length;
  }

  /** Make one step of all since the mark; none when they come to nothing. */
  squash(mark: Mark): void {
    if (this.past.length - mark < 2) return;
    const whole = this.past.splice(mark).reduce(compose);
    if (whole.size > 0) this.past.push(whole);
  }

  /** Forget the steps since the mark; returns the change that takes them back. */
  bail(mark: Mark, document: ImageDocument): Replay {
    const steps = this.past.splice(mark);
    return replayed(document, steps.length > 0 ? invert(steps.reduce(compose)) : new Map());
  }

  /** The change that takes the last step back, and what others left no room for; null at the beginning. */
  undo(document: ImageDocument): Replay | null {
    const step = this.past.pop();
    if (!step) return null;
    const replay = replayed(document, invert(step));
    if (replay.change.size > 0) this.future.push(invert(replay.change));
    return replay;
  }

  redo(document: ImageDocument): Replay | null {
    const step = this.future.pop();
    if (!step) return null;
    const replay = replayed(document, step);
    if (replay.change.size > 0) this.past.push(replay.change);
    return replay;
  }
}
