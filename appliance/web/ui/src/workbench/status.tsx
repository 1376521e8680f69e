import { outbox } from "../app/session";
import { stateOf } from "../editor/document";
import type { Answering } from "../editor/session";
import { measure } from "../editor/shape";
import { ANNOTATION_WORDS } from "../parts/marks";
import { PointerLine, ZoomLine } from "../parts/pointer-line";
import { SaveLine } from "../parts/save-line";
import { counted } from "../parts/words";
import type { Size } from "../editor/camera";
import type { Bench } from "./bench";

interface Props {
  bench: Bench;
  size: Size | null;
  /** More about this mode, in words. */
  words?: readonly string[];
}

/** The line below: where the pointer is, what is drawn and selected, how safe the work is. */
export function StatusLine({ bench, size, words = [] }: Props) {
  const { session } = bench;
  return (
    <footer class="status">
      <PointerLine session={session} size={size} />
      {session.measured.value && <span class="mono">{session.measured.value}</span>}
      {session.tool.value === "segment" && bench.editor && <span>{answeringWords(session.answering.value)}</span>}
      <span class="cut" aria-live="polite">
        {selectedWords(bench)}
      </span>
      {words.map((word) => (
        <span key={word} class="cut">
          {word}
        </span>
      ))}
      <span class="space" />
      <SaveLine outbox={outbox.value} revision={bench.revision} />
      <ZoomLine session={session} />
    </footer>
  );
}

/** Who answers the clicks of smart segment. */
function answeringWords({ segmenter, busy }: Answering): string {
  if (busy) return segmenter ? `${segmenter} is looking` : "Looking";
  return segmenter ?? "";
}

/** "person, accepted, 70 × 133, confidence 0.71" */
function selectedWords(bench: Bench): string {
  const chosen = bench.selected.value;
  if (chosen.length !== 1) return chosen.length > 1 ? `${counted(chosen.length, "object")} selected` : "";
  const [one] = chosen;
  const state = stateOf(one);
  const label = bench.labels.value.find(({ id }) => id === one.label_id)?.name ?? "no label";
  const word = state === "prediction" ? "prediction" : ANNOTATION_WORDS[state].toLowerCase();
  return [label, word, measure(one.geometry), one.confidence !== null && `confidence ${one.confidence.toFixed(2)}`].filter(Boolean).join(", ");
}
