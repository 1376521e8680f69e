import type { Annotation } from "../../api/types";
import type { Camera } from "../camera";
import type { AnnotationState } from "../document";
import { dots, type Run, runs } from "../shape";
import { crossings } from "./crossing";
import { maskPicture } from "./masks";

/** An annotation with all that drawing it takes. */
export interface Shape {
  annotation: Annotation;
  state: AnnotationState;
  color: string;
  /** Name on its plate. */
  name: string;
  edges: readonly (readonly [number, number])[];
}

export type Emphasis = "none" | "hovered" | "selected";

interface Stroke {
  width: number;
  color: string;
}

const CASING = "rgb(0 0 0 / 72%)";
const FILL = 0.12;
const DASH: readonly number[] = [6, 4];
const HATCH_STEP = 6;
const FAULT_DOTS: readonly [number, string][] = [[5.5, "#000"], [4.25, "#fff"], [2.5, "#cc2222"]];

/** The strokes of an outline from the bottom up, in screen pixels whatever the zoom. */
export function strokes(color: string, emphasis: Emphasis): Stroke[] {
  if (emphasis === "selected") {
    return [
      { width: 7, color: CASING },
      { width: 4.5, color: "#fff" },
      { width: 2, color },
    ];
  }
  return [
    { width: emphasis === "hovered" ? 5 : 3.5, color: CASING },
    { width: emphasis === "hovered" ? 2.5 : 1.5, color },
  ];
}

/** Predictions are dashed and unfilled; rejected ones hatched and crossed; the rest filled. */
export function look(state: AnnotationState): { dashed: boolean; fill: number; crossed: boolean } {
  return {
    dashed: state === "prediction",
    fill: state === "prediction" || state === "rejected" ? 0 : FILL,
    crossed: state === "rejected",
  };
}

