import { signal } from "@preact/signals-core";

import type { Camera, Point } from "./camera";
import type { Shape } from "./render/shapes";

export type ToolName = "select" | "box" | "rotated_box" | "polygon" | "polyline" | "keypoints" | "brush" | "eraser" | "segment";
export type ColorBy = "label" | "instance" | "author" | "status";
export type Surround = "black" | "grey" | "white";
/** Lines across the view where a draw tool points, or only the pointer. */
export type Crosshair = "lines" | "pointer";

/** What a smart segment becomes. */
export type SegmentAs = "polygon" | "mask";

/** Who answers the clicks of smart segment, and how it stands with the last ones. */
export interface Answering {
  /** The name of what answered last; null before the first answer. */
  readonly segmenter: string | null;
  readonly busy: boolean;
  /** Why there is no answer, in words. */
  readonly trouble: string | null;
}

/** Factors of 1 leave the picture as it is. */
export interface Adjustment {
  brightness: number;
  contrast: number;
  gamma: number;
}

export const NO_ADJUSTMENT: Adjustment = { brightness: 1, contrast: 1, gamma: 1 };

const NONE: ReadonlySet<string> = new Set();

/**
 * What somebody looks at and works with; never in the history.
 *
 * One for an open page: tool, label and threshold stay from image to image. Ids of annotations
 * are unique over all images, so their sets need not be emptied between them.
 */
export class EditorSession {
  readonly tool = signal<ToolName>("select");
  readonly labelId = signal(0);
  readonly selection = signal(NONE);
  readonly hovered = signal<string | null>(null);
  readonly hidden = signal(NONE);
  readonly locked = signal(NONE);
  /** Drawn crossed out, as for a verdict that is not given yet. */
  readonly struck = signal(NONE);
  /** Drawn over the annotations without being any, as work that came too late. */
  readonly ghosts = signal<readonly Shape[]>([]);
  readonly hiddenAll = signal(false);
  /** Predictions below this confidence are not shown. */
  readonly threshold = signal(0);
  readonly colorBy = signal<ColorBy>("label");
  readonly surround = signal<Surround>("black");
  /** Names beside shapes. */
  readonly names = signal(true);
  readonly crosshair = signal<Crosshair>("lines");
  readonly adjustment = signal(NO_ADJUSTMENT);
  readonly camera = signal<Camera>({ x: 0, y: 0, scale: 1 });
  /** Where the pointer is, in pixels of the image; null outside the canvas. */
  readonly pointer = signal<Point | null>(null);
  /** The size of what is being drawn, in words; null when nothing is. */
  readonly measured = signal<string | null>(null);
  /** Radius of brush and eraser, in pixels of the image. */
  readonly brush = signal(12);
  readonly segmentAs = signal<SegmentAs>("polygon");
  /** How far, in pixels of the image, the outline of a smart segment may move to save vertices. */
  readonly tolerance = signal(1.5);
  readonly answering = signal<Answering>({ segmenter: null, busy: false, trouble: null });
  /** A harder pressed pen paints wider. */
  readonly pressure = signal(true);
  /** What fingers do: they only move the picture once a pen has drawn. */
  readonly fingers = signal<"draw" | "pan">("draw");
  /** What dragging from an empty place does with the select tool and a mouse. */
  readonly dragEmpty = signal<"pan" | "marquee">("pan");
  /** The draw tool that was used last, to be taken up again. */
  readonly lastDraw = signal<ToolName>("box");
  /** Half-drawn shapes by image and tool: they wait for the return. */
  readonly drafts = new Map<string, unknown>();

  /** Hide these, or show them when all of them are hidden. */
  toggleHidden(ids: Iterable<string>): void {
    this.hidden.value = toggled(this.hidden.value, ids);
  }

  /** Lock these against every change, or unlock them when all of them are locked. */
  toggleLocked(ids: Iterable<string>): void {
    this.locked.value = toggled(this.locked.value, ids);
  }

  select(...ids: string[]): void {
    this.selection.value = new Set(ids);
  }

  /** Select what a click met, or with `more` add it to the selection or take it out; null met nothing. */
  click(id: string | null, more: boolean): void {
    const { value } = this.selection;
    if (!more) this.select(...(id ? [id] : []));
    else if (id) this.select(...[...value].filter((one) => one !== id), ...(value.has(id) ? [] : [id]));
  }

  /** The id when exactly one annotation is selected. */
  get single(): string | null {
    const [first, second] = this.selection.value;
    return second === undefined ? (first ?? null) : null;
  }
}

/** All of them in, or all of them out when they were in. */
export function toggled(set: ReadonlySet<string>, ids: Iterable<string>): ReadonlySet<string> {
  const all = [...ids];
  const out = all.every((id) => set.has(id));
  const next = new Set(set);
  for (const id of all) {
    if (out) next.delete(id);
    else next.add(id);
  }
  return next;
}
