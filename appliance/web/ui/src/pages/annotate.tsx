import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { complete, images, tasks } from "../api/client";
import { type Problem, toProblem } from "../api/problem";
import type { Label, Task } from "../api/types";
import { editing } from "../app/editing";
import { useKeys } from "../app/keys";
import type { ProjectPageProps } from "../app/project";
import { go, place } from "../app/router";
import { session } from "../app/session";
import { useEvents } from "../app/use";
import { usePicture } from "../app/use-picture";
import { WorkQueue } from "../app/work-queue";
import { ImageDocument, isPrediction, stateOf } from "../editor/document";
import { Editor } from "../editor/editor";
import { Pictures, type Ready } from "../editor/pictures";
import { Saver, type SaveState } from "../editor/saver";
import { neighbour, shapesOf } from "../editor/shapes-of";
import type { ToolName } from "../editor/session";
import type { Opened, Stage } from "../editor/stage";
import { moved } from "../editor/tools/select";
import { Canvas } from "../parts/canvas";
import { Button, Empty, Fault, IconButton, Swatch } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { TASK_WORDS } from "../parts/marks";
import { Objects } from "../parts/objects";
import { PointerLine, ZoomLine } from "../parts/pointer-line";
import { QueueStrip, type StripItem } from "../parts/queue-strip";
import { counted } from "../parts/words";

interface Desk {
  ready: Ready;
  editor: Editor;
  saver: Saver;
}

/** An image on the desk: its document, its undo stack and what is still to be sent. */
function useDesk(projectId: number, ready: Ready | null, onState: (state: SaveState, problem: Problem | null) => void) {
  const [, redraw] = useState(0);
  const [conflicts, setConflicts] = useState(0);
  const kept = useRef(new Map<number, Desk>());
  const desk = useMemo((): Desk | null => {
    if (!ready) return null;
    const { image, annotations } = ready;
    const known = kept.current.get(image.id);
    if (known && known.editor.document.revision >= annotations.revision) return known;
    const document = new ImageDocument(image.id, annotations.revision, annotations.annotations);
    const editor = new Editor(document, image, session.value?.user.id ?? 0);
    document.listen(() => redraw((n) => n + 1));
    const saver = new Saver(document, {
      send: (diff, keepalive) => images.save(projectId, image.id, diff, keepalive),
      complete,
      onState,
      onConflict: (n) => setConflicts(n),
      onBehind: () => {
        const take = images.annotations(projectId, image.id).then((now) => saver.refresh(now.revision, now.annotations));
        take.catch(() => undefined);
      },
    });
    const made = { ready, editor, saver };
    kept.current.set(image.id, made);
    return made;
  }, [ready?.image.id]);
  useEffect(() => {
    const leave = (): void => desk?.saver.leave();
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      desk?.saver.flush().catch(() => undefined);
      setConflicts(0);
    };
  }, [desk]);
  return { desk, conflicts };
}

export function Annotate({ project, labels }: ProjectPageProps) {
  const queue = useMemo(() => new WorkQueue(project.id, "annotate"), [project.id]);
  const pictures = useMemo(() => new Pictures(project.id), [project.id]);
  const task = queue.current.value;
  const { ready, problem, refresh } = usePicture(pictures, task?.image_id ?? null);
  const fits = ready && task && ready.image.id === task.image_id ? ready : null;
  const [saving, setSaving] = useState<{ state: SaveState; problem: Problem | null }>({ state: "saved", problem: null });
  const { desk, conflicts } = useDesk(project.id, fits, (state, why) => setSaving({ state, problem: why }));
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
  useEvents(["annotations.changed"], project.id, () => {
    if (task && desk) images.annotations(project.id, task.image_id).then((now) => desk.saver.refresh(now.revision, now.annotations), refresh);
  });
  useEvents(["task.changed"], project.id, () => !task && void queue.refresh());

  useEffect(() => {
    editing.tool.value = "select";
    if (!labels.some((label) => label.id === editing.labelId.value)) editing.labelId.value = labels[0]?.id ?? 0;
  }, [project.id, labels]);
  const opened = useMemo(
    (): Opened | null =>
      ready && {
        picture: { bitmap: ready.bitmap, width: ready.image.width, height: ready.image.height },
        document,
        editor,
        labels,
      },
    [ready?.bitmap, editor, labels],
  );

  const annotations = document?.all ?? [];
  const shapes = shapesOf(annotations, labels, { threshold: editing.threshold.value, hidden: editing.hiddenAll.value });
  const tally = (state: string): number => annotations.filter((one) => stateOf(one) === state).length;
  const words = `Submit · ${tally("drawn")} drawn · ${tally("accepted")} accepted`;

  /** Save, tell the box, and have the next task on the desk meanwhile. */
  const hand = (what: "submit" | "skip"): void => {
    if (!task || !desk || !document) return;
    const leaving: Task = task;
    setRefused(null);
    const done = async (): Promise<void> => {
      await desk.saver.flush();
      if (what === "submit") await tasks.submit(project.id, leaving.id, document.revision);
      else await tasks.skip(project.id, leaving.id, "skipped by the annotator");
    };
    queue.advance();
    setPast((all) => [{ task: leaving, word: what === "submit" ? "Submitted" : "Skipped", mark: what === "submit" ? "done" : "skipped" } as StripItem, ...all].slice(0, 3));
    done()
      .catch((error: unknown) => {
        setRefused(toProblem(error));
        setPast((all) => all.filter((one) => one.task.id !== leaving.id));
        queue.back(leaving);
      })
      .then(() => queue.settle())
      .catch(() => undefined);
  };
  const pickTool = (name: ToolName): void => {
    editing.tool.value = name;
    if (name === "box") setSelected(null);
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
    editor.reshape(current.id, moved(current.geometry, dx * by, dy * by, editor.size));
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
    y: () => judge("accept"),
    x: () => judge("reject"),
    "shift+y": acceptAll,
    delete: onSelection((id) => editor?.remove([id])),
    backspace: onSelection((id) => editor?.remove([id])),
    "ctrl+z*": () => editor?.undo(),
    "ctrl+shift+z*": () => editor?.redo(),
    "ctrl+y*": () => editor?.redo(),
    "ctrl+enter": () => hand("submit"),
    "shift+d": () => hand("skip"),
    escape: () => (stage.current?.cancel(), setSelected(null), pickTool("select")),
    "tab*": () => cycle(1),
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
  const trouble = refused ?? problem ?? queue.problem.value ?? (saving.state === "refused" ? saving.problem : null);
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
        {trouble && (
          <div class="over-stage">
            <Fault problem={trouble} />
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
        {conflicts > 0 && <span role="alert">{counted(conflicts, "object")} changed by somebody else meanwhile: both versions are here.</span>}
        <span class="space" />
        <span role="status">{saveWords(saving.state, desk)}</span>
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

function saveWords(state: SaveState, desk: Desk | null): string {
  if (!desk) return "";
  const kept = counted(desk.saver.unsent.size, "change");
  switch (state) {
    case "saved":
      return `Saved, revision ${desk.editor.document.revision}`;
    case "waiting":
    case "saving":
      return `Saving ${kept}`;
    case "offline":
      return `Offline · ${kept} kept`;
    case "refused":
      return `Not saved · ${kept} kept here`;
  }
}
