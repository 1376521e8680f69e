import type { Annotation } from "../api/types";
import { openDesk } from "../app/desk";
import { type Handlers, keyName } from "../app/keys";
import { me } from "../app/session";
import { copied, copy, propagated } from "../editor/clips";
import { isPrediction } from "../editor/document";
import type { ToolName } from "../editor/session";
import { TOOLS } from "../editor/tools";
import { counted } from "../parts/words";
import type { Bench } from "./bench";
import { digits } from "./labels";
import { comment } from "./pins";

export const ids = (annotations: readonly Annotation[]): string[] => annotations.map((one) => one.id);

export function pickTool(bench: Bench, name: ToolName): void {
  if (bench.readOnly.value !== null) return;
  bench.session.tool.value = name;
}

/** Set the label of what is drawn next, and of what is selected. */
export function pickLabel(bench: Bench, labelId: number): void {
  bench.session.labelId.value = labelId;
  bench.editor?.relabel(ids(bench.selected.value), labelId);
}

/** Accept or reject what is selected; a single one leads on to the next prediction. */
export function judge(bench: Bench, how: "accept" | "reject"): void {
  const { editor, session } = bench;
  const chosen = ids(bench.selected.value);
  if (!editor || chosen.length === 0) return;
  const next = chosen.length === 1 ? bench.nextPrediction(chosen[0]) : null;
  editor[how](chosen);
  session.select(...(next ? [next] : []));
}

export function acceptAll(bench: Bench): void {
  const document = bench.desk.value?.document;
  const shown = bench.order.value.filter((id) => {
    const one = document?.get(id);
    return one && isPrediction(one);
  });
  bench.editor?.accept(shown);
}

function paste(bench: Bench): void {
  const { editor } = bench;
  if (editor) bench.session.select(...editor.paste(copied(bench.labels.value, editor.size)));
}

/** Put copies of the selection on the next images; what is in review there stays as it is. */
export async function propagate(bench: Bench, imageIds: readonly number[]): Promise<void> {
  const chosen = bench.selected.value;
  if (chosen.length === 0) {
    bench.notice.value = "Select what is to go on to the next images.";
    return;
  }
  let n = 0;
  for (const imageId of imageIds) {
    const ready = await bench.pictures.get(imageId);
    if (["in_review", "done"].includes(ready.image.state)) continue;
    const desk = openDesk(bench.project.peek().id, ready, me.peek()?.id ?? 0);
    desk.editor.put(propagated(chosen, desk.editor.size, me.peek()?.id ?? 0));
    n++;
  }
  const shown = bench.desk.value && bench.pictures.peek(bench.desk.value.imageId);
  if (shown) openDesk(bench.project.peek().id, shown, me.peek()?.id ?? 0);
  bench.notice.value = n > 0 ? `Copied to ${counted(n, "next image")}.` : "No next image takes copies.";
}

function nudge(bench: Bench, dx: number, dy: number) {
  return (event: KeyboardEvent): unknown => {
    if (!bench.editor || bench.selected.value.length === 0) return false;
    return bench.editor.nudge(ids(bench.selected.value), dx, dy, event.repeat);
  };
}

/** The tool has the first word on a key; what it has no use for goes on. */
const forTool = (bench: Bench, otherwise: () => unknown) => (event: KeyboardEvent): unknown =>
  bench.stage?.key(keyName(event)) ? undefined : otherwise();

/** Hide what is selected, or everything when nothing is. */
export function toggleHidden(bench: Bench): void {
  const { session } = bench;
  const chosen = ids(bench.selected.value);
  if (chosen.length === 0) session.hiddenAll.value = !session.hiddenAll.value;
  else session.toggleHidden(chosen);
}

/** Tab walks through the objects only where nothing else has the focus: it is no trap. */
function onCanvas(): boolean {
  const at = document.activeElement;
  return at === null || at === document.body || at.closest(".canvas") !== null;
}

const REGIONS = [".canvas", ".tools button", ".panel button", ".workbar :is(button, a)"];

/** Give the focus to the next part of the workbench. */
function nextRegion(): void {
  const first = REGIONS.flatMap((one) => [...document.querySelectorAll<HTMLElement>(`${one}:not(:disabled)`)].find((control) => control.checkVisibility()) ?? []);
  const part = (element: Element | null): Element | null => element?.closest(".canvas, .tools, .panel, .workbar") ?? null;
  const now = part(document.activeElement);
  const at = first.findIndex((element) => part(element) === now);
  first[(at + 1) % first.length]?.focus();
}

/** What every mode of the workbench does with a picture; `first` is what Tab walks before the objects. */
export function pictureKeys(bench: Bench, first: () => boolean = () => false): Handlers {
  return {
    fit: () => bench.stage?.fit(),
    "actual-size": () => bench.stage?.zoomTo(1),
    "zoom-in": () => bench.stage?.zoomBy(1.25),
    "zoom-out": () => bench.stage?.zoomBy(0.8),
    comment: () => comment(bench),
    cycle: (event) => onCanvas() && (bench.stage?.key(keyName(event)) || first() || bench.cycle(1)),
    "cycle-back": () => onCanvas() && bench.cycle(-1),
    region: nextRegion,
    hide: () => toggleHidden(bench),
    names: () => void (bench.session.names.value = !bench.session.names.value),
    chrome: () => void (bench.bare.value = !bench.bare.value),
  };
}

/** Drawing and editing. */
export function editKeys(bench: Bench): Handlers {
  const { session } = bench;
  const tools = (Object.keys(TOOLS) as ToolName[]).map((name) => [name, () => pickTool(bench, name)] as const);
  const labels = [...digits(bench.labels.value)].map(([digit, label]) => [`label-${digit}`, () => pickLabel(bench, label.id)] as const);
  const chosen = (): string[] => ids(bench.selected.value);
  return {
    ...Object.fromEntries(tools),
    ...Object.fromEntries(labels),
    "find-label": () => void (bench.finding.value = true),
    "brush-smaller": () => bench.stage?.key("["),
    "brush-larger": () => bench.stage?.key("]"),
    finish: () => bench.stage?.finish() ?? false,
    repeat: () => bench.stage?.repeat(),
    undo: forTool(bench, () => bench.editor?.undo()),
    redo: () => bench.editor?.redo(),
    delete: forTool(bench, () => bench.editor?.remove(chosen())),
    copy: () => copy(bench.selected.value, bench.labels.value),
    paste: () => paste(bench),
    duplicate: () => void session.select(...(bench.editor?.duplicate(chosen()) ?? [])),
    lock: () => session.toggleLocked(chosen()),
    "move-left": nudge(bench, -1, 0),
    "move-right": nudge(bench, 1, 0),
    "move-up": nudge(bench, 0, -1),
    "move-down": nudge(bench, 0, 1),
    "move-left-far": nudge(bench, -10, 0),
    "move-right-far": nudge(bench, 10, 0),
    "move-up-far": nudge(bench, 0, -10),
    "move-down-far": nudge(bench, 0, 10),
    accept: () => judge(bench, "accept"),
    reject: () => judge(bench, "reject"),
    "accept-all": () => acceptAll(bench),
  };
}

/** Leave what is under way, one thing at a time; false when there was nothing. */
export function stepBack(bench: Bench): boolean {
  const { session } = bench;
  if (bench.talk.leave()) return true;
  if (bench.past.value) {
    bench.past.value = null;
    return true;
  }
  if (bench.stage?.cancel()) return true;
  if (session.selection.value.size > 0) {
    session.select();
    return true;
  }
  if (session.tool.value === "select") return false;
  session.tool.value = "select";
  return true;
}
