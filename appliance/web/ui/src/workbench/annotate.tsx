import { useEffect, useMemo, useState } from "preact/hooks";

import { machine, projects } from "../api/client";
import type { Task } from "../api/types";
import { activeTime } from "../app/active";
import { filterOf } from "../app/image-filter";
import { imageList } from "../app/image-list";
import { hint, useKeys } from "../app/keys";
import { mayReview, type ProjectPageProps } from "../app/project";
import { go, place } from "../app/router";
import { line, me, outbox, reachable, session } from "../app/session";
import { useUnread } from "../app/unread";
import { useAct, useAnswered, useEvents, useLoad } from "../app/use";
import { WorkQueue } from "../app/work-queue";
import { Button, Empty, Fault, IconButton } from "../parts/controls";
import { TASK_WORDS } from "../parts/marks";
import { saveWords } from "../parts/save-line";
import { count } from "../parts/words";
import { acceptAll, editKeys, pictureKeys, propagate, stepBack } from "./actions";
import type { Bench } from "./bench";
import { Frame, Guideline } from "./frame";
import { type Handed, Handing } from "./handing";
import { nextStep } from "./next-step";
import { Panel } from "./panel";
import { SkipDialog } from "./skip";
import { Strip, type StripItem } from "./strip";
import { type OnBench, useAhead, useBench, useImage, useTurns } from "./use-bench";
import { BrowseWalk, gridAddress, QueueWalk, SHOWN, type Walk } from "./walk";

/** Images that propagating reaches. */
const NEXT_IMAGES = 2;
const NO_LABEL = "Add a label first";

/** Draw and correct: through the queue, or through the images as the grid has them. */
export function Annotate({ project, labels }: ProjectPageProps) {
  const query = place.value.query;
  const browsing = query.has("image");
  const filter = browsing ? gridAddress(project.id) : "";
  const bench = useBench(project, labels);
  const walk = useMemo<Walk>(
    () => (browsing ? new BrowseWalk(project.id, imageList(project.id, filterOf(query))) : new QueueWalk(new WorkQueue(project.id, "annotate"))),
    [project.id, filter],
  );
  const handing = useMemo(() => new Handing(bench, walk), [bench, walk]);
  const [guideline, setGuideline] = useState(false);
  const [skipping, setSkipping] = useState(false);
  const labelling = useAct();
  const imageId = walk.imageId.value;
  const task = walk.task.value;
  bench.readOnly.value = labels.length === 0 ? NO_LABEL : whyReadOnly(task, mayReview(project, session.value?.permissions.administer ?? false), me.value?.id ?? null);
  useTurns(bench, walk);
  const shown = useImage(bench, imageId, bench.past.value?.document ?? null);
  const { ready } = shown;
  const unread = useUnread(project.id);
  useAnswered(handing.problem, bench.talk.problem);
  const selected = query.get("select");
  useEffect(() => {
    if (!ready || selected === null || !bench.desk.value?.document.get(selected)) return;
    bench.session.select(selected);
    bench.look(selected);
  }, [ready?.image.id, selected]);

  useEffect(() => {
    walk.start();
    return () => walk.stop();
  }, [walk]);
  useEffect(() => {
    activeTime().on(ready ? imageId : null);
    return () => activeTime().on(null);
  }, [imageId, ready !== null]);
  useAhead(bench, imageId, ready, walk.ahead.value);
  useEvents(["task.changed"], project.id, () => {
    walk.refresh();
    void handing.check();
  });

  const turn = (by: 1 | -1) => (): void => {
    const can = by > 0 ? walk.canNext.value : walk.canPrevious.value;
    if (!can) bench.notice.value = by > 0 ? "This is the last image here." : "This is the first image here.";
    else if (by > 0) walk.next();
    else walk.previous();
  };
  const autoLabel = (): void => {
    if (imageId !== null) labelling.run(() => machine.autoLabel(project.id, { image_ids: [imageId] }));
  };
  useKeys({
    ...pictureKeys(bench, task?.reason ? () => bench.nextPin() : undefined),
    ...editKeys(bench),
    next: turn(1),
    previous: turn(-1),
    submit: () => handing.submit(),
    skip: () => bench.editor && walk.task.value && setSkipping(true),
    cancel: () => void (stepBack(bench) || (walk.kind === "browse" && go(gridAddress(project.id)))),
    guideline: () => setGuideline(true),
    "auto-label": autoLabel,
    propagate: () => void propagate(bench, walk.ahead.value.slice(0, NEXT_IMAGES)),
  });

  if (walk.known.value && imageId === null) return <Nothing bench={bench} handing={handing} walk={walk} />;
  const waiting = walk.problem.value?.transient && (!reachable.value || line.owing.value || outbox.value?.standing.value === "offline");
  const trouble =
    handing.problem.value ?? labelling.problem ?? shown.problem ?? (waiting ? null : walk.problem.value) ??
    (bench.desk.value?.saver.state.value === "refused" ? bench.desk.value.saver.problem.value : null);
  return (
    <>
      <Frame
        kind="annotate"
        mayRestore={bench.readOnly.value === null}
        bench={bench}
        shown={shown}
        imageId={imageId}
        trouble={trouble}
        onNext={turn(1)}
        bar={<Bar bench={bench} walk={walk} handing={handing} shown={shown} onTurn={turn} onGuideline={() => setGuideline(true)} onSkip={() => setSkipping(true)} />}
        panel={
          <Panel
            bench={bench}
            ready={ready}
            actions={
              bench.tally("prediction") > 0 && bench.editor ? (
                <Button kind="quiet" hint={hint("accept-all")} onClick={() => acceptAll(bench)}>
                  Accept all
                </Button>
              ) : (
                <Button kind="quiet" icon="sparkle" hint={hint("auto-label")} disabled={!bench.editor || labelling.busy} onClick={autoLabel}>
                  Auto-label
                </Button>
              )
            }
          />
        }
        below={<Strip projectId={project.id} shown={ready !== null && bench.lists} items={stripOf(walk, handing).map((one) => ({ ...one, unread: unread.of(one.imageId) }))} />}
      />
      {guideline && <Guideline text={project.guideline} onClose={() => setGuideline(false)} />}
      {skipping && (
        <SkipDialog
          onClose={() => setSkipping(false)}
          onSkip={(reason) => {
            setSkipping(false);
            handing.skip(reason);
          }}
        />
      )}
    </>
  );
}

