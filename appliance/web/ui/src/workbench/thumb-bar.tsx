import { signal } from "@preact/signals";

import { Icon, type IconName } from "../parts/icon";
import { stepBack } from "./actions";
import type { Bench } from "./bench";

const HAND_KEY = "pixelqueue.hand";
type Hand = "left" | "right";

const hand = signal<Hand>(typeof localStorage !== "undefined" && localStorage.getItem(HAND_KEY) === "left" ? "left" : "right");

function setHand(next: Hand): void {
  hand.value = next;
  localStorage.setItem(HAND_KEY, next);
}

interface Props {
  bench: Bench;
  /** Whether shapes are drawn here, and not only judged. */
  draws: boolean;
  onNext: () => void;
  onPanel: () => void;
  panelOpen: boolean;
}

/** What a pen or a finger cannot do on the canvas, under the thumb of either hand. */
export function ThumbBar({ bench, draws, onNext, onPanel, panelOpen }: Props) {
  const { editor, stage } = bench;
  const tool = bench.session.tool.value;
  const undo = (): void => {
    if (!stage?.undoPoint()) editor?.undo();
  };
  const finish = (): void => {
    if (stage?.finish()) return;
    bench.session.select();
    bench.session.tool.value = "select";
  };
  return (
    <div class="thumbs" data-hand={hand.value} role="toolbar" aria-label="Under the thumb">
      <Thumb icon="side" words="Hand" label={`To the ${hand.value === "right" ? "left" : "right"} hand`} onClick={() => setHand(hand.value === "right" ? "left" : "right")} />
      {draws && (tool === "brush" || tool === "segment") && (
        <Thumb icon="minus" words="− Click" label={`Next ${tool === "brush" ? "stroke" : "click"} takes away`} disabled={!editor} onClick={() => stage?.minus()} />
      )}
      {draws && <Thumb icon="tick" words="Finish" label="Finish the shape" disabled={!editor} onClick={finish} />}
      <Thumb icon="close" words="Cancel" label="Cancel" onClick={() => stepBack(bench)} />
      {draws && <Thumb icon="undo" words="Undo" label="Undo the last step" disabled={!editor} onClick={undo} />}
      {draws && <Thumb icon="trash" words="Delete" label="Delete the vertex, or the selection" disabled={!editor} onClick={() => remove(bench)} />}
      <Thumb icon="comment" words="Comment" label="Comment" onClick={() => (bench.talk.placing.value = true)} />
      <Thumb icon="list" class="of-drawer" words="Objects" label="Objects and labels" pressed={panelOpen} onClick={onPanel} />
      <Thumb icon="right" words="Next" label="Next image" onClick={onNext} />
    </div>
  );
}

function remove(bench: Bench): void {
  if (bench.stage?.deletePoint()) return;
  bench.editor?.remove([...bench.session.selection.value]);
}

interface ThumbProps {
  icon: IconName;
  words: string;
  label: string;
  disabled?: boolean;
  pressed?: boolean;
  class?: string;
  onClick: () => void;
}

function Thumb({ icon, words, label, disabled, pressed, class: more, onClick }: ThumbProps) {
  return (
    <button type="button" class={more} aria-label={label} aria-pressed={pressed} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
      <span aria-hidden="true">{words}</span>
    </button>
  );
}
