import type { Annotation, Label } from "../../api/types";
import type { Camera, Size } from "../camera";
import type { EditorSession } from "../session";
import { CachedLayer } from "./cached-layer";
import { Scene } from "./scene";
import type { StaticLayer } from "./static-layer";

/** Sheets of images nobody looks at now: the next one, and the one before. */
const KEEP = 2;

/** What is drawn of one image: its size and its annotations, in drawing order. */
export interface Drawn {
  imageId: number;
  size: Size;
  annotations: readonly Annotation[];
}

/** The shapes of one image and the layer they are drawn on. */
export class Sheet {
  readonly layer: StaticLayer;
  readonly scene: Scene;
  readonly drawn: Drawn | null;
  readonly labels: readonly Label[];

  constructor(session: EditorSession, drawn: Drawn | null, labels: readonly Label[], changed: (sheet: Sheet) => void) {
    const { width, height } = drawn?.size ?? { width: 0, height: 0 };
    // A size alone: the picture is not held by it.
    this.drawn = drawn && { ...drawn, size: { width, height } };
    this.labels = labels;
    this.layer = new CachedLayer(() => changed(this));
    this.scene = new Scene(session, this.layer);
    this.layer.open(this.drawn && this.drawn.size);
    this.scene.open(drawn?.annotations ?? [], labels);
  }

  /** True when it can be taken up for what shall be drawn now. */
  fits({ imageId, size }: Drawn, labels: readonly Label[]): boolean {
    const mine = this.drawn;
    return mine !== null && mine.imageId === imageId && mine.size.width === size.width && mine.size.height === size.height && this.labels === labels;
  }

  destroy(): void {
    this.scene.destroy();
    this.layer.destroy();
  }
}

/** The sheet that is looked at, and those drawn ahead or kept, so that turning to them shows them at once. */
export class Sheets {
  shown: Sheet;
  private readonly session: EditorSession;
  private readonly changed: () => void;
  private readonly kept: Sheet[] = [];

  /** `changed` is called when there is more of the shown sheet to draw. */
  constructor(session: EditorSession, changed: () => void) {
    this.session = session;
    this.changed = changed;
    this.shown = this.made(null, []);
  }

  destroy(): void {
    for (const sheet of [this.shown, ...this.kept]) sheet.destroy();
  }

  /** Turn to an image; `view` is what was seen of the one before. */
  show(drawn: Drawn | null, labels: readonly Label[], view: { camera: Camera; size: Size; ratio: number }): void {
    const before = this.shown;
    const at = this.kept.findIndex((sheet) => drawn && sheet.fits(drawn, labels));
    this.shown = at >= 0 ? this.kept.splice(at, 1)[0] : this.made(drawn, labels);
    if (at >= 0) this.shown.scene.resume(drawn!.annotations);
    if (before.drawn === null || before.drawn.imageId === drawn?.imageId) before.destroy();
    else this.keep(before, view);
  }

  /** Have an image drawn that somebody will turn to. */
  prepare(drawn: Drawn, labels: readonly Label[], view: { camera: Camera; size: Size; ratio: number }): void {
    if (drawn.imageId === this.shown.drawn?.imageId) return;
    const at = this.kept.findIndex((sheet) => sheet.drawn?.imageId === drawn.imageId);
    const known = at >= 0 ? this.kept.splice(at, 1)[0] : null;
    const fits = known?.fits(drawn, labels) ?? false;
    if (known && fits) known.scene.resume(drawn.annotations);
    else known?.destroy();
    this.keep(known && fits ? known : this.made(drawn, labels), view);
  }

  private keep(sheet: Sheet, { camera, size, ratio }: { camera: Camera; size: Size; ratio: number }): void {
    sheet.layer.prepare(camera, size, ratio);
    this.kept.push(sheet);
    while (this.kept.length > KEEP) this.kept.shift()?.destroy();
  }

  private made(drawn: Drawn | null, labels: readonly Label[]): Sheet {
    return new Sheet(this.session, drawn, labels, (sheet) => {
      // While it is being made nobody looks at it.
      if (this.shown === sheet) this.changed();
    });
  }
}
