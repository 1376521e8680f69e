import { useEffect, useMemo, useState } from "preact/hooks";

import { images } from "../api/client";
import type { Annotation, Task } from "../api/types";
import { activeTime } from "../app/active";
import { type Handlers, hint, useKeys } from "../app/keys";
import type { ProjectPageProps } from "../app/project";
import { go } from "../app/router";
import { reachable } from "../app/session";
import { useUnread } from "../app/unread";
import { useAnswered, useEvents } from "../app/use";
import { WorkQueue } from "../app/work-queue";
import { ImageDocument } from "../editor/document";
import { Button, Empty, Fault, IconButton } from "../parts/controls";
import { count, counted, when } from "../parts/words";
import { toggled } from "../editor/session";
import { editKeys, pictureKeys, propagate, stepBack } from "./actions";
import { difference, differenceWords } from "./before";
import { Frame, Guideline } from "./frame";
import { nextStep } from "./next-step";
import { Panel } from "./panel";
import { Strip, type StripItem } from "./strip";
import { useAhead, useBench, useImage, useTurns } from "./use-bench";
import { asks } from "../app/review-policy";
import { type Given, Verdicts } from "./verdicts";
import { QueueWalk } from "./walk";

const REASONS = ["missed object", "wrong label", "loose outline", "duplicate", "guideline"];
const STRIP_PAST = 3;

