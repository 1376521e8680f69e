import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { type Problem, toProblem } from "../api/problem";
import type { Pictures, Ready } from "../editor/pictures";
import { events, line } from "./session";

const ASK_AGAIN_MS = 1_500;
const UNDER_WAY = new Set(["queued", "running", "paused"]);

/**
 * The picture of an image: at once when it was fetched ahead, otherwise the last one stays
 * until the new one is decoded, so that no spinner ever covers the canvas.
 */
export function usePicture(pictures: Pictures, imageId: number | null) {
  // What is there already is shown without a second rendering, which would stand before the first frame.
  const turn = useMemo(() => ({ there: imageId === null ? null : pictures.peek(imageId) }), [pictures, imageId]);
  const [came, setCame] = useState<{ turn: object; ready: Ready } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const current = useRef(imageId);
  current.current = imageId;
  const ready = came?.turn === turn ? came.ready : turn.there;
  const again = (fresh: Ready): void => {
    if (current.current === fresh.image.id) setCame({ turn, ready: { ...fresh } });
  };
  // One fetched ahead, or looked at before, is fetched again once somebody changed it.
  useEffect(() => events.on("annotations.changed", ({ data }) => {
    if (data.image_id !== current.current) pictures.forget(Number(data.image_id));
  }), [pictures]);
  useTiles(pictures, imageId, ready?.picture.preparing?.state ?? null, again);
  useLayoutEffect(() => {
    setProblem(null);
    if (imageId === null || turn.there) return;
    let wanted = true;
    let stop: () => void = () => undefined;
    const failed = (found: Problem): void => {
      setProblem(found);
      stop();
      stop = events.on("reached", ask);
      if (found.transient) line.failed();
    };
    const ask = (): void => {
      pictures.open(imageId).then(
        (found) => wanted && (setCame({ turn, ready: found }), setProblem(null)),
        (error: unknown) => wanted && failed(toProblem(error)),
      );
    };
    ask();
    return () => {
      wanted = false;
      stop();
    };
  }, [pictures, imageId, turn]);
  return { ready, problem };
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
