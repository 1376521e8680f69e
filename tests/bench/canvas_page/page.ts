/** The stage as the console mounts it, with a scene of any size on it. */

import { complete } from "../../../appliance/web/ui/src/api/client";
import type { Label } from "../../../appliance/web/ui/src/api/types";
import { ImageDocument } from "../../../appliance/web/ui/src/editor/document";
import { Editor } from "../../../appliance/web/ui/src/editor/editor";
import { EditorSession } from "../../../appliance/web/ui/src/editor/session";
import { Stage } from "../../../appliance/web/ui/src/editor/stage";
import { frames, HEIGHT, picture, polygons, WIDTH } from "./scene";

const session = new EditorSession();
const stage = new Stage(document.querySelector<HTMLElement>(".canvas")!, session);
let bitmap: ImageBitmap | null = null;
let images = 0;

async function open(count: number, seed = 7): Promise<void> {
  bitmap ??= await picture();
  const scene = polygons(count, seed);
  const colors = [...new Set(scene.map(({ color }) => color))];
  const labels = colors.map((color, n) => ({ id: n + 1, name: `label ${n + 1}`, color, hotkey: null, attributes: [], skeleton: null }) as unknown as Label);
  const annotations = scene.map(({ points, color }, n) =>
    complete({ id: `${seed}-${n}`, label_id: colors.indexOf(color) + 1, geometry: { type: "polygon", parts: [[points]] } }),
  );
  const size = { width: WIDTH, height: HEIGHT };
  const doc = new ImageDocument(++images, 1, annotations);
  stage.open({ picture: { ...size, bitmap }, document: doc, editor: new Editor(doc, size, 1), labels } as never);
}

Object.assign(window, {
  bench: {
    panButton: "middle",
    frames: frames(),
    open,
    select: () => session.select("7-0"),
    fit: () => stage.fit(),
    paint() {
      session.select();
      session.labelId.value = 1;
      session.brush.value = 40;
      session.tool.value = "brush";
    },
    vertex() {
      const { x, y, scale } = session.camera.value;
      return [(WIDTH / 2 + 200) * scale + x, (HEIGHT / 2) * scale + y];
    },
  },
});
