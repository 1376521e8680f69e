import type { Geometry } from "../../api/types";
import { type Camera, type Size, toImage, toScreen } from "../camera";
import type { EditorSession } from "../session";
import { type Bounds, bounds } from "../shape";
import { drawPlates, NAMES_UP_TO } from "./plates";
import type { Scene } from "./scene";
import { drawShape, type Emphasis, type Shape } from "./shapes";

const HAIRLINE = "#5b6675";
/** More shapes than this on the move are shown by their bounds. */
const WHOLE_UP_TO = 200;

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

  /** `above`: ids that are not, or not yet, among the static shapes; `preview`: where some of them are by now. */
  draw(
    context: CanvasRenderingContext2D, camera: Camera, view: Size, size: Size | null,
    above: ReadonlySet<string>, preview: ReadonlyMap<string, Geometry> | null,
  ): void {
    if (!size) return;
    drawHairline(context, camera, size);
    const { selection, hovered } = this.session;
    const selected = (id: string): boolean => selection.value.has(id);
    const shape = (id: string): Shape | null => this.scene.shape(id, preview?.get(id));
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
    this.tool(context, camera);
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
    const named = [...[...ids].map(shape), ...this.session.ghosts.value].flatMap((one) => {
      const box = one && bounds(one.annotation.geometry);
      return one && box ? [{ shape: one, box: onScreen(camera, box) }] : [];
    });
    const seen = named.filter(({ box }) => box.x1 < view.width && box.x2 > 0 && box.y1 < view.height && box.y2 > 0);
    drawPlates(context, seen, view, (one) => selection.value.has(one.annotation.id), (one) => special(one.annotation.id));
  }
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
