import { useEffect } from "preact/hooks";

import { useAct } from "../../app/use";
import type { Done } from "./bulk";

const SHOWN_MS = 20_000;

/** What was done to many images, with the way back while it is fresh. */
export function DoneLine({ done, onNext }: { done: Done | null; onNext: (next: Done | null) => void }) {
  const { busy, problem, run } = useAct();
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => onNext(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [done]);
  const undo = done?.undo;
  return (
    <span role="status">
      {problem?.message ?? done?.words}
      {undo && !problem && (
        <>
          {" "}
          <button class="link" disabled={busy} onClick={() => run(() => undo().then(onNext))}>
            Undo
          </button>
        </>
      )}
    </span>
  );
}
