import type { Size } from "../camera";
import type { Bounds } from "../shape";

/** Room is taken in steps of so many device pixels, as a canvas that is resized is made anew. */
const STEP = 128;

/**
 * What is being dragged, on a canvas no larger than that takes.
 *
 * A canvas is drawn, copied and put together with the others as a whole: where one as large as
 * the view costs milliseconds a frame, this one costs what it covers.
 */
export class MovingLayer {
  private readonly context: CanvasRenderingContext2D;

  constructor(context: CanvasRenderingContext2D) {
    this.context = context;
    const { style } = context.canvas;
    [style.inset, style.willChange] = ["0 auto auto 0", "transform"];
    this.hide();
  }

  hide(): void {
    this.context.canvas.hidden = true;
  }

  /** Lie over an area of the view, in CSS pixels; what is drawn next has the view's coordinates. */
  over(area: Bounds, view: Size, ratio: number): CanvasRenderingContext2D {
    const { context } = this;
    const { canvas } = context;
    const place = (value: number, most: number): number => Math.floor(Math.min(most, Math.max(0, value)) * ratio);
    const [x, y] = [place(area.x1, view.width), place(area.y1, view.height)];
    const [width, height] = [place(area.x2, view.width) - x + 1, place(area.y2, view.height) - y + 1];
    if (!fits(canvas.width, width) || !fits(canvas.height, height)) [canvas.width, canvas.height] = [room(width), room(height)];
    const { style } = canvas;
    [style.width, style.height] = [`${canvas.width / ratio}px`, `${canvas.height / ratio}px`];
    style.transform = `translate(${x / ratio}px, ${y / ratio}px)`;
    canvas.hidden = false;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(ratio, 0, 0, ratio, -x, -y);
    return context;
  }
}

const room = (length: number): number => Math.ceil(length / STEP) * STEP;
const fits = (there: number, wanted: number): boolean => there >= wanted && there <= room(wanted) + STEP;
