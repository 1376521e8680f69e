import type { Signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { Camera, Point } from "../editor/camera";
import type { Shape } from "../editor/render/shapes";
import { Viewer } from "../editor/viewer";

interface Props {
  picture: { bitmap: CanvasImageSource; width: number; height: number } | null;
  shapes: readonly Shape[];
  selected: string | null;
  label: string;
  pointer?: Signal<Point | null>;
  camera?: Signal<Camera | null>;
  onPick: (id: string | null) => void;
  onReady?: (viewer: Viewer | null) => void;
}

/** The place where the framework ends: a viewer in a box, fed with what to show. */
export function Canvas({ picture, shapes, selected, label, pointer, camera, onPick, onReady }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const viewer = useRef<Viewer | null>(null);
  const pick = useRef(onPick);
  pick.current = onPick;
  useLayoutEffect(() => {
    if (!host.current) return;
    const made = new Viewer(host.current, {
      pick: (id) => pick.current(id),
      hover: (at) => pointer && (pointer.value = at),
      view: (next) => camera && (camera.value = next),
    });
    viewer.current = made;
    onReady?.(made);
    return () => {
      onReady?.(null);
      made.destroy();
      viewer.current = null;
    };
  }, []);
  useLayoutEffect(() => viewer.current?.setPicture(picture), [picture]);
  useLayoutEffect(() => viewer.current?.setShapes(shapes, selected), [shapes, selected]);
  return <div ref={host} class="canvas" role="img" aria-label={label} />;
}
