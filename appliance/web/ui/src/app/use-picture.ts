import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { type Problem, toProblem } from "../api/problem";
import type { Pictures, Ready } from "../editor/pictures";
import { events } from "./session";

const ASK_AGAIN_MS = 1_500;
const UNDER_WAY = new Set(["queued", "running", "paused"]);

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
  const shownNow = imageId === null ? null : pictures.peek(imageId);
  useTiles(pictures, imageId, shownNow?.picture.preparing?.state ?? null, (ready) => current.current === ready.image.id && setShown({ ...ready }));
  useLayoutEffect(() => {
    setProblem(null);
    if (imageId === null) {
      setShown(null);
      return;
    }
    let wanted = true;
    const ask = (): void => {
      pictures.get(imageId).then(
        (ready) => wanted && (setShown(ready), setProblem(null)),
        (error: unknown) => wanted && setProblem(toProblem(error)),
      );
    };
    const there = pictures.peek(imageId);
    if (there) {
      setShown(there);
      return;
    }
    ask();
    const stop = events.on("connected", ask);
    return () => {
      wanted = false;
      stop();
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

/** Show a very large picture by its tiles as soon as they are there, and how far they are until then. */
function useTiles(pictures: Pictures, imageId: number | null, state: string | null, show: (ready: Ready) => void): void {
  const latest = useRef(show);
  latest.current = show;
  useEffect(() => {
    const look = (id: number): void => {
      pictures.retile(id).then((ready) => ready && latest.current(ready), () => undefined);
    };
    pictures.onLost = (id) => id === imageId && look(id);
    const stop = events.on("image.tiled", ({ data }) => {
      if (data.image_id === imageId) look(Number(data.image_id));
      else pictures.forget(Number(data.image_id));
    });
    const timer = imageId !== null && state !== null && UNDER_WAY.has(state) ? setInterval(() => look(imageId), ASK_AGAIN_MS) : 0;
    return () => {
      stop();
      clearInterval(timer);
      pictures.onLost = () => undefined;
    };
  }, [pictures, imageId, state]);
}
