import type { Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

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
  useEffect(() => {
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
  useEffect(() => viewer.current?.setPicture(picture), [picture]);
  useEffect(() => viewer.current?.setShapes(shapes, selected), [shapes, selected]);
  return <div ref={host} class="canvas" role="img" aria-label={label} />;
}