interface BarProps {
  bench: Bench;
  walk: Walk;
  handing: Handing;
  shown: OnBench;
  onTurn: (by: 1 | -1) => () => void;
  onGuideline: () => void;
  onSkip: () => void;
}

function Bar({ bench, walk, handing, shown, onTurn, onGuideline, onSkip }: BarProps) {
  const project = bench.project.value;
  const { editor } = bench;
  const image = shown.ready?.image;
  const task = walk.task.value;
  return (
    <>
      <IconButton icon="back" label="Back to images" onClick={() => go(gridAddress(project.id))} />
      <span class="mono cut name">{image?.name}</span>
      <span class="second wide-only dims">{image && `${image.width} × ${image.height}`}</span>
      {task && task.round > 1 && <span class="second wide-only">round {task.round}</span>}
      {task?.reason && <Returned task={task} />}
      <span class="space" />
      <nav class="walk" aria-label="Walk">
        <a href={`/projects/${project.id}/annotate`} aria-current={walk.kind === "queue" ? "true" : undefined} title="Through your queue">
          Queue
        </a>
        <a
          href={`/projects/${project.id}/annotate?image=${walk.imageId.value ?? ""}`}
          aria-current={walk.kind === "browse" ? "true" : undefined}
          title="Through the images as the grid has them"
        >
          Browse
        </a>
      </nav>
      <IconButton icon="left" label="Previous image" hint={hint("previous")} disabled={!walk.canPrevious.value} onClick={onTurn(-1)} />
      <span class="wide-only">{placeWords(walk, project.states.open + project.states.returned + project.states.in_progress)}</span>
      <IconButton icon="right" label="Next image" hint={hint("next")} disabled={!walk.canNext.value} onClick={onTurn(1)} />
      <span class="space" />
      <IconButton icon="undo" label="Undo" hint={hint("undo")} disabled={!editor?.history.canUndo} onClick={() => editor?.undo()} />
      <IconButton icon="redo" label="Redo" hint={hint("redo")} disabled={!editor?.history.canRedo} onClick={() => editor?.redo()} />
      {project.guideline && (
        <Button kind="quiet" hint={hint("guideline")} class="wide-only" onClick={onGuideline}>
          Guideline
        </Button>
      )}
      <Button kind="quiet" hint={hint("skip")} disabled={!editor || !task} onClick={onSkip}>
        Skip
      </Button>
      <Button kind="primary" hint={hint("submit")} disabled={!editor || !task} onClick={() => handing.submit()}>
        {`Submit · ${bench.tally("drawn")} drawn · ${bench.tally("accepted")} accepted`}
      </Button>
    </>
  );
}

