import type { StateCounts } from "../api/types";
import { count } from "./words";

/** One grey ramp with a pattern: done, in review, in progress; the empty rest is open. */
export function StateBar({ states, total }: { states: StateCounts; total: number }) {
  const share = (n: number) => ({ width: total > 0 ? `${(100 * n) / total}%` : "0" });
  return (
    <div class="state-bar" role="img" aria-label={barWords(states, total)}>
      <i class="done" style={share(states.done)} />
      <i class="review" style={share(states.in_review)} />
      <i class="progress" style={share(states.in_progress)} />
    </div>
  );
}

/** "214 in review, 96 in progress, 558 open"; "Open" includes returned and skipped. */
export function barWords(states: StateCounts, total: number): string {
  if (total === 0) return "no images yet";
  if (states.done === total) return "all done";
  const open = states.open + states.returned + states.skipped;
  const parts: [number, string][] = [
    [states.in_review, "in review"],
    [states.in_progress, "in progress"],
    [open, "open"],
  ];
  return parts
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${count(n)} ${word}`)
    .join(", ");
}

/** How far something came. Without a total it stays empty and the words beside it count. */
export function Progress({ done, total, label }: { done: number; total: number; label: string }) {
  const percent = total > 0 ? Math.min(100, (100 * done) / total) : 0;
  return (
    <div
      class="state-bar"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
    >
      <i class="done" style={{ width: `${percent}%` }} />
    </div>
  );
}
