import { useEffect, useState } from "preact/hooks";

import { type Problem, toProblem } from "../../api/problem";
import { audit, type Chain } from "../../api/system";
import { Fault } from "../../parts/controls";
import { StateMark } from "../../parts/marks";
import { count, counted } from "../../parts/words";

/** Is every line as it was written: checked stretch by stretch while the page is open. */
export function ChainLine() {
  const [found, setFound] = useState<Chain | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let here = true;
    const walk = async (): Promise<void> => {
      for (let after = 0, done = false; here && !done; ) {
        const next = await audit.chain(after);
        if (here) setFound(next);
        after = next.checked;
        done = next.broken !== null || next.checked >= next.head.id;
      }
    };
    walk().catch((error: unknown) => here && setProblem(toProblem(error)));
    return () => void (here = false);
  }, []);
  if (!found) return <Fault problem={problem} />;
  const broken = found.broken !== null;
  return (
    <>
      <div class={broken ? "chain-line fault" : "chain-line"} role="status">
        <StateMark well={!broken} />
        <p>{words(found)}</p>
        {found.head.id > 0 && (
          <p class="second">
            Head <span class="mono">{found.head.hash}</span>
          </p>
        )}
      </div>
      {broken && (
        <p class="advice">
          Somebody wrote to the database past PixelQueue. Keep a copy of the data directory, and compare with the latest backup.
        </p>
      )}
      <Fault problem={problem} />
    </>
  );
}

function words({ head, checked, broken }: Chain): string {
  if (broken !== null) return `Line ${count(broken)} is not as it was written, or missing.`;
  if (checked < head.id) return `Checking the chain, ${count(checked)} of ${counted(head.id, "line")}.`;
  return `The chain holds, ${counted(head.id, "line")}.`;
}