/** Why work came back, and who sent it. */
function Returned({ task }: { task: Task }) {
  const members = useLoad(() => projects.members(task.project_id), [task.project_id]);
  const by = members.value?.find((one) => one.user_id === task.reviewer_id)?.name;
  return (
    <span class="cut">
      Returned{by ? ` by ${by}` : ""}: {task.reason}
    </span>
  );
}

function placeWords(walk: Walk, left: number): string {
  if (!(walk instanceof BrowseWalk)) return `${count(left)} to do`;
  const { list, index } = walk;
  return index.value < 0 ? "" : `${count(index.value + 1)} of ${count(list.total ?? 0)}`;
}

/** Why an image may only be looked at; null where it may be changed. */
export function whyReadOnly(task: Task | null, reviewer: boolean, userId: number | null): string | null {
  if (!task) return null;
  if (task.state === "returned" && task.assignee_id !== null && task.assignee_id !== userId && !reviewer) return "Returned to somebody else, who corrects it.";
  if (task.state === "in_review" && !reviewer) return "In review: it can be changed when the reviewer has returned it.";
  return null;
}

function stripOf(walk: Walk, handing: Handing): StripItem[] {
  const past = [...handing.handed.value].reverse().map((one) => handedItem(one, handing));
  if (walk instanceof BrowseWalk) return browsed(walk);
  const queue = (walk as QueueWalk).queue;
  const item = (task: Task, word: string): StripItem => ({ imageId: task.image_id, word, mark: task.state });
  const now = walk.task.value;
  return [
    ...past,
    ...queue.past.value.slice(-2).map((task) => ({ ...item(task, "Waits"), action: { words: "Back", run: () => walk.previous() } })),
    ...(now ? [{ ...item(now, "Now"), mark: "in_progress", now: true } as const] : []),
    ...queue.ahead.value.map((task) => item(task, task.state === "in_progress" ? "Leased" : TASK_WORDS[task.state])),
  ].filter((one, i, all) => all.findIndex((other) => other.imageId === one.imageId) === i);
}

function handedItem(one: Handed, handing: Handing): StripItem {
  const submitted = one.kind === "submit";
  const action = one.gone || handing.underway(one) ? undefined : { words: "Take back", run: () => void handing.takeBack(one) };
  return { imageId: one.task.image_id, word: submitted ? "Submitted" : "Skipped", mark: submitted ? "done" : "skipped", action };
}

function browsed(walk: BrowseWalk): StripItem[] {
  const [ids, at] = [walk.list.ids.value, walk.index.value];
  void walk.list.told.value;
  if (at < 0 || !ids) return [];
  return [...ids.subarray(Math.max(0, at - SHOWN.before), at + SHOWN.after)].map((id) => {
    const now = id === walk.imageId.value;
    const mark = walk.list.row(id)?.state ?? "open";
    return { imageId: id, word: now ? "Now" : TASK_WORDS[mark], mark, now, action: { words: "", run: () => walk.show(id) } };
  });
}

function Nothing({ bench, handing, walk }: { bench: Bench; handing: Handing; walk: Walk }) {
  const project = bench.project.value;
  const last = handing.latest.value;
  const step = nextStep(project, mayReview(project, session.value?.permissions.administer ?? false));
  const sending = outbox.value?.intents.value.length ?? 0;
  return (
    <main class="sheet alone">
      <header>
        <h1>Annotate</h1>
      </header>
      <Fault problem={handing.problem.value ?? walk.problem.value} />
      <Empty action={<Button kind="primary" onClick={() => go(`/projects/${project.id}/${step.page}`)}>{step.action}</Button>}>
        {sending > 0 ? `${saveWords(outbox.value!, null)}.` : step.words}
      </Empty>
      {last && !last.gone && (
        <Button kind="quiet" icon="undo" disabled={handing.underway(last)} onClick={() => void handing.takeBack(last)}>
          Take back the last one
        </Button>
      )}
    </main>
  );
}
