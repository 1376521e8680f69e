import type { Annotation } from "../../api/types";
import type { Mask } from "../../geometry";
import { type Camera, type Point } from "../camera";
import { commit } from "./draw";
import { colorOf, ring } from "./paint";
import type { Press, Tool, ToolHost } from "./tool";

const STEP = 1.25;
const LEAST = 1;
const MOST = 500;

interface Stroke {
  id: string | null;
  before: Mask | null;
  last: Point;
  erases: boolean;
}

/**
 * Paint a mask. The first stroke makes one and selects it, the next go on with it; Enter or Esc
 * lets go of it, so that another is begun. The right button and Alt erase.
 */
export class BrushTool implements Tool {
  readonly guides = true;
  readonly traces = true;
  protected readonly erases: boolean = false;
  protected readonly host: ToolHost;
  private stroke: Stroke | null = null;
  private pointer: Point | null = null;

  constructor(host: ToolHost) {
    this.host = host;
  }

  cursor(): string {
    return "none";
  }

  down(press: Press): boolean {
    const erases = this.erases || press.secondary || press.alt;
    const mask = this.mask(this.host.session.single) ?? (erases ? this.mask(this.host.pick(press.image, 0)) : null);
    if (erases && !mask) return false;
    if (mask) this.host.session.select(mask.id);
    this.stroke = { id: mask?.id ?? null, before: (mask?.geometry as Mask | undefined) ?? null, last: press.image, erases };
    this.host.brush().beginMask(this.stroke.before, this.color(mask), this.stroke.id);
    this.paint(press);
    return true;
  }

  move(press: Press): void {
    this.pointer = press.kind === "touch" && !this.stroke ? null : press.at;
    if (this.stroke) this.paint(press);
    this.host.invalidate();
  }

  up(): void {
    const { stroke } = this;
    this.stroke = null;
    const editor = this.host.editor();
    if (!stroke || !editor) return;
    const mask = this.host.brush().endMask();
    if (stroke.before?.counts === mask?.counts) this.host.brush().cancelMask();
    else if (!mask && stroke.id) editor.remove([stroke.id]);
    else if (mask && stroke.id) editor.reshape(stroke.id, mask);
    else if (mask) {
      const id = commit(this.host, mask);
      if (id) this.host.session.select(id);
    }
  }

  leave(): void {
    this.pointer = null;
  }

  cancel(): void {
    if (this.stroke) this.host.brush().cancelMask();
    this.stroke = null;
  }

  finish(): boolean {
    const had = this.host.session.selection.value.size > 0;
    this.host.session.select();
    return had;
  }

  key(name: string): boolean {
    if (name === "enter" || name === "escape") return this.finish();
    if (name !== "[" && name !== "]") return false;
    const { brush } = this.host.session;
    brush.value = Math.min(MOST, Math.max(LEAST, name === "]" ? brush.value * STEP : brush.value / STEP));
    this.host.invalidate();
    return true;
  }

  draw(context: CanvasRenderingContext2D, camera: Camera): void {
    if (!this.pointer) return;
    const radius = Math.max(2, this.host.session.brush.value * camera.scale);
    ring(context, this.pointer, radius, (this.stroke?.erases ?? this.erases) ? "#fff" : colorOf(this.host));
  }

  private paint({ image, kind, pressure }: Press): void {
    const { stroke } = this;
    if (!stroke) return;
    const { brush, measured } = this.host.session;
    const pen = kind === "pen" && this.host.session.pressure.value;
    this.host.brush().paint(stroke.last, image, brush.value * (pen ? 0.4 + 1.2 * pressure : 1), stroke.erases);
    stroke.last = image;
    measured.value = `${Math.round(brush.value * 2)} px brush`;
  }

  /** The mask of this id when it may be changed. */
  private mask(id: string | null): Annotation | null {
    if (id === null || this.host.session.locked.value.has(id)) return null;
    const one = this.host.editor()?.document.get(id) ?? null;
    return one?.geometry.type === "mask" ? one : null;
  }

  private color(mask: Annotation | null): string {
    const label = this.host.labels().find((one) => one.id === mask?.label_id);
    return label?.color ?? colorOf(this.host);
  }
}

/** Take away from the selected mask, or from the one under the pointer. */
export class EraserTool extends BrushTool {
  protected override readonly erases = true;
}
