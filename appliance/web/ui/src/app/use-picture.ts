import { useEffect, useRef, useState } from "preact/hooks";

import { type Problem, toProblem } from "../api/problem";
import type { Pictures, Ready } from "../editor/pictures";
import { events } from "./session";

/**
 * The picture of an image: at once when it was fetched ahead, otherwise the last one stays
 * until the new one is decoded, so that no spinner ever covers the canvas.
 */
export function usePicture(pictures: Pictures, imageId: number | null) {
  const [shown, setShown] = useState<Ready | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const current = useRef(imageId);
  current.current = imageId;
  // One fetched ahead, or looked at before, is fetched again once somebody changed it.
  useEffect(() => events.on("annotations.changed", ({ data }) => {
    if (data.image_id !== current.current) pictures.forget(Number(data.image_id));
  }), [pictures]);
  useEffect(() => {
    setProblem(null);
    if (imageId === null) {
      setShown(null);
      return;
    }
    let wanted = true;
    const there = pictures.peek(imageId);
    if (there) {
      setShown(there);
      return;
    }
    pictures.get(imageId).then(
      (ready) => wanted && setShown(ready),
      (error: unknown) => wanted && setProblem(toProblem(error)),
    );
    return () => {
      wanted = false;
    };
  }, [pictures, imageId]);
  const at = imageId === null ? null : (pictures.peek(imageId) ?? shown);
  const refresh = (): void => {
    if (imageId === null) return;
    pictures.refresh(imageId).then(
      (ready) => ready && current.current === imageId && setShown({ ...ready }),
      () => undefined,
    );
  };
  return { ready: shown && imageId !== null && shown.image.id === imageId ? shown : at, problem, refresh };
}
