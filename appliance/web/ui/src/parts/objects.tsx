import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Annotation, Label } from "../api/types";
import { type AnnotationState, STATES, stateOf } from "../editor/document";
import { measure } from "../editor/shape";
import { numbered, tooUnsure } from "../editor/shapes-of";
import { Swatch } from "./controls";
import { Icon } from "./icon";
import { ANNOTATION_WORDS, AnnotationMark } from "./marks";

interface Props {
  annotations: readonly Annotation[];
  labels: readonly Label[];
  selected: string | null;
  threshold: number;
  onThreshold: (value: number) => void;
  onSelect: (id: string) => void;
  /** What stands at the right end of the selected row. */
  actions?: (annotation: Annotation) => ComponentChildren;
  /** A word in place of the state, as for a verdict not sent yet. */
  remark?: (annotation: Annotation) => string | null;
}

/** The objects of an image, grouped by state; the groups fold. */
export function Objects(props: Props) {
  const { annotations, labels, threshold, onThreshold } = props;
  const [folded, setFolded] = useState<ReadonlySet<AnnotationState>>(new Set(["rejected"]));
  const names = numbered(annotations, labels);
  const fold = (state: AnnotationState): void => {
    const next = new Set(folded);
    if (!next.delete(state)) next.add(state);
    setFolded(next);
  };
  return (
    <div class="objects">
      {STATES.map((state) => {
        const all = annotations.filter((annotation) => stateOf(annotation) === state);
        const shown = all.filter((annotation) => !tooUnsure(annotation, threshold));
        if (all.length === 0) return null;
        return (
          <section key={state}>
            <header>
              <button class="fold" aria-expanded={!folded.has(state)} onClick={() => fold(state)}>
                <Icon name={folded.has(state) ? "right" : "down"} />
                {ANNOTATION_WORDS[state]}
                <span class="second">{shown.length < all.length ? `${shown.length} of ${all.length}` : all.length}</span>
              </button>
              {state === "prediction" && <Threshold value={threshold} onChange={onThreshold} />}
            </header>
            {!folded.has(state) && (
              <ul>
                {shown.map((annotation) => (
                  <ObjectRow key={annotation.id} {...props} annotation={annotation} name={names.get(annotation.id) ?? ["", 0]} />
                ))}
              </ul>
            )}
          </section>
        );
      })}
    </div>
  );
}

function Threshold({ value, onChange }: { value: number; onChange: (value: number) => void }) {
  return (
    <label class="threshold">
      from
      <input
        type="range"
        min="0"
        max="0.95"
        step="0.05"
        value={value}
        aria-label="Least confidence of predictions that show"
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
      <span class="mono">{value.toFixed(2)}</span>
    </label>
  );
}

function ObjectRow(props: Props & { annotation: Annotation; name: [string, number] }) {
  const { annotation, name, labels, selected, onSelect, actions, remark } = props;
  const element = useRef<HTMLLIElement>(null);
  const on = annotation.id === selected;
  const state = stateOf(annotation);
  const color = labels.find((label) => label.id === annotation.label_id)?.color ?? "#E6E6E6";
  useEffect(() => {
    if (on) element.current?.scrollIntoView({ block: "nearest" });
  }, [on]);
  const tail = state === "prediction" ? annotation.confidence?.toFixed(2) : measure(annotation.geometry);
  return (
    <li ref={element} class={on ? "on" : ""}>
      <button aria-pressed={on} onClick={() => onSelect(annotation.id)}>
        <AnnotationMark state={state} />
        <Swatch color={color} />
        <span class="cut">
          {name[0]} <span class="second">{name[1]}</span>
        </span>
        <span class="space" />
        {!(on && actions) && <span class="mono second">{remark?.(annotation) ?? tail}</span>}
      </button>
      {on && actions?.(annotation)}
    </li>
  );
}
