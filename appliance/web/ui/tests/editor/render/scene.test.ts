import { expect, test } from "vitest";

import type { Annotation } from "../../../src/api/types";
import { Scene } from "../../../src/editor/render/scene";
import { EditorSession } from "../../../src/editor/session";

const drawn = (id: string): Annotation => ({
  id, label_id: 1, geometry: { type: "box", x1: 0, y1: 0, x2: 10, y2: 10 }, attributes: {}, source: "manual",
  status: "draft", revision: 1, confidence: null, model_id: null, author_id: 1,
});

/** A layer that draws nothing and counts what it is told. */
function kept(annotations: readonly Annotation[]) {
  const told = { put: 0, restyled: 0 };
  const session = new EditorSession();
  const scene = new Scene(session, {
    shown: 0,
    open: () => undefined,
    put: () => ++told.put,
    restyle: () => ++told.restyled,
    prepare: () => undefined,
    draw: () => undefined,
    destroy: () => undefined,
  });
  scene.open(annotations, []);
  return { scene, session, told };
}

test("shapes that are taken up as they were kept are not sent again", () => {
  const all = [drawn("a"), drawn("b")];
  const { scene, told } = kept(all);
  scene.resume(all);
  expect(told).toEqual({ put: 1, restyled: 0 });
  scene.destroy();
});

test("what was hidden, or changed, while nobody looked is drawn so when the shapes are taken up", () => {
  const all = [drawn("a"), drawn("b")];
  const { scene, session, told } = kept(all);
  session.hidden.value = new Set(["a"]);
  scene.resume(all);
  expect(told).toEqual({ put: 1, restyled: 1 });
  expect(scene.shape("a")).toBeNull();
  session.hidden.value = new Set();
  scene.resume([all[0], { ...all[1], revision: 2 }]);
  expect(told).toEqual({ put: 2, restyled: 2 });
  expect(scene.shape("a")).not.toBeNull();
  scene.destroy();
});
