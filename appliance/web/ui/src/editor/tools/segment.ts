import { Problem } from "../../api/problem";
import type { Segmentation, SegmentPrompt } from "../../api/types";
import type { Box, Geometry, Mask, Polygon } from "../../geometry";
import { outline } from "../../geometry/outline";
import { type Camera, clamped, type Point } from "../camera";
import { outlined } from "../convert";
import type { Bounds } from "../shape";
import { boxBetween } from "./box";
import { CLICK_PX, commit } from "./draw";
import { pairs } from "./handles";
import { colorOf, fill, guides, sign, stroke, trace } from "./paint";
import type { Press, Tool, ToolHost } from "./tool";

type Mark = { readonly kind: "click"; readonly at: Point; readonly positive: boolean } | { readonly kind: "box"; readonly box: Box };

/** What was said of one object; the answer is that to `marks`, or to those before them. */
interface Draft {
  readonly marks: readonly Mark[];
  readonly view: Bounds;
  readonly answer: Segmentation | null;
}

const NO_MARKS: readonly Mark[] = [];
const LEAST_PX = 3;

/**
 * Click on an object and it is outlined; the right button takes away, a drag gives a box around it.
 *
 * A mark shows at once. One question is under way at a time, always about all marks: those that come
 * meanwhile are asked about when its answer is there, which is stale then and dropped.
 */
export class SegmentTool implements Tool {
  readonly guides = true;
  private readonly host: ToolHost;
  private draft: Draft | null = null;
  private press: Press | null = null;
  private to: Point | null = null;
  private pointer: Point | null = null;
  private asking: AbortController | null = null;
  /** Somebody pressed Enter before the answer was there. */
  private accepting = false;
  private drawn: { mask: Mask; tolerance: number; polygon: Polygon | null } | null = null;

  constructor(host: ToolHost) {
    this.host = host;
  }

  cursor(): string {
    return "crosshair";
  }

  down(press: Press): boolean {
    this.press = press;
    this.to = null;
    return true;
  }

  move(press: Press): void {
    this.pointer = press.kind === "touch" ? null : press.at;
    if (this.press && !this.press.secondary && strayed(this.press, press)) this.to = press.image;
    this.host.invalidate();
  }

  up(press: Press): void {
    const { press: from } = this;
    if (!from) return;
    this.move(press);
    const box = this.box();
    this.press = this.to = null;
    if (!box) this.mark({ kind: "click", at: clamped(from.image, this.host.size()), positive: !from.secondary && !from.alt });
    else if (box.x2 - box.x1 >= LEAST_PX && box.y2 - box.y1 >= LEAST_PX) this.mark({ kind: "box", box });
  }

  leave(): void {
    this.pointer = null;
  }

  cancel(): void {
    this.press = this.to = null;
  }

  drop(): boolean {
    const had = this.draft !== null;
    this.asking?.abort();
    this.asking = this.draft = this.press = this.to = null;
    this.accepting = false;
    this.tell(null);
    return had;
  }

  /** Accept the outline, or the one that is on its way. */
  finish(): boolean {
    if (!this.draft) return false;
    if (this.asking) this.accepting = true;
    else if (this.draft.answer?.mask) this.accept(this.draft.answer.mask);
    else this.ask();
    return true;
  }

  undoPoint(): boolean {
    const { draft } = this;
    if (!draft) return false;
    if (draft.marks.length === 1) return this.drop();
    this.draft = { ...draft, marks: draft.marks.slice(0, -1) };
    this.ask(null);
    return true;
  }

  key(name: string): boolean {
    if (name === "enter") return this.finish();
    if (name === "backspace" || name === "ctrl+z") return this.undoPoint();
    return name === "escape" && this.drop();
  }

  keep(): unknown {
    return this.draft;
  }

  resume(draft: unknown): void {
    this.draft = draft as Draft;
    if (this.draft.answer) this.tell(null);
    else this.ask();
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    if (this.pointer && !this.to) guides(this.host, context, this.pointer);
    const color = colorOf(this.host);
    const path = new Path2D();
    for (const ring of this.shown()?.parts.flat() ?? []) trace(camera, pairs(ring), true, path);
    fill(context, path, color, 0.3);
    stroke(context, path, color);
    const boxes = [...this.marks, ...(this.to ? [{ kind: "box", box: this.box()! } as const] : [])];
    for (const one of boxes) if (one.kind === "box") stroke(context, trace(camera, corners(one.box), true), "#fff", [5, 5]);
    for (const one of this.marks) if (one.kind === "click") sign(context, camera, one.at, one.positive);
  }

  private get marks(): readonly Mark[] {
    return this.draft?.marks ?? NO_MARKS;
  }

