import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { tasks } from "../api/client";
import { type Problem, toProblem } from "../api/problem";
import type { Annotation, Task, Verdict } from "../api/types";
import { editing } from "../app/editing";
import { useKeys } from "../app/keys";
import type { ProjectPageProps } from "../app/project";
import { go } from "../app/router";
import { useEvents } from "../app/use";
import { usePicture } from "../app/use-picture";
import { WorkQueue } from "../app/work-queue";
import { ImageDocument, stateOf } from "../editor/document";
import { Pictures } from "../editor/pictures";
import { neighbour, shapesOf } from "../editor/shapes-of";
import type { Opened, Stage } from "../editor/stage";
import { Canvas } from "../parts/canvas";
import { Button, Empty, Fault } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { Objects } from "../parts/objects";
import { PointerLine, ZoomLine } from "../parts/pointer-line";
import { QueueStrip, type StripItem } from "../parts/queue-strip";
import { count, counted, when } from "../parts/words";

const REASONS = ["missed object", "wrong label", "loose outline", "duplicate", "guideline"];
const STRIP_PAST = 3;

interface Given {
  task: Task;
  verdict: "approve" | "return";
  reason?: string;
}

/** The picture first: Y approves and the next is there, X and a digit return it. */
export function Review({ project, labels }: ProjectPageProps) {
  const queue = useMemo(() => new WorkQueue(project.id, "review"), [project.id]);
  const pictures = useMemo(() => new Pictures(project.id), [project.id]);
  const task = queue.current.value;
  const { ready, problem, refresh } = usePicture(pictures, task?.image_id ?? null);
  const selected = editing.single;
  const setSelected = (id: string | null): void => editing.select(...(id ? [id] : []));
  const rejected = editing.struck.value;
  const setRejected = (ids: ReadonlySet<string>): void => void (editing.struck.value = ids);
  const [asking, setAsking] = useState(false);
  const [given, setGiven] = useState<readonly Given[]>([]);
  const [refused, setRefused] = useState<Problem | null>(null);
  const [guideline, setGuideline] = useState(false);
  const sending = useRef<Promise<unknown>>(Promise.resolve());
  const stage = useRef<Stage | null>(null);

  useEffect(() => void queue.start(), [queue]);
  useEffect(() => pictures.ahead([task, ...queue.ahead.value.slice(0, 2)].flatMap((one) => one?.image_id ?? [])), [
    task?.id,
    queue.ahead.value,
  ]);
  useEffect(() => {
    setSelected(null);
    setRejected(new Set());
    setAsking(false);
    return () => setRejected(new Set());
  }, [task?.id]);
  useEvents(["task.changed"], project.id, () => void sending.current.then(() => queue.refresh()));
  useEvents(["annotations.changed"], project.id, refresh);

  const fits = ready && task && ready.image.id === task.image_id ? ready : null;
  const annotations = fits?.annotations.annotations ?? [];
  const opened = useMemo(
    (): Opened | null =>
      ready && {
        picture: ready.picture,
        document: new ImageDocument(ready.image.id, ready.annotations.revision, ready.annotations.annotations),
        editor: null,
        labels,
      },
    [ready?.picture, ready?.annotations, labels],
  );
  const shapes = useMemo(() => {
    const judged = annotations.map((one): Annotation => (rejected.has(one.id) ? { ...one, status: "rejected" } : one));
    return shapesOf(judged, labels, { threshold: editing.threshold.value, hidden: editing.hiddenAll.value });
  }, [annotations, labels, rejected, editing.threshold.value, editing.hiddenAll.value]);

  const give = (verdict: "approve" | "return", reason?: string): void => {
    if (!task || !fits) return;
    const verdicts = [...rejected].map((id): Verdict => ({ annotation_id: id, verdict: "reject" }));
    const facts = { revision: fits.annotations.revision, verdict, reason, verdicts };
    setGiven([{ task, verdict, reason }, ...given]);
    setRefused(null);
    queue.advance();
    sending.current = sending.current
      .then(() => tasks.review(project.id, task.id, facts))
      .catch((error: unknown) => {
        setRefused(toProblem(error));
        setGiven((all) => all.filter((one) => one.task.id !== task.id));
        pictures.forget(task.image_id);
        queue.back(task);
      })
      .then(() => queue.settle());
  };
  const withdraw = (): void => {
    const last = given[0];
    if (!last) return;
    setGiven(given.slice(1));
    pictures.forget(last.task.image_id);
    sending.current = sending.current
      .then(() => tasks.withdraw(project.id, last.task.id))
      .then((again) => queue.back(again))
      .catch((error: unknown) => setRefused(toProblem(error)));
  };
  const toggle = (id: string | null): void => {
    if (!id) return;
    const next = new Set(rejected);
    if (!next.delete(id)) next.add(id);
    setRejected(next);
  };
  const cycle = (by: number): void => setSelected(neighbour(shapes, selected, by));
  useKeys({
    y: () => give("approve"),
    x: () => setAsking(!asking),
    ...Object.fromEntries(REASONS.map((reason, i) => [String(i + 1), () => asking && give("return", reason)])),
    "ctrl+z": withdraw,
    r: () => toggle(selected),
    delete: () => toggle(selected),
    escape: () => (asking ? setAsking(false) : setSelected(null)),
    g: () => setGuideline(true),
    e: () => task && go(`/projects/${project.id}/annotate?image=${task.image_id}`),
    f: () => stage.current?.fit(),
    "shift+0": () => stage.current?.zoomTo(1),
    h: () => (editing.hiddenAll.value = !editing.hiddenAll.value),
    "tab*": () => cycle(1),
    "shift+tab*": () => cycle(-1),
  });

  if (queue.known.value && !task) {
    return (
      <main class="sheet alone">
        <Fault problem={refused ?? queue.problem.value} retry={() => void queue.start()} />
        <Empty action={<Button onClick={() => go(`/projects/${project.id}/images`)}>All images</Button>}>
          {project.review_policy === "none"
            ? "This project has no review: what is submitted is done."
            : given.length > 0
              ? `Nothing waits for review: you judged ${counted(given.length, "image")}.`
              : "Nothing waits for review; what people submit appears here by itself."}
        </Empty>
        {given.length > 0 && (
          <Button kind="quiet" hint="Ctrl Z" onClick={withdraw}>
            Withdraw the last verdict
          </Button>
        )}
      </main>
    );
  }
  const approved = given.filter((one) => one.verdict === "approve").length;
  const waiting = Math.max(project.states.in_review, queue.ahead.value.length + (task ? 1 : 0));
  const last = given[0];
  return (
    <main class="work review">
      <div class="workbar">
        <span class="mono cut">{fits?.image.name}</span>
        <span class="second wide-only">{fits && `${fits.image.width} × ${fits.image.height}`}</span>
        <span class="second wide-only">{task && `submitted ${when(task.updated_at_ms)}, round ${task.round}`}</span>
        <span class="space" />
        <span class="second">{fits && `${counted(annotations.length, "object")}, revision ${fits.annotations.revision}`}</span>
        {project.guideline && (
          <Button kind="quiet" hint="G" onClick={() => setGuideline(true)}>
            Guideline
          </Button>
        )}
      </div>
      <div class="stage">
        <Canvas
          session={editing}
          opened={opened}
          label={fits ? `${fits.image.name}, ${counted(annotations.length, "object")}` : "Picture"}
          onReady={(made) => (stage.current = made)}
        />
        {(refused ?? problem ?? queue.problem.value) && (
          <div class="over-stage">
            <Fault problem={refused ?? problem ?? queue.problem.value} />
          </div>
        )}
      </div>
      <aside class="panel" aria-label="Objects">
        <header>
          <b>{counted(annotations.length, "object")}</b>
          <span class="second">{rejected.size > 0 ? `${rejected.size} to reject` : summary(annotations)}</span>
        </header>
        <Objects
          annotations={annotations}
          labels={labels}
          selected={selected}
          threshold={editing.threshold.value}
          onThreshold={(value) => (editing.threshold.value = value)}
          onSelect={setSelected}
          remark={(one) => (rejected.has(one.id) ? "to reject" : null)}
          actions={(one) => (
            <Button kind="quiet" hint="R" onClick={() => toggle(one.id)}>
              {rejected.has(one.id) ? "Keep" : "Reject"}
            </Button>
          )}
        />
        {annotations.length === 0 && fits && <p class="note second">Nothing is annotated: approving says that nothing is here.</p>}
      </aside>
      <QueueStrip items={strip(given, task, queue.ahead.value)} />
      <div class="verdict">
        <Button kind="primary" class="big" hint="Y" disabled={!fits} onClick={() => give("approve")}>
          Approve
        </Button>
        <Button class="big" hint="X" disabled={!fits} aria-pressed={asking} onClick={() => setAsking(!asking)}>
          Return
        </Button>
        <div class={`reasons ${asking ? "asking" : ""}`} role="group" aria-label="Return because">
          <span>Return because</span>
          {REASONS.map((reason, i) => (
            <button key={reason} disabled={!asking} onClick={() => give("return", reason)}>
              <b>{i + 1}</b> {reason}
            </button>
          ))}
        </div>
        <span class="space" />
        <Button kind="quiet" hint="Ctrl Z" disabled={given.length === 0} onClick={withdraw}>
          Withdraw
        </Button>
      </div>
      <footer class="status">
        <span>{count(waiting)} in review</span>
        {given.length > 0 && (
          <span>
            {count(approved)} approved, {count(given.length - approved)} returned by you now
          </span>
        )}
        {last && <span class="cut">last: {last.verdict === "approve" ? "approved" : `returned, ${last.reason ?? ""}`}</span>}
        <span class="space" />
        <PointerLine session={editing} size={fits?.image ?? null} />
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

function summary(annotations: readonly Annotation[]): string {
  const states = annotations.map(stateOf);
  const parts = (["accepted", "drawn", "prediction"] as const).flatMap((state) => {
    const n = states.filter((one) => one === state).length;
    return n > 0 ? [state === "prediction" ? counted(n, "prediction") : `${n} ${state}`] : [];
  });
  return parts.join(", ");
}

function strip(given: readonly Given[], task: Task | null, ahead: readonly Task[]): StripItem[] {
  const past = given
    .slice(0, STRIP_PAST)
    .reverse()
    .map(({ task: one, verdict }): StripItem =>
      verdict === "approve" ? { task: one, word: "Approved", mark: "done" } : { task: one, word: "Returned", mark: "returned" },
    );
  const now: StripItem[] = task ? [{ task, word: "Now", mark: "in_review", now: true }] : [];
  return [...past, ...now, ...ahead.map((one): StripItem => ({ task: one, word: "Waiting", mark: "in_review" }))];
}
