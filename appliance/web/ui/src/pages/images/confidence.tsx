import { useEffect, useState } from "preact/hooks";

type Range = readonly [number, number];

const STEP = 0.05;
const WHOLE: Range = [0, 1];

/** A range of confidence over how many untouched predictions have which. */
export function Confidence({ bins, value, onPick }: { bins: readonly number[]; value: Range | null; onPick: (range: Range | null) => void }) {
  const [range, setRange] = useState<Range>(value ?? WHOLE);
  useEffect(() => setRange(value ?? WHOLE), [value?.[0], value?.[1]]);
  const most = Math.max(1, ...bins);
  if (!value && bins.every((n) => n === 0)) return null;
  const settle = (next: Range): void => onPick(next[0] === 0 && next[1] === 1 ? null : next);
  const thumb = (label: string, at: 0 | 1) => (
    <input
      type="range"
      aria-label={label}
      min="0"
      max="1"
      step={STEP}
      value={range[at]}
      onInput={(event) => setRange(moved(range, at, Number(event.currentTarget.value)))}
      onChange={(event) => settle(moved(range, at, Number(event.currentTarget.value)))}
    />
  );
  return (
    <>
      <h3>
        Confidence
        <span class="space" />
        <span class="mono">
          {range[0].toFixed(2)} to {range[1].toFixed(2)}
        </span>
      </h3>
      <div class="confidence">
        <div class="bins" aria-hidden="true">
          {bins.map((n, i) => {
            const inside = (i + 1) / bins.length > range[0] && i / bins.length < range[1];
            return <i key={i} class={inside ? "inside" : ""} style={{ height: `${n === 0 ? 0 : Math.max(4, (100 * n) / most)}%` }} />;
          })}
        </div>
        <div class="thumbs">
          {thumb("Lowest confidence", 0)}
          {thumb("Most confidence", 1)}
        </div>
      </div>
    </>
  );
}

/** Move one end; the other gives way. */
export function moved(range: Range, at: 0 | 1, to: number): Range {
  return at === 0 ? [to, Math.max(to, range[1])] : [Math.min(to, range[0]), to];
}
