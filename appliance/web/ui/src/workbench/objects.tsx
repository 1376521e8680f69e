import { useEffect, useRef, useState } from "preact/hooks";

import type { Annotation } from "../api/types";
import { hint } from "../app/keys";
import type { AnnotationState } from "../editor/document";
import { isPrediction, stateOf } from "../editor/document";
import { measure } from "../editor/shape";
import { numbered } from "../editor/shapes-of";
import { IconButton, Swatch } from "../parts/controls";
import { Icon } from "../parts/icon";
import { ANNOTATION_WORDS, AnnotationMark } from "../parts/marks";
import { toggled } from "../editor/session";
import { judge } from "./actions";
import { type Bench, grouped } from "./bench";
import { between, type Row, rowsOf, WHOLE, windowOf } from "./rows";

interface Props {
  bench: Bench;
  /** A word in place of the size, as for a verdict not given yet. */
  remark?: (annotation: Annotation) => string | null;
  /** What stands at the right end of the row when it alone is selected. */
  actions?: (annotation: Annotation) => preact.ComponentChildren;
}

/** The objects of an image, grouped by state; groups fold, long lists are drawn where they are looked at. */
export function Objects(props: Props) {
  const { bench } = props;
  const { session } = bench;
  const [folded, setFolded] = useState<ReadonlySet<AnnotationState>>(new Set(["rejected"]));
  const [view, setView] = useState({ top: 0, height: 800, row: 28 });
  const element = useRef<HTMLDivElement>(null);
  const anchor = useRef<string | null>(null);
  const rows = rowsOf(grouped(bench.listed.value), folded, session.threshold.value);
  const names = numbered(bench.listed.value, bench.labels.value);
  const [from, to] = windowOf(rows.length, view.top, view.height, view.row);
  const single = session.single;

  const look = (): void => {
    const host = element.current;
    const line = host?.querySelector("li, header");
    if (host && rows.length > WHOLE) setView({ top: host.scrollTop, height: host.clientHeight, row: line?.clientHeight || 28 });
  };
  useEffect(look, [rows.length]);
  useEffect(() => {
    const host = element.current;
    const at = rows.findIndex((row) => row.kind === "object" && row.annotation.id === single);
    if (!host || at === -1) return;
    const shown = host.querySelector("li.on");
    if (shown) shown.scrollIntoView({ block: "nearest" });
    else host.scrollTop = at * view.row - host.clientHeight / 2;
  }, [single]);

  useEffect(() => {
    const one = bench.annotations.value.find(({ id }) => id === single);
    if (one && folded.has(stateOf(one))) fold(stateOf(one));
  }, [single]);

  const fold = (state: AnnotationState): void => setFolded(new Set(toggledState(folded, state)));
  const pick = (id: string, event: MouseEvent): void => {
    if (event.shiftKey && anchor.current) session.select(...between(rows, anchor.current, id));
    else if (event.ctrlKey || event.metaKey) session.selection.value = toggled(session.selection.value, [id]);
    else session.select(id);
    if (!event.shiftKey) anchor.current = id;
  };
  return (
    <div class="objects" ref={element} onScroll={look}>
      <ul style={{ paddingTop: from * view.row, paddingBottom: (rows.length - to) * view.row }}>
        {rows.slice(from, to).map((row) =>
          row.kind === "group" ? (
            <GroupRow key={row.state} row={row} bench={bench} open={!folded.has(row.state)} onFold={fold} />
          ) : (
            <ObjectRow key={row.annotation.id} {...props} annotation={row.annotation} name={names.get(row.annotation.id) ?? ["", 0]} onPick={pick} />
          ),
        )}
      </ul>
    </div>
  );
}

function toggledState(set: ReadonlySet<AnnotationState>, state: AnnotationState): Set<AnnotationState> {
  const next = new Set(set);
  if (!next.delete(state)) next.add(state);
  return next;
}

