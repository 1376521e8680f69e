import { useLayoutEffect, useRef } from "preact/hooks";

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
      <div ref={host} class="canvas" role="img" tabIndex={0} aria-label={label} />
      <Preparing job={opened?.picture.preparing ?? null} />
    </>
  );
}
