import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { images, tasks } from "../api/client";
import { type Problem, toProblem } from "../api/problem";
import type { Label, Task } from "../api/types";
import { type Desk, openDesk } from "../app/desk";
import { editing } from "../app/editing";
import { useKeys } from "../app/keys";
import type { ProjectPageProps } from "../app/project";
import { go, place } from "../app/router";
import { me, outbox } from "../app/session";
import { useEvents } from "../app/use";
import { usePicture } from "../app/use-picture";
import { WorkQueue } from "../app/work-queue";
import { isPrediction, stateOf } from "../editor/document";
import { Pictures, type Ready } from "../editor/pictures";
import { neighbour, shapesOf } from "../editor/shapes-of";
import type { ToolName } from "../editor/session";
import type { Opened, Stage } from "../editor/stage";
import { Canvas } from "../parts/canvas";
import { Conflicts } from "../parts/conflicts";
import { Button, Empty, Fault, IconButton, Swatch } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { TASK_WORDS } from "../parts/marks";
import { Objects } from "../parts/objects";
import { PointerLine, ZoomLine } from "../parts/pointer-line";
import { QueueStrip, type StripItem } from "../parts/queue-strip";
import { SaveLine } from "../parts/save-line";
import { counted } from "../parts/words";

/** The image on the desk; the page is drawn again with each of its changes. */
function useDesk(projectId: number, ready: Ready | null): Desk | null {
  const [, redraw] = useState(0);
  const userId = me.value?.id ?? 0;
  const desk = useMemo(() => (ready ? openDesk(projectId, ready, userId) : null), [ready?.image.id, userId]);
  useEffect(() => desk?.document.listen(() => redraw((n) => n + 1)), [desk]);
  return desk;
}

