import type { Geometry } from "../../api/types";
import { type Camera, type Size, toImage, toScreen } from "../camera";
import type { EditorSession } from "../session";
import { type Bounds, bounds } from "../shape";
import { drawPlates, NAMES_UP_TO, plateWidth } from "./plates";
import type { Scene } from "./scene";
import { drawShape, type Emphasis, type Shape } from "./shapes";

const HAIRLINE = "#5b6675";
/** More shapes than this on the move are shown by their bounds. */
const WHOLE_UP_TO = 200;
/** Strokes, handles, the knob of a rotated box and its name stand out of a shape by so much at most. */
const AROUND_PX = 48;

export type Draw = (context: CanvasRenderingContext2D, camera: Camera) => void;

/** What lies above the static shapes: what somebody works on, names, and what the tool draws. */
export class Overlay {
  tool: Draw = () => undefined;
  private readonly session: EditorSession;
  scene: Scene;

  constructor(session: EditorSession, scene: Scene) {
    this.session = session;
    this.scene = scene;
  }

  /** Where on the screen what is dragged shows, with all that is drawn for it; null where that is too much to tell. */
  moving(context: CanvasRenderingContext2D, camera: Camera, preview: ReadonlyMap<string, Geometry> | null): Bounds | null {
    if (!preview || preview.size === 0 || preview.size > WHOLE_UP_TO) return null;
    const area = { x1: Infinity, y1: Infinity, x2: -Infinity, y2: -Infinity };
    for (const [id, geometry] of preview) {
      const [box, shape] = [bounds(geometry), this.scene.shape(id, geometry)];
      if (!box || !shape) continue;
      const { x1, y1, x2, y2 } = onScreen(camera, box);
      const aside = Math.max(AROUND_PX, plateWidth(context, shape.name, true));
      area.x1 = Math.min(area.x1, x1 - aside);
      area.y1 = Math.min(area.y1, y1 - AROUND_PX);
      area.x2 = Math.max(area.x2, x2 + aside);
      area.y2 = Math.max(area.y2, y2 + AROUND_PX);
    }
    return area.x1 < area.x2 ? area : null;
  }

  /** Draw what is dragged, in its place by now, with what the tool shows of it. */
  drawMoving(context: CanvasRenderingContext2D, camera: Camera, view: Size, preview: ReadonlyMap<string, Geometry>): void {
    const { selection, names } = this.session;
    const shapes = [...preview].flatMap(([id, geometry]) => this.scene.shape(id, geometry) ?? []);
    const chosen = (shape: Shape): boolean => selection.value.has(shape.annotation.id);
    for (const shape of shapes) drawShape(context, shape, camera, chosen(shape) ? "selected" : "none", false);
    if (names.value) drawPlates(context, shapes.flatMap((shape) => placed(camera, shape)).slice(0, NAMES_UP_TO), view, chosen, chosen);
    this.tool(context, camera);
  }

  /**
   * `above`: ids that are not, or not yet, among the static shapes; `preview`: where some of them are
   * by now; `apart`: what is dragged, and the tool, are drawn elsewhere.
   */
  draw(
    context: CanvasRenderingContext2D, camera: Camera, view: Size, size: Size | null,
    above: ReadonlySet<string>, preview: ReadonlyMap<string, Geometry> | null, apart: boolean,
  ): void {
    if (!size) return;
    drawHairline(context, camera, size);
    const { selection, hovered } = this.session;
    const selected = (id: string): boolean => selection.value.has(id);
    const shape = (id: string): Shape | null => (apart && preview?.has(id) ? null : this.scene.shape(id, preview?.get(id)));
    const still = [...above].filter((id) => !selected(id) && id !== hovered.value);
    if (above.size > WHOLE_UP_TO) drawBounds(context, camera, [...above].flatMap((id) => shape(id) ?? []));
    else for (const id of still) this.drawOne(context, camera, shape(id), "none", false);
    const under = hovered.value;
    if (under !== null && !selected(under)) this.drawOne(context, camera, shape(under), "hovered", !above.has(under));
    for (const id of selection.value) {
      if (above.size <= WHOLE_UP_TO && (!this.scene.isMarked(id) || preview?.has(id))) this.drawOne(context, camera, shape(id), "selected", !above.has(id));
    }
    for (const ghost of this.session.ghosts.value) this.drawOne(context, camera, ghost, "none", false);
    if (this.session.names.value) this.drawNames(context, camera, view, shape);
    if (!apart) this.tool(context, camera);
  }

  private drawOne(context: CanvasRenderingContext2D, camera: Camera, shape: Shape | null, emphasis: Emphasis, beneath: boolean): void {
    if (shape) drawShape(context, shape, camera, emphasis, beneath);
  }

  private drawNames(context: CanvasRenderingContext2D, camera: Camera, view: Size, shape: (id: string) => Shape | null): void {
    const { selection, hovered } = this.session;
    const from = toImage(camera, { x: 0, y: 0 });
    const to = toImage(camera, { x: view.width, y: view.height });
    const inView = this.scene.touching({ x1: from.x, y1: from.y, x2: to.x, y2: to.y }, NAMES_UP_TO);
    const special = (id: string): boolean => selection.value.has(id) || hovered.value === id;
    const few = inView.length <= NAMES_UP_TO;
    const chosen = [...selection.value].slice(0, NAMES_UP_TO).concat(hovered.value ?? []);
    const ids = new Set([...(few ? inView : []), ...chosen]);
    const named = [...[...ids].map(shape), ...this.session.ghosts.value].flatMap((one) => (one ? placed(camera, one) : []));
    const seen = named.filter(({ box }) => box.x1 < view.width && box.x2 > 0 && box.y1 < view.height && box.y2 > 0);
    drawPlates(context, seen, view, (one) => selection.value.has(one.annotation.id), (one) => special(one.annotation.id));
  }
}

function placed(camera: Camera, shape: Shape): { shape: Shape; box: Bounds }[] {
  const box = bounds(shape.annotation.geometry);
  return box ? [{ shape, box: onScreen(camera, box) }] : [];
}

function onScreen(camera: Camera, box: Bounds): Bounds {
  const [from, to] = [toScreen(camera, { x: box.x1, y: box.y1 }), toScreen(camera, { x: box.x2, y: box.y2 })];
  return { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
}

function drawHairline(context: CanvasRenderingContext2D, { x, y, scale }: Camera, { width, height }: Size): void {
  context.strokeStyle = HAIRLINE;
  context.lineWidth = 1;
  context.strokeRect(x - 0.5, y - 0.5, width * scale + 1, height * scale + 1);
}

function drawBounds(context: CanvasRenderingContext2D, camera: Camera, shapes: readonly Shape[]): void {
  context.beginPath();
  for (const shape of shapes) {
    const box = bounds(shape.annotation.geometry);
    if (!box) continue;
    const { x1, y1, x2, y2 } = onScreen(camera, box);
    context.rect(x1, y1, x2 - x1, y2 - y1);
  }
  context.lineWidth = 1.5;
  context.strokeStyle = "#fff";
  context.stroke();
}
