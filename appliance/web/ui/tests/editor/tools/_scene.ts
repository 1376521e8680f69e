import { complete } from "../../../src/api/client";
import type { Annotation, Geometry, Label, Segmentation, SegmentPrompt } from "../../../src/api/types";
import { ImageDocument } from "../../../src/editor/document";
import { Editor } from "../../../src/editor/editor";
import type { Brush } from "../../../src/editor/render/brush";
import { BrushTiles } from "../../../src/editor/render/brush-tiles";
import { EditorSession, type ToolName } from "../../../src/editor/session";
import { bounds, extent, hits } from "../../../src/editor/shape";
import { TOOLS } from "../../../src/editor/tools";
import type { Press, Tool, ToolHost } from "../../../src/editor/tools/tool";
import type { Mask } from "../../../src/geometry";

export const SIZE = { width: 200, height: 100 };

export const LABELS = [
  { id: 1, name: "person", color: "#FFE600", attributes: [{ name: "age", kind: "number", choices: [], required: false, default: 7 }], skeleton: null },
  { id: 2, name: "hand", color: "#8844FF", attributes: [], skeleton: { points: ["wrist", "thumb", "tip"], edges: [[0, 1], [1, 2]] } },
] as unknown as Label[];

export const drawn = (id: string, geometry: Geometry, more: Partial<Annotation> = {}): Annotation =>
  complete({ id, label_id: 1, geometry, author_id: 2, ...more });

/** The brush without its pictures. */
function brushOf(size: typeof SIZE): Brush {
  let tiles: BrushTiles | null = null;
  return {
    beginMask: (mask: Mask | null) => (tiles = mask ? BrushTiles.from(mask) : new BrushTiles(size)),
    paint: (...[from, to, radius, erase]: Parameters<Brush["paint"]>) => tiles?.stroke(from, to, radius, erase ? 0 : 1),
    endMask: () => tiles?.encode() ?? null,
    cancelMask: () => (tiles = null),
  } as unknown as Brush;
}

/** A question to the box that the test answers. */
export interface Asked {
  prompt: SegmentPrompt;
  signal: AbortSignal;
  answer: (answer: Segmentation) => void;
  refuse: (error: unknown) => void;
}

/** A tool on an image, without a page: the view shows one pixel of the image as `scale` of the screen. */
export class Scene {
  readonly session = new EditorSession();
  readonly document: ImageDocument;
  readonly editor: Editor;
  readonly tool: Tool;
  previews = 0;
  readonly asked: Asked[] = [];
  visible = { x1: 0, y1: 0, x2: SIZE.width, y2: SIZE.height };
  private readonly preview = new Map<string, Geometry>();

  constructor(name: ToolName, annotations: readonly Annotation[] = [], scale = 1) {
    this.document = new ImageDocument(9, 3, annotations);
    this.editor = new Editor(this.document, SIZE, 2);
    this.editor.guard((id) => this.session.locked.value.has(id));
    this.session.labelId.value = 1;
    this.session.camera.value = { x: 0, y: 0, scale };
    this.tool = new TOOLS[name](this.host());
  }

  get geometries(): Geometry[] {
    return this.document.all.map((one) => one.geometry);
  }

  get shown(): ReadonlyMap<string, Geometry> {
    return this.preview;
  }

  press(x: number, y: number, more: Partial<Press> = {}): Press {
    const { scale } = this.session.camera.value;
    return {
      at: { x: x * scale, y: y * scale }, image: { x, y }, kind: "mouse", secondary: false, count: 1,
      shift: false, alt: false, ctrl: false, pressure: 0.5, ...more,
    };
  }

  hover(x: number, y: number, more: Partial<Press> = {}): void {
    this.tool.move(this.press(x, y, more));
  }

  click(x: number, y: number, more: Partial<Press> = {}): boolean {
    const press = this.press(x, y, more);
    this.tool.move(press);
    const taken = this.tool.down(press);
    if (taken) this.tool.up(press);
    return taken;
  }

  drag(points: readonly (readonly [number, number])[], more: Partial<Press> = {}): boolean {
    const [first, ...rest] = points;
    if (!first || !this.tool.down(this.press(...first, more))) return false;
    for (const place of rest) this.tool.move(this.press(...place, more));
    this.tool.up(this.press(...(points.at(-1) ?? first), more));
    return true;
  }

  private host(): ToolHost {
    const { session } = this;
    const brush = brushOf(SIZE);
    return {
      session,
      editor: () => this.editor,
      size: () => SIZE,
      labels: () => LABELS,
      brush: () => brush,
      pick: (at, reachPx) => {
        const found = this.document.all.filter((one) => hits(one.geometry, at, reachPx / session.camera.value.scale));
        return found.sort((a, b) => extent(a.geometry) - extent(b.geometry))[0]?.id ?? null;
      },
      within: (area) =>
        this.document.all.flatMap(({ id, geometry }) => {
          const box = bounds(geometry);
          return box && box.x1 >= area.x1 && box.y1 >= area.y1 && box.x2 <= area.x2 && box.y2 <= area.y2 ? [id] : [];
        }),
      visible: () => this.visible,
      segment: (prompt, signal) =>
        new Promise((answer, refuse) => this.asked.push({ prompt, signal, answer, refuse })),
      preview: (changes) => {
        this.previews += 1;
        this.preview.clear();
        for (const [id, geometry] of changes ?? []) this.preview.set(id, geometry);
      },
      invalidate: () => undefined,
    };
  }
}
