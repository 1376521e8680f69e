import { useEffect, useState } from "preact/hooks";

import { projects, tasks } from "../api/client";
import type { Late } from "../api/types";
import { mayReview } from "../app/project";
import { session } from "../app/session";
import { useAct, useEvents, useLoad } from "../app/use";
import type { Ready } from "../editor/pictures";
import { Button, Fault } from "../parts/controls";
import { counted } from "../parts/words";
import type { Bench } from "./bench";
import { changesOf, ghostsOf } from "./late";

interface Props {
  bench: Bench;
  ready: Ready | null;
}

/** Work that came when its image was in review or done: who reviews sees it there and decides. */
export function LateWork({ bench, ready }: Props) {
  const project = bench.project.value;
  const may = mayReview(project, session.value?.permissions.administer ?? false);
  const imageId = ready?.image.id ?? null;
  const [heard, setHeard] = useState(0);
  useEvents(["late.changed"], project.id, () => setHeard((n) => n + 1));
  const expected = may && imageId !== null && ((ready?.annotations.late ?? 0) > 0 || heard > 0);
  const late = useLoad(async () => (expected ? tasks.late(project.id, imageId) : []), [project.id, imageId, expected, heard]);
  const [first, ...others] = (late.value ?? []).filter((one) => one.image_id === imageId);
  if (!first) return null;
  return <Waiting key={first.id} bench={bench} late={first} others={others.length} />;
}

function Waiting({ bench, late, others }: { bench: Bench; late: Late; others: number }) {
  const projectId = bench.project.value.id;
  const { ghosts } = bench.session;
  const [shown, setShown] = useState(false);
  const members = useLoad(() => projects.members(projectId), [projectId]);
  const deciding = useAct();
  const present = bench.annotations.value;
  const labels = bench.labels.value;
  useEffect(() => {
    ghosts.value = shown ? ghostsOf(late.diff, present, labels) : [];
  }, [shown, late, present, labels]);
  useEffect(() => () => void (ghosts.value = []), []);
  const author = members.value?.find((one) => one.user_id === late.author_id)?.name ?? "somebody";
  return (
    <>
      <Fault problem={deciding.problem} />
      <p class="chip" role="status">
        Late work by {author} · {counted(changesOf(late.diff), "change")}
        {others > 0 && ` · ${others} more after it`}
        <Button kind="quiet" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? "Hide" : "Show"}
        </Button>
        <Button kind="quiet" disabled={deciding.busy} onClick={() => deciding.run(() => tasks.applyLate(projectId, late.id))}>
          Apply
        </Button>
        <Button kind="quiet" disabled={deciding.busy} onClick={() => deciding.run(() => tasks.dismissLate(projectId, late.id))}>
          Dismiss
        </Button>
      </p>
    </>
  );
}