function trace(context: CanvasRenderingContext2D, all: readonly Run[], camera: Camera): void {
  context.beginPath();
  for (const { points, closed } of all) {
    for (let i = 0; i < points.length; i += 2) {
      const x = points[i] * camera.scale + camera.x;
      const y = points[i + 1] * camera.scale + camera.y;
      if (i === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    if (closed) context.closePath();
  }
}

/** Fill what is traced, where it is closed. */
function fill(context: CanvasRenderingContext2D, all: readonly Run[], { color }: Shape, alpha: number): void {
  if (alpha === 0 || !all.some((run) => run.closed)) return;
  context.globalAlpha = alpha;
  context.fillStyle = color;
  context.fill("evenodd");
  context.globalAlpha = 1;
}

/** How much more to fill with, for an emphasis, where the plain fill may lie beneath. */
export function fillOver(fill: number, emphasis: Emphasis, beneath: boolean): number {
  const whole = emphasis === "none" ? fill : fill * 1.6;
  return beneath ? 1 - (1 - whole) / (1 - fill) : whole;
}

/** Draw one annotation onto a layer whose unit is the CSS pixel; `beneath`: it also lies, without emphasis, under that layer. */
export function drawShape(context: CanvasRenderingContext2D, shape: Shape, camera: Camera, emphasis: Emphasis, beneath = false): void {
  const { geometry } = shape.annotation;
  const style = look(shape.state);
  if (geometry.type === "mask") drawMask(context, shape, camera, emphasis);
  const all = runs(geometry, shape.edges);
  context.lineJoin = "round";
  context.lineCap = "round";
  if (all.length > 0) {
    trace(context, all, camera);
    if (style.fill > 0) fill(context, all, shape, fillOver(style.fill, emphasis, beneath));
    if (style.crossed) {
      hatch(context, all, camera, shape.color);
      trace(context, all, camera);
    }
    for (const [index, stroke] of strokes(shape.color, emphasis).entries()) {
      const top = index > 0;
      context.setLineDash(style.dashed && top && (emphasis !== "selected" || index === 2) ? [...DASH] : []);
      context.lineWidth = stroke.width;
      context.strokeStyle = stroke.color;
      context.stroke();
    }
    context.setLineDash([]);
  }
  drawDots(context, shape, camera, emphasis);
  drawFaults(context, crossings(all.filter((run) => run.closed).map((run) => run.points)), camera);
}

/** Draw one annotation with as thin an outline as the screen has, which takes a third of the time. */
export function drawThinly(context: CanvasRenderingContext2D, shape: Shape, camera: Camera): void {
  const { geometry } = shape.annotation;
  if (geometry.type === "mask") drawMask(context, shape, camera, "none");
  const all = runs(geometry, shape.edges);
  trace(context, all, camera);
  fill(context, all, shape, look(shape.state).fill);
  context.lineWidth = 1 / devicePixelRatio;
  context.strokeStyle = shape.color;
  context.stroke();
}

/** Mark where an outline crosses itself. */
function drawFaults(context: CanvasRenderingContext2D, places: readonly number[], camera: Camera): void {
  for (let i = 0; i < places.length; i += 2) {
    for (const [radius, color] of FAULT_DOTS) {
      context.beginPath();
      context.arc(places[i] * camera.scale + camera.x, places[i + 1] * camera.scale + camera.y, radius, 0, Math.PI * 2);
      context.fillStyle = color;
      context.fill();
    }
  }
}

/** Diagonals and a cross inside the outline. */
function hatch(context: CanvasRenderingContext2D, all: readonly Run[], camera: Camera, color: string): void {
  const xs = all.flatMap((run) => run.points.filter((_, i) => i % 2 === 0)).map((x) => x * camera.scale + camera.x);
  const ys = all.flatMap((run) => run.points.filter((_, i) => i % 2 === 1)).map((y) => y * camera.scale + camera.y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  context.save();
  context.clip("evenodd");
  context.beginPath();
  for (let x = left - (bottom - top); x < right; x += HATCH_STEP) {
    context.moveTo(x, bottom);
    context.lineTo(x + bottom - top, top);
  }
  context.lineWidth = 2;
  context.strokeStyle = CASING;
  context.stroke();
  context.lineWidth = 0.75;
  context.strokeStyle = color;
  context.stroke();
  context.beginPath();
  context.moveTo(left, top);
  context.lineTo(right, bottom);
  context.moveTo(right, top);
  context.lineTo(left, bottom);
  for (const stroke of strokes(color, "none")) {
    context.lineWidth = stroke.width;
    context.strokeStyle = stroke.color;
    context.stroke();
  }
  context.restore();
}

function drawDots(context: CanvasRenderingContext2D, shape: Shape, camera: Camera, emphasis: Emphasis): void {
  for (const dot of dots(shape.annotation.geometry)) {
    const radius = emphasis === "selected" ? 5 : 3.5;
    context.beginPath();
    context.arc(dot.x * camera.scale + camera.x, dot.y * camera.scale + camera.y, radius, 0, Math.PI * 2);
    context.fillStyle = dot.hidden ? "#000" : shape.color;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = dot.hidden ? shape.color : emphasis === "selected" ? "#fff" : "#000";
    context.stroke();
  }
}

function drawMask(context: CanvasRenderingContext2D, shape: Shape, camera: Camera, emphasis: Emphasis): void {
  const { geometry } = shape.annotation;
  if (geometry.type !== "mask") return;
  const picture = maskPicture(geometry, shape.color);
  if (!picture) return;
  const faint = shape.state === "prediction" || shape.state === "rejected" ? 0.28 : 0.42;
  context.globalAlpha = emphasis === "none" ? faint : Math.min(1, faint * 1.5);
  context.imageSmoothingEnabled = camera.scale < 4;
  context.drawImage(
    picture.canvas,
    picture.x * camera.scale + camera.x,
    picture.y * camera.scale + camera.y,
    picture.canvas.width * camera.scale,
    picture.canvas.height * camera.scale,
  );
  context.globalAlpha = 1;
}
