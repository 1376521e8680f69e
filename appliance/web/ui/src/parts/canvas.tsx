import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { EditorSession } from "../editor/session";
import { type Opened, Stage } from "../editor/stage";
import { Preparing } from "./preparing";

interface Props {
  session: EditorSession;
  /** What lies on it; keep the same object as long as it is the same. */
  opened: Opened | null;
  label: string;
  onReady?: (stage: Stage | null) => void;
}

/** The place where the framework ends: a stage in a box. */
export function Canvas({ session, opened, label, onReady }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage | null>(null);
  const ring = useRing();
  useLayoutEffect(() => {
    if (!host.current) return;
    const made = new Stage(host.current, session);
    stage.current = made;
    onReady?.(made);
    host.current.focus({ preventScroll: true });
    return () => {
      onReady?.(null);
      made.destroy();
      stage.current = null;
    };
  }, [session]);
  useLayoutEffect(() => stage.current?.open(opened), [opened, session]);
  return (
    <>
      <div ref={host} role="img" tabIndex={0} aria-label={label} {...ring} />
      <Preparing job={opened?.picture.preparing ?? null} />
    </>
  );
}

const WALKING = ["Tab", "F6"];

/** A ring around the canvas where the keyboard brought the focus, not where the page or a pointer did. */
function useRing() {
  const [ringed, setRinged] = useState(false);
  const within = useRef(false);
  return {
    class: ringed ? "canvas ringed" : "canvas",
    onKeyDown: ({ key }: KeyboardEvent): void => void (within.current = WALKING.includes(key)),
    onKeyUp: ({ key }: KeyboardEvent): void => {
      if (WALKING.includes(key) && !within.current) setRinged(true);
      within.current = false;
    },
    onBlur: (): void => {
      within.current = false;
      setRinged(false);
    },
    onPointerDown: (): void => setRinged(false),
  };
}