export function Annotate({ project, labels }: ProjectPageProps) {
  const queue = useMemo(() => new WorkQueue(project.id, "annotate"), [project.id]);
  const pictures = useMemo(() => new Pictures(project.id), [project.id]);
  const task = queue.current.value;
  const { ready, problem } = usePicture(pictures, task?.image_id ?? null);
  const fits = ready && task && ready.image.id === task.image_id ? ready : null;
  const desk = useDesk(project.id, fits);
  const tool = editing.tool.value;
  const labelId = editing.labelId.value;
  const selected = editing.single;
  const setSelected = (id: string | null): void => editing.select(...(id ? [id] : []));
  const [past, setPast] = useState<readonly StripItem[]>([]);
  const [refused, setRefused] = useState<Problem | null>(null);
  const [guideline, setGuideline] = useState(false);
  const stage = useRef<Stage | null>(null);
  const editor = desk?.editor ?? null;
  const document = editor?.document ?? null;
  const current = document && selected ? document.get(selected) : null;

  useEffect(() => {
    const asked = Number(place.value.query.get("image"));
    if (!asked) {
      void queue.start();
      return;
    }
    images
      .get(project.id, asked)
      .then((image) => tasks.take(project.id, image.task.id).catch(() => image.task))
      .then((picked) => queue.start(picked))
      .catch((error: unknown) => setRefused(toProblem(error)));
  }, [queue]);
  useEffect(() => pictures.ahead([task, ...queue.ahead.value.slice(0, 2)].flatMap((one) => one?.image_id ?? [])), [
    task?.id,
    queue.ahead.value,
  ]);
  useEffect(() => {
    setSelected(null);
  }, [task?.id]);
  useEvents(["task.changed"], project.id, () => !task && void queue.refresh());

  useEffect(() => void (editing.tool.value = "select"), []);
  useEffect(() => {
    if (!labels.some((label) => label.id === editing.labelId.value)) editing.labelId.value = labels[0]?.id ?? 0;
  }, [project.id, labels]);
  const opened = useMemo(
    (): Opened | null =>
      ready && {
        picture: ready.picture,
        document,
        editor,
        labels,
      },
    [ready?.picture, editor, labels],
  );

  const annotations = document?.all ?? [];
  const shapes = shapesOf(annotations, labels, { threshold: editing.threshold.value, hidden: editing.hiddenAll.value });
  const tally = (state: string): number => annotations.filter((one) => stateOf(one) === state).length;
  const words = `Submit · ${tally("drawn")} drawn · ${tally("accepted")} accepted`;

  /** Save, tell the box, and have the next task on the desk meanwhile. */
  const hand = (what: "submit" | "skip"): void => {
    if (!task || !desk) return;
    const leaving: Task = task;
    setRefused(null);
    queue.advance();
    setPast((all) => [{ task: leaving, word: what === "submit" ? "Submitted" : "Skipped", mark: what === "submit" ? "done" : "skipped" } as StripItem, ...all].slice(0, 3));
    desk
      .hand(what, leaving, what === "skip" ? "skipped by the annotator" : null)
      .catch(() => {
        setPast((all) => all.filter((one) => one.task.id !== leaving.id));
        queue.back(leaving);
      })
      .then(() => queue.settle())
      .catch(() => undefined);
  };
  const pickTool = (name: ToolName): void => {
    editing.tool.value = name;
  };
  const pickLabel = (label: Label | undefined): void => {
    if (!label) return;
    editing.labelId.value = label.id;
    if (selected) editor?.relabel([selected], label.id);
  };
  const onSelection = (act: (id: string) => void) => (): void => {
    if (selected) act(selected);
  };
  /** Accept or reject the selected prediction, then go to the next one. */
  const judge = (how: "accept" | "reject"): void => {
    if (!editor || !selected) return;
    const order = shapes.filter((shape) => isPrediction(shape.annotation)).map((shape) => shape.annotation.id);
    const next = order[order.indexOf(selected) + 1] ?? null;
    editor[how]([selected]);
    setSelected(next);
  };
  const acceptAll = (): void =>
    editor?.accept(shapes.filter((shape) => isPrediction(shape.annotation)).map((shape) => shape.annotation.id));
  const nudge = (dx: number, dy: number) => (event: KeyboardEvent): void => {
    if (!editor || !current) return;
    const by = event.shiftKey ? 10 : 1;
    editor.nudge([current.id], dx * by, dy * by, event.repeat);
  };
  const forTool = (name: string, otherwise: () => void) => (): void => {
    if (!stage.current?.key(name)) otherwise();
  };
  const cycle = (by: number): void => setSelected(neighbour(shapes, selected, by));
  const byKey = (key: string): Label | undefined =>
    labels.find((label) => label.hotkey === key) ?? labels.filter((label) => !label.hotkey)[Number(key || 10) - 1];
  const arrows = ([["arrowleft", -1, 0], ["arrowright", 1, 0], ["arrowup", 0, -1], ["arrowdown", 0, 1]] as const).flatMap(
    ([key, dx, dy]) => [[`${key}*`, nudge(dx, dy)] as const, [`shift+${key}*`, nudge(dx, dy)] as const],
  );
  useKeys({
    v: () => pickTool("select"),
    b: () => pickTool("box"),
    r: () => pickTool("rotated_box"),
    p: () => pickTool("polygon"),
    l: () => pickTool("polyline"),
    k: () => pickTool("keypoints"),
    m: () => pickTool("brush"),
    e: () => pickTool("eraser"),
    n: () => stage.current?.repeat(),
    enter: () => stage.current?.key("enter"),
    "[*": () => stage.current?.key("["),
    "]*": () => stage.current?.key("]"),
    y: () => judge("accept"),
    x: () => judge("reject"),
    "shift+y": acceptAll,
    delete: forTool("delete", onSelection((id) => editor?.remove([id]))),
    backspace: forTool("backspace", onSelection((id) => editor?.remove([id]))),
    "ctrl+z*": forTool("ctrl+z", () => editor?.undo()),
    "ctrl+shift+z*": () => editor?.redo(),
    "ctrl+y*": () => editor?.redo(),
    "ctrl+enter": () => hand("submit"),
    "shift+d": () => hand("skip"),
    escape: forTool("escape", () => (stage.current?.cancel(), setSelected(null), pickTool("select"))),
    "tab*": forTool("tab", () => cycle(1)),
    "shift+tab*": () => cycle(-1),
    h: () => (editing.hiddenAll.value = !editing.hiddenAll.value),
    f: () => stage.current?.fit(),
    "shift+0": () => stage.current?.zoomTo(1),
    g: () => setGuideline(true),
    ...Object.fromEntries([..."1234567890"].map((key) => [key, () => pickLabel(byKey(key))])),
    ...Object.fromEntries(arrows),
  });

  if (queue.known.value && !task) {
    return (
      <main class="sheet alone">
        <Fault problem={refused ?? queue.problem.value} />
        <Empty action={<Button onClick={() => go(`/projects/${project.id}/images`)}>All images</Button>}>
          {project.images === 0 ? "There is nothing to annotate yet: add images first." : "Nothing is open: every image is submitted, in review or done."}
        </Empty>
      </main>
    );
  }
  const strip: StripItem[] = [
    ...[...past].reverse(),
    ...(task ? [{ task, word: "Now", mark: "in_progress", now: true } as const] : []),
    ...queue.ahead.value.map((one) => ({ task: one, word: TASK_WORDS[one.state], mark: one.state }) as const),
  ];
  const waiting = queue.problem.value?.transient && outbox.value?.standing.value === "offline";
  const trouble = refused ?? problem ?? (waiting ? null : queue.problem.value) ?? (desk?.saver.state.value === "refused" ? desk.saver.problem.value : null);
  return (
    <main class="work annotate">
      <div class="workbar">
        <span class="mono cut">{fits?.image.name}</span>
        <span class="second wide-only">{fits && `${fits.image.width} × ${fits.image.height}`}</span>
        {task?.reason && <span class="cut">Returned: {task.reason}</span>}
        <span class="space" />
        {project.guideline && (
          <Button kind="quiet" hint="G" class="wide-only" onClick={() => setGuideline(true)}>
            Guideline
          </Button>
        )}
        <IconButton icon="undo" label="Undo" hint="Ctrl Z" disabled={!editor?.history.canUndo} onClick={() => editor?.undo()} />
        <IconButton icon="redo" label="Redo" hint="Ctrl Shift Z" disabled={!editor?.history.canRedo} onClick={() => editor?.redo()} />
        <Button kind="quiet" hint="Shift D" disabled={!desk} onClick={() => hand("skip")}>
          Skip
        </Button>
        <Button kind="primary" hint="Ctrl ↵" disabled={!desk} onClick={() => hand("submit")}>
          {words}
        </Button>
      </div>
      <div class="tools" role="toolbar" aria-label="Tools" aria-orientation="vertical">
        <IconButton icon="select" label="Select" hint="V" aria-pressed={tool === "select"} onClick={() => pickTool("select")} />
        <IconButton icon="box" label="Box" hint="B" aria-pressed={tool === "box"} onClick={() => pickTool("box")} />
        <span class="space" />
        <IconButton icon="fit" label="Fit" hint="F" onClick={() => stage.current?.fit()} />
        <IconButton icon={editing.hiddenAll.value ? "hidden" : "eye"} label={editing.hiddenAll.value ? "Show objects" : "Hide objects"} hint="H" onClick={() => (editing.hiddenAll.value = !editing.hiddenAll.value)} />
      </div>
      <div class="stage">
        <Canvas
          session={editing}
          opened={opened}
          label={fits ? `${fits.image.name}, ${counted(annotations.length, "object")}` : "Picture"}
          onReady={(made) => (stage.current = made)}
        />
        {(trouble || (desk && desk.saver.conflicts.value.length > 0)) && (
          <div class="over-stage">
            <Fault problem={trouble} />
            {desk && <Conflicts desk={desk} onShow={setSelected} />}
          </div>
        )}
      </div>
      <aside class="panel" aria-label="Objects">
        <ul class="palette" aria-label="Labels">
          {labels.map((label, i) => (
            <li key={label.id}>
              <button aria-pressed={label.id === labelId} onClick={() => pickLabel(label)}>
                <kbd>{label.hotkey ?? (i < 10 ? (i + 1) % 10 : "")}</kbd>
                <Swatch color={label.color} />
                <span class="cut">{label.name}</span>
              </button>
            </li>
          ))}
        </ul>
        <header>
          <b>{counted(annotations.length, "object")}</b>
          {tally("prediction") > 0 && (
            <Button kind="quiet" hint="Shift Y" onClick={acceptAll}>
              Accept all
            </Button>
          )}
        </header>
        {annotations.length === 0 && fits && <p class="note second">Nothing here yet: press B and drag a box.</p>}
        <Objects
          annotations={annotations}
          labels={labels}
          selected={selected}
          threshold={editing.threshold.value}
          onThreshold={(value) => (editing.threshold.value = value)}
          onSelect={setSelected}
          actions={(one) =>
            isPrediction(one) ? (
              <>
                <Button kind="quiet" hint="Y" onClick={() => judge("accept")}>
                  Accept
                </Button>
                <Button kind="quiet" hint="X" onClick={() => judge("reject")}>
                  Reject
                </Button>
              </>
            ) : (
              <IconButton icon="trash" label="Delete" hint="Del" onClick={() => editor?.remove([one.id])} />
            )
          }
        />
      </aside>
      <QueueStrip items={strip} />
      <footer class="status">
        <PointerLine session={editing} size={fits?.image ?? null} />
        {editing.measured.value && <span class="mono">{editing.measured.value}</span>}
        <span class="space" />
        <SaveLine outbox={outbox.value} revision={document?.revision ?? null} />
        <ZoomLine session={editing} />
      </footer>
      {guideline && (
        <Dialog title="Guideline" onClose={() => setGuideline(false)}>
          <p class="guideline">{project.guideline || "This project has no guideline yet."}</p>
        </Dialog>
      )}
    </main>
  );
}