  /** A box takes the place of the one before. */
  private mark(mark: Mark): void {
    const before = mark.kind === "box" ? this.marks.filter(({ kind }) => kind === "click") : this.marks;
    const replaced = before.length < this.marks.length;
    const { view = this.host.visible(), answer = null } = this.draft ?? {};
    this.draft = { marks: [...before, mark], view, answer };
    this.accepting = false;
    this.ask(replaced ? null : answer);
    this.host.invalidate();
  }

  /** Ask about all marks, going on from an answer to some of them. */
  private ask(before: Segmentation | null = null): void {
    const { draft } = this;
    if (this.asking || !draft) return;
    if (!draft.marks.some((mark) => mark.kind === "box" || mark.positive)) {
      this.draft = { ...draft, answer: null };
      this.tell("Click on the object first.");
      return;
    }
    const asking = new AbortController();
    this.asking = asking;
    this.tell(null);
    this.host.segment(promptOf(draft, before, this.host.size()), asking.signal).then(
      (answer) => this.settle(asking, draft, answer),
      (error: unknown) => this.fail(asking, draft, error),
    );
  }

  private settle(asking: AbortController, asked: Draft, answer: Segmentation): void {
    if (this.asking !== asking || !this.draft) return;
    this.asking = null;
    if (this.draft.marks !== asked.marks) {
      this.ask(goesOn(this.draft.marks, asked.marks) ? answer : null);
      return;
    }
    this.draft = { ...this.draft, answer };
    this.host.session.answering.value = { segmenter: answer.segmenter, busy: false, trouble: null };
    this.tell(answer.mask ? null : "Nothing found there: click once more, or drag a box around it.");
    if (this.accepting && answer.mask) this.accept(answer.mask);
    this.accepting = false;
  }

  private fail(asking: AbortController, asked: Draft, error: unknown): void {
    if (this.asking !== asking || !this.draft) return;
    this.asking = null;
    this.accepting = false;
    if (this.draft.marks !== asked.marks) this.ask();
    else this.tell(error instanceof Problem ? error.message : String(error));
  }

  private accept(mask: Mask): void {
    const geometry: Geometry | null = this.host.session.segmentAs.value === "mask" ? mask : this.polygon(mask);
    if (geometry) commit(this.host, geometry);
    this.drop();
  }

  /** What is drawn of the answer: along its pixels where it stays a mask. */
  private shown(): Polygon | null {
    const mask = this.draft?.answer?.mask;
    return mask ? this.polygon(mask) : null;
  }

  private polygon(mask: Mask): Polygon | null {
    const { segmentAs, tolerance: wanted } = this.host.session;
    const tolerance = segmentAs.value === "mask" ? 0 : wanted.value;
    if (this.drawn?.mask !== mask || this.drawn.tolerance !== tolerance) {
      this.drawn = { mask, tolerance, polygon: tolerance === 0 ? outline(mask, 0) : outlined(mask, tolerance) };
    }
    return this.drawn.polygon;
  }

  private box(): Box | null {
    return this.press && this.to ? boxBetween(this.press.image, this.to, this.host.size()) : null;
  }

  private tell(trouble: string | null): void {
    const { answering, measured } = this.host.session;
    answering.value = { ...answering.peek(), busy: this.asking !== null, trouble };
    measured.value = this.draft ? words(this.marks) : null;
    this.host.invalidate();
  }
}

const strayed = (from: Press, to: Press): boolean =>
  Math.hypot(to.at.x - from.at.x, to.at.y - from.at.y) > CLICK_PX[from.kind];

const goesOn = (marks: readonly Mark[], of: readonly Mark[]): boolean => of.every((mark, i) => marks[i] === mark);

const corners = ({ x1, y1, x2, y2 }: Box): Point[] => [{ x: x1, y: y1 }, { x: x2, y: y1 }, { x: x2, y: y2 }, { x: x1, y: y2 }];

function promptOf(
  { marks, view }: Draft, before: Segmentation | null, size: { width: number; height: number },
): SegmentPrompt {
  const prompt: SegmentPrompt = { points: [] };
  for (const mark of marks) {
    if (mark.kind === "click") prompt.points.push({ ...mark.at, positive: mark.positive });
    else prompt.box = [mark.box.x1, mark.box.y1, mark.box.x2, mark.box.y2];
  }
  const whole = view.x1 <= 0 && view.y1 <= 0 && view.x2 >= size.width && view.y2 >= size.height;
  if (!whole && view.x2 > view.x1 && view.y2 > view.y1) prompt.view = [view.x1, view.y1, view.x2, view.y2];
  if (before?.mask) {
    prompt.mask = before.mask;
    if (before.chain) prompt.chain = before.chain;
  }
  return prompt;
}

function words(marks: readonly Mark[]): string {
  const clicks = marks.filter(({ kind }) => kind === "click").length;
  const box = clicks < marks.length ? ["box"] : [];
  return [...box, ...(clicks > 0 ? [`${clicks} ${clicks === 1 ? "click" : "clicks"}`] : [])].join(", ");
}
