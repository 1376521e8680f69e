import type { SegmentAs } from "../editor/session";
import { Choice } from "../parts/choice";
import type { Bench } from "./bench";

const KINDS: readonly (readonly [SegmentAs, string])[] = [["polygon", "polygon"], ["mask", "mask"]];
const MOST_PX = 10;

/** What smart segment makes, over the canvas while the tool is taken up. */
export function SegmentBar({ bench }: { bench: Bench }) {
  const { session } = bench;
  if (session.tool.value !== "segment" || !bench.editor) return null;
  const { segmentAs, tolerance, answering } = session;
  const { trouble } = answering.value;
  return (
    <div class="chip segment-bar" role="group" aria-label="Smart segment">
      <Choice name="Keep as" options={KINDS} value={segmentAs.value} onPick={(value) => {
          segmentAs.value = value;
          bench.stage?.redraw();
        }} />
      <label class={segmentAs.value === "mask" ? "second" : ""}>
        Tolerance
        <input
          type="range" min="0" max={MOST_PX} step="0.5" value={tolerance.value} disabled={segmentAs.value === "mask"}
          onInput={(event) => {
            tolerance.value = Number(event.currentTarget.value);
            bench.stage?.redraw();
          }}
        />
        <span class="mono">{tolerance.value.toFixed(1)} px</span>
      </label>
      <span class={trouble ? "" : "second wide-only"} role="status">
        {trouble ?? (session.measured.value ? <Ends /> : "Click an object, or drag a box around it")}
      </span>
    </div>
  );
}

/** Keys end it, or the bar under the thumb. */
function Ends() {
  return (
    <>
      <span class="by-key">Enter accepts, Esc drops</span>
      <span class="by-thumb">Finish accepts, Cancel drops</span>
    </>
  );
}