interface GroupProps {
  row: Extract<Row, { kind: "group" }>;
  bench: Bench;
  open: boolean;
  onFold: (state: AnnotationState) => void;
}

function GroupRow({ row, bench, open, onFold }: GroupProps) {
  return (
    <li class="group">
      <button class="fold" aria-expanded={open} onClick={() => onFold(row.state)}>
        <Icon name={open ? "down" : "right"} />
        {ANNOTATION_WORDS[row.state]}
        <span class="second">{row.shown < row.all ? `${row.shown} of ${row.all}` : row.all}</span>
      </button>
      {row.state === "prediction" && <Threshold bench={bench} />}
    </li>
  );
}

function Threshold({ bench }: { bench: Bench }) {
  const { threshold } = bench.session;
  return (
    <label class="threshold">
      from
      <input
        type="range"
        min="0"
        max="0.95"
        step="0.05"
        value={threshold.value}
        aria-label="Lowest confidence of predictions that show"
        onInput={(event) => (threshold.value = Number(event.currentTarget.value))}
      />
      <span class="mono">{threshold.value.toFixed(2)}</span>
    </label>
  );
}

interface RowProps extends Props {
  annotation: Annotation;
  name: [string, number];
  onPick: (id: string, event: MouseEvent) => void;
}

function ObjectRow({ bench, annotation, name, onPick, remark, actions }: RowProps) {
  const { session } = bench;
  const { id } = annotation;
  const on = session.selection.value.has(id);
  const alone = on && session.selection.value.size === 1;
  const [hidden, locked] = [session.hidden.value.has(id), session.locked.value.has(id)];
  const state = stateOf(annotation);
  const color = bench.labels.value.find((label) => label.id === annotation.label_id)?.color ?? "#E6E6E6";
  const tail = remark?.(annotation) ?? (state === "prediction" ? confidence(annotation, alone) : measure(annotation.geometry));
  return (
    <li class={`${on ? "on" : ""} ${hidden ? "hid" : ""}`} onPointerEnter={() => (session.hovered.value = id)} onPointerLeave={() => (session.hovered.value = null)}>
      <button aria-pressed={on} onClick={(event) => onPick(id, event)}>
        <AnnotationMark state={state} />
        <Swatch color={color} />
        <span class="cut">
          {name[0]} <span class="second">{name[1]}</span>
        </span>
        {locked && <span class="second small">locked</span>}
        {hidden && <span class="second small">hidden</span>}
        <span class="space" />
        <span class="mono second tail">{tail}</span>
      </button>
      {alone && (actions ? actions(annotation) : <RowActions bench={bench} annotation={annotation} />)}
      {on && (
        <IconButton icon={hidden ? "hidden" : "eye"} label={hidden ? "Show" : "Hide"} hint={hint("hide")} class="by-mouse" onClick={() => session.toggleHidden([id])} />
      )}
      {on && bench.editor && (
        <IconButton icon={locked ? "lock" : "unlock"} label={locked ? "Unlock" : "Lock"} hint={hint("lock")} class="by-mouse" onClick={() => session.toggleLocked([id])} />
      )}
    </li>
  );
}

/** Beside the verdicts there is no room for it: the facts below have it then. */
function confidence(annotation: Annotation, alone: boolean): string {
  return alone ? "" : (annotation.confidence?.toFixed(2) ?? "");
}

function RowActions({ bench, annotation }: { bench: Bench; annotation: Annotation }) {
  if (!bench.editor) return null;
  if (!isPrediction(annotation)) {
    return <IconButton icon="trash" label="Delete" hint={hint("delete")} onClick={() => bench.editor?.remove([annotation.id])} />;
  }
  return (
    <>
      <IconButton icon="tick" label="Accept" hint={hint("accept")} onClick={() => judge(bench, "accept")} />
      <IconButton icon="close" label="Reject" hint={hint("reject")} onClick={() => judge(bench, "reject")} />
    </>
  );
}