/** The picture first: Y approves and the next is there, X and a digit return it, E edits on the spot. */
export function Review({ project, labels }: ProjectPageProps) {
  const bench = useBench(project, labels);
  const walk = useMemo(() => new QueueWalk(new WorkQueue(project.id, "review")), [project.id]);
  const verdicts = useMemo(
    () => new Verdicts({ projectId: project.id, walk, forget: (id) => bench.pictures.forget(id), spent: (id) => activeTime().take(`review:${id}`) }),
    [bench, walk],
  );
  const [asking, setAsking] = useState(false);
  const [editing, setEditing] = useState(false);
  const [before, setBefore] = useState<{ made: readonly Annotation[]; document: ImageDocument; shown: boolean } | null>(null);
  const [guideline, setGuideline] = useState(false);
  const { struck } = bench.session;
  const task = walk.task.value;
  const imageId = walk.imageId.value;
  // Nothing is said about it: a reviewer looks first and edits when asked to.
  bench.readOnly.value = editing ? null : "";
  useTurns(bench, walk);
  const shown = useImage(bench, imageId, bench.past.value?.document ?? (before?.shown ? before.document : null));
  const { ready } = shown;
  const unread = useUnread(project.id);
  const desk = ready ? bench.desk.value : null;
  const revision = bench.revision ?? -1;
  // The picture may have been fetched before the annotator handed in: never judge what is out of date.
  const stale = task !== null && desk !== null && revision < task.revision;
  const canJudge = task !== null && desk !== null && desk.imageId === task.image_id && !stale && !bench.past.value;

  useEffect(() => {
    walk.start();
    return () => walk.stop();
  }, [walk]);
  useAnswered(verdicts.problem, bench.talk.problem);
  useEffect(() => {
    activeTime().on(canJudge ? `review:${task.image_id}` : null);
    return () => activeTime().on(null);
  }, [task?.image_id, canJudge]);
  useAhead(bench, imageId, ready, walk.ahead.value);
  useEffect(() => {
    struck.value = new Set();
    bench.session.tool.value = "select";
    setAsking(false);
    setEditing(false);
    setBefore(null);
  }, [task?.id]);
  useEffect(() => {
    if (!stale || !desk || !task) return;
    desk.saver.hear(task.revision);
    void desk.saver.catchUp().then(() => bench.refresh());
  }, [stale, desk, reachable.value]);
  useEvents(["task.changed"], project.id, () => verdicts.after(() => void walk.queue.refresh()));
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => {
      if (verdicts.unsent.value > 0) event.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [verdicts]);

  const give = (verdict: "approve" | "return", reason?: string): void => {
    if (canJudge) verdicts.give(task, desk, verdict, struck.value, reason);
  };
  const toggleBefore = (): void => {
    if (before) setBefore({ ...before, shown: !before.shown });
    else if (imageId !== null) {
      images.before(project.id, imageId).then(
        (made) => walk.imageId.value === imageId && setBefore({ made, document: new ImageDocument(imageId, 0, made), shown: true }),
        () => undefined,
      );
    }
  };
  const strike = (ids: readonly string[]): void => void (struck.value = toggled(struck.value, ids));
  const edit = (): void => {
    setBefore(null);
    setAsking(false);
    setEditing(!editing);
  };
  const done = (): void => {
    bench.session.tool.value = "select";
    setEditing(false);
  };
  const judging: Handlers = {
    approve: () => give("approve"),
    return: () => setAsking(!asking),
    ...Object.fromEntries(REASONS.map((reason, i) => [`reason-${i + 1}`, () => asking && give("return", reason)])),
    withdraw: () => verdicts.withdraw(),
    "reject-object": () => strike([...bench.session.selection.value]),
    "edit-here": edit,
    before: toggleBefore,
    cancel: () => (asking ? setAsking(false) : void stepBack(bench)),
  };
  const repairing: Handlers = {
    ...editKeys(bench),
    submit: () => give("approve"),
    propagate: () => void propagate(bench, []),
    cancel: () => void (stepBack(bench) || done()),
  };
  useKeys({
    ...pictureKeys(bench),
    next: () => walk.next(),
    previous: () => walk.previous(),
    guideline: () => setGuideline(true),
    ...(editing ? repairing : judging),
  });

  if (walk.known.value && !task) return <Nothing verdicts={verdicts} walk={walk} project={project} />;
  const last = verdicts.given.value[0];
  const waiting = Math.max(project.states.in_review, walk.queue.ahead.value.length + (task ? 1 : 0));
  const changed = desk !== null && desk.editor.history.canUndo;
  const facts = before && differenceWords(difference(before.made, bench.annotations.value));
  return (
    <>
      <Frame
        kind="review"
        mayRestore
        bench={bench}
        shown={shown}
        imageId={imageId}
        trouble={verdicts.problem.value ?? shown.problem ?? walk.problem.value}
        tools={editing}
        onNext={() => walk.next()}
        chips={
          <>
            {stale && <p class="chip" role="status">This image has changed: reading it again.</p>}
            {before?.shown && <p class="chip">As the model made it · <Button kind="quiet" hint={hint("before")} onClick={toggleBefore}>Show the fix</Button></p>}
            {editing && <p class="chip">Editing: approving takes what you fixed · <Button kind="quiet" hint={hint("cancel")} onClick={done}>Back to judging</Button></p>}
          </>
        }
        bar={
          <>
            <span class="mono cut name">{ready?.image.name}</span>
            <span class="second wide-only dims">{ready && `${ready.image.width} × ${ready.image.height}`}</span>
            <span class="second wide-only">{task && `submitted ${when(task.updated_at_ms)}, round ${task.round}`}</span>
            {task && project.review_policy.reviews === 2 && <span class="second" role="status">{`${task.approvals} of 2 approvals`}</span>}
            <span class="space" />
            <IconButton icon="left" label="Previous image" hint={hint("previous")} disabled={!walk.canPrevious.value} onClick={() => walk.previous()} />
            <IconButton icon="right" label="Next image" hint={hint("next")} disabled={!walk.canNext.value} onClick={() => walk.next()} />
            <span class="second wide-only">{desk && `${counted(bench.annotations.value.length, "object")}, revision ${revision}`}</span>
            {editing && (
              <>
                <IconButton icon="undo" label="Undo" hint={hint("undo")} disabled={!bench.editor?.history.canUndo} onClick={() => bench.editor?.undo()} />
                <IconButton icon="redo" label="Redo" hint={hint("redo")} disabled={!bench.editor?.history.canRedo} onClick={() => bench.editor?.redo()} />
              </>
            )}
            {project.guideline && (
              <Button kind="quiet" hint={hint("guideline")} onClick={() => setGuideline(true)}>
                Guideline
              </Button>
            )}
          </>
        }
        panel={
          <Panel
            bench={bench}
            ready={ready}
            palette={editing}
            empty="Nothing is annotated: approving says that nothing is here."
            actions={<span class="second">{struck.value.size > 0 ? `${struck.value.size} to reject` : summary(bench)}</span>}
            remark={(one) => (struck.value.has(one.id) ? "to reject" : null)}
            rowActions={
              editing
                ? undefined
                : (one) => (
                    <Button kind="quiet" hint={hint("reject-object")} onClick={() => strike([one.id])}>
                      {struck.value.has(one.id) ? "Keep" : "Reject"}
                    </Button>
                  )
            }
          />
        }
        below={
          <>
            <Strip projectId={project.id} shown={ready !== null && bench.lists} items={stripOf(verdicts.given.value, task, walk.queue.ahead.value).map((one) => ({ ...one, unread: unread.of(one.imageId) }))} />
            <div class="verdict">
              <Button kind="primary" class="big" hint={editing ? hint("submit") : hint("approve")} disabled={!canJudge} onClick={() => give("approve")}>
                {changed ? "Approve your fix" : "Approve"}
              </Button>
              <Button class="big" hint={hint("return")} disabled={!canJudge || editing} aria-pressed={asking} onClick={() => setAsking(!asking)}>
                Return
              </Button>
              <Button kind="quiet" hint={hint("edit-here")} disabled={!desk} aria-pressed={editing} onClick={editing ? done : edit}>
                Edit here
              </Button>
              <Button kind="quiet" hint={hint("before")} disabled={!desk || editing} aria-pressed={before?.shown ?? false} onClick={toggleBefore}>
                Before
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
              <Button kind="quiet" hint={hint("withdraw")} disabled={verdicts.given.value.length === 0} onClick={() => verdicts.withdraw()}>
                Withdraw
              </Button>
            </div>
          </>
        }
        words={[
          `${count(waiting)} in review`,
          ...(verdicts.given.value.length > 0 ? [`${count(verdicts.approved.value)} approved, ${count(verdicts.given.value.length - verdicts.approved.value)} returned`] : []),
          ...(last ? [`last: ${last.verdict === "approve" ? "approved" : `returned, ${last.reason ?? ""}`}`] : []),
          ...(verdicts.unsent.value > 0 ? [`${reachable.value ? "Sending" : "Offline ·"} ${counted(verdicts.unsent.value, "verdict")}${reachable.value ? "" : " kept"}`] : []),
          ...(facts ? [facts] : []),
        ]}
      />
      {guideline && <Guideline text={project.guideline} onClose={() => setGuideline(false)} />}
    </>
  );
}

