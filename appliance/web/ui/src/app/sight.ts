import type { Annotation, Label } from "../api/types";
import { type Camera, fit, snapped } from "../editor/camera";
import { stateOf } from "../editor/document";
import type { Picture } from "../editor/picture";
import { colorOf, RANKS } from "../editor/render/pack";
import { drawShape, drawThinly } from "../editor/render/shapes";
import { same } from "../editor/same";
import { NO_ADJUSTMENT } from "../editor/session";
import { shapeOf } from "../editor/shapes-of";
import { afterFrame } from "./after-frame";
import { calm } from "./calm";
import { askRest, begun, type Begun, labelsOf, startEarly } from "./early";
import { editing } from "./editing";
import { firstBench } from "./first";
import { readLooks } from "./looks";
import { startTheme } from "./theme";
import "../tokens.css";
import "../base.css";
import "../workbench/workbench.css";
import "../workbench/tablet.css";
import "./sight.css";

/** The page's own code waits no longer than this for the image: there may be none, or the box be away. */
const PATIENCE_MS = 1_000;
/** Where the page around it stands, in its grid: empty, and in the colours that they will have. */
const PARTS = ["workbar", "tools", "stage", "panel", "queue", "thumbs", "status"];

/** More shapes than this get thin outlines first: whole ones take three times as long without a GPU. */
const WHOLE_UP_TO = 200;

/**
 * Resolves when the image of the address is on the screen with its annotations, or will not be soon.
 *
 * It is drawn plainly, where and as the workbench will have it, before any of that page's code runs,
 * and goes when the canvas of the page shows the same.
 */
export const sighted: Promise<void> = sight().catch(() => undefined).then(askRest);

async function sight(): Promise<void> {
  startTheme();
  startEarly();
  if (!begun || firstBench?.page !== "annotate" || !firstBench.imageId) return;
  readLooks(editing, begun.projectId);
  if (!same(editing.adjustment.value, NO_ADJUSTMENT)) return;
  const late = new Promise((done) => setTimeout(done, PATIENCE_MS));
  await Promise.race([show(begun, firstBench.imageId).catch(() => undefined), late]);
}

async function show({ projectId, pictures }: Begun, imageId: number): Promise<void> {
  await laidOut();
  const place = document.createElement("div");
  place.className = "shell sight";
  place.innerHTML = `<div class="topbar"></div><div class="work" data-surround="${editing.surround.value}">${PARTS.map((part) => `<div class="${part}"></div>`).join("")}</div>`;
  document.body.append(place);
  void calm.then(() => place.remove());
  const stage = place.querySelector<HTMLElement>(".stage")!;
  const [{ picture, annotations }, known] = await Promise.all([pictures.get(imageId), labelsOf(projectId)]);
  const camera = snapped(fit(picture, { width: stage.clientWidth, height: stage.clientHeight }));
  drawPicture(layer(stage, "picture"), picture, camera);
  drawShapes(layer(stage, "shapes"), annotations.annotations, known, camera);
  await new Promise<void>(afterFrame);
}

/** The page's code waits for neither: resolves when the page is parsed and has its styles. */
async function laidOut(): Promise<void> {
  if (document.readyState === "loading") await new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
  const coming = [...document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]')].filter((link) => !link.sheet);
  await Promise.all(coming.map((link) => new Promise((done) => (link.onload = link.onerror = done))));
}

function layer(stage: HTMLElement, name: string): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.className = `layer ${name}`;
  [canvas.width, canvas.height] = [stage.clientWidth, stage.clientHeight].map((length) => Math.round(length * devicePixelRatio));
  stage.append(canvas);
  const context = canvas.getContext("2d")!;
  context.scale(devicePixelRatio, devicePixelRatio);
  return context;
}

function drawPicture(context: CanvasRenderingContext2D, { bitmap, width, height }: Picture, { x, y, scale }: Camera): void {
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, x, y, width * scale, height * scale);
}

function drawShapes(context: CanvasRenderingContext2D, annotations: readonly Annotation[], labels: readonly Label[], camera: Camera): void {
  const byId = new Map(labels.map((label) => [label.id, label]));
  const shapes = annotations.map((annotation, n) => {
    const label = byId.get(annotation.label_id);
    return { ...shapeOf(annotation, label), color: colorOf(annotation, label, editing.colorBy.value, n + 1), rank: RANKS[stateOf(annotation)] };
  });
  for (const shape of shapes.sort((a, b) => a.rank - b.rank)) (shapes.length > WHOLE_UP_TO ? drawThinly : drawShape)(context, shape, camera, "none");
}