function Nothing({ verdicts, walk, project }: { verdicts: Verdicts; walk: QueueWalk; project: ProjectPageProps["project"] }) {
  const n = verdicts.given.value.length;
  const step = nextStep(project, false);
  return (
    <main class="sheet alone">
      <header>
        <h1>Review</h1>
      </header>
      <Fault problem={verdicts.problem.value ?? walk.problem.value} retry={() => walk.start()} />
      <Empty action={<Button kind="primary" onClick={() => go(`/projects/${project.id}/${step.page}`)}>{step.action}</Button>}>
        {!asks(project.review_policy)
          ? "This project has no review: what is submitted is done."
          : n > 0
            ? `Nothing waits for review: you judged ${counted(n, "image")}.`
            : "Nothing waits for review; what people submit appears here by itself."}
      </Empty>
      {verdicts.unsent.value > 0 && <p class="second" role="status">Sending {counted(verdicts.unsent.value, "verdict")}</p>}
      {n > 0 && (
        <Button kind="quiet" hint={hint("withdraw")} onClick={() => verdicts.withdraw()}>
          Withdraw the last verdict
        </Button>
      )}
    </main>
  );
}

function summary(bench: ReturnType<typeof useBench>): string {
  return (["accepted", "drawn", "prediction"] as const)
    .flatMap((state) => {
      const n = bench.tally(state);
      return n > 0 ? [state === "prediction" ? counted(n, "prediction") : `${n} ${state}`] : [];
    })
    .join(", ");
}

function stripOf(given: readonly Given[], task: Task | null, ahead: readonly Task[]): StripItem[] {
  const past = given
    .slice(0, STRIP_PAST)
    .reverse()
    .map(({ task: one, verdict }): StripItem => ({ imageId: one.image_id, ...(verdict === "approve" ? { word: "Approved", mark: "done" } : { word: "Returned", mark: "returned" }) }));
  const now: StripItem[] = task ? [{ imageId: task.image_id, word: "Now", mark: "in_review", now: true }] : [];
  const waiting = ahead.map((one): StripItem => ({ imageId: one.image_id, word: "Waiting", mark: "in_review" }));
  const present = new Set([...now, ...waiting].map((one) => one.imageId));
  return [...past.filter((one, i) => !present.has(one.imageId) && past.findLastIndex((other) => other.imageId === one.imageId) === i), ...now, ...waiting];
}
