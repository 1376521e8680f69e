import { useEffect, useState } from "preact/hooks";

import { history, type Revision } from "../api/history";
import { mayAdminister } from "../app/project";
import { session } from "../app/session";
import { useAct, useEvents, useLoad } from "../app/use";
import { ImageDocument } from "../editor/document";
import { newId } from "../editor/ids";
import type { Ready } from "../editor/pictures";
import { Button, Fault } from "../parts/controls";
import { deedWords, KIND_WORDS } from "../parts/history-words";
import { moment, when } from "../parts/words";
import type { Bench } from "./bench";
import { Erase } from "./erase";

/** Who changed what on this image, newest first, and the way back to each revision. */
export function History({ bench, ready }: { bench: Bench; ready: Ready }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="raw past" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>History</summary>
      {open && <Revisions key={ready.image.id} bench={bench} imageId={ready.image.id} name={ready.image.name} />}
    </details>
  );
}

function Revisions({ bench, imageId, name }: { bench: Bench; imageId: number; name: string }) {
  const project = bench.project.value;
  const [older, setOlder] = useState<{ items: Revision[]; next: string | null } | null>(null);
  const [erasing, setErasing] = useState(false);
  const loaded = useLoad(() => history.ofImage(project.id, imageId, null), [project.id, imageId]);
  const looking = useAct();
  useEvents(["annotations.changed"], project.id, () => {
    setOlder(null);
    loaded.reload();
  });
  useEffect(() => () => void (bench.past.value = null), []);
  const labels = new Map(bench.labels.value.map((one) => [one.id, one.name]));
  const items = [...(loaded.value?.items ?? []), ...(older?.items ?? [])];
  const next = older ? older.next : (loaded.value?.next ?? null);
  const newest = items[0]?.revision ?? 0;
  const look = (one: Revision): void =>
    looking.run(async () => {
      const found = await history.at(project.id, imageId, one.revision);
      if (bench.desk.peek()?.imageId === imageId) bench.lookBack(one, new ImageDocument(imageId, one.revision, found));
    });
  const more = (): void =>
    looking.run(async () => {
      const page = await history.ofImage(project.id, imageId, next);
      setOlder({ items: [...(older?.items ?? []), ...page.items], next: page.next ?? null });
    });
  return (
    <>
      <Fault problem={loaded.problem ?? looking.problem} retry={loaded.reload} />
      {loaded.value && items.length === 0 && <p class="second small">Nobody has changed anything here yet.</p>}
      <ol class="revisions">
        {items.map((one) => {
          const shown = bench.past.value?.entry.revision === one.revision;
          return (
            <li key={one.revision} class={shown ? "on" : ""}>
              <p>
                <b>{one.author ?? "The box"}</b>
                <span class="second" title={moment(one.at_ms)}>
                  {when(one.at_ms)}
                </span>
                <span class="space" />
                {one.revision === newest ? (
                  <span class="second">as it is</span>
                ) : (
                  <Button kind="quiet" aria-pressed={shown} onClick={() => (shown ? (bench.past.value = null) : look(one))}>
                    {shown ? "Back to now" : "Look"}
                  </Button>
                )}
              </p>
              <p class="second">
                {KIND_WORDS[one.kind]}
                {one.job_id !== null && ` by job ${one.job_id}`}
                {one.did && one.did.length > 0 && `: ${deedWords(one.did, labels)}`}
              </p>
            </li>
          );
        })}
      </ol>
      {next !== null && (
        <Button kind="quiet" disabled={looking.busy} onClick={more}>
          Show older
        </Button>
      )}
      {mayAdminister(project, session.value?.permissions.administer ?? false) && (
        <Button kind="quiet" icon="trash" onClick={() => setErasing(true)}>
          Erase this image for good
        </Button>
      )}
      {erasing && <Erase projectId={project.id} imageId={imageId} name={name} onClose={() => setErasing(false)} />}
    </>
  );
}

/** Over the canvas while an earlier revision is shown: what it is, and the two ways out. */
export function PastBanner({ bench, mayRestore }: { bench: Bench; mayRestore: boolean }) {
  const past = bench.past.value;
  const restoring = useAct();
  if (!past) return null;
  const { entry, document } = past;
  const restore = (): void =>
    restoring.run(async () => {
      const desk = bench.desk.peek();
      if (!desk) return;
      await desk.saver.flush();
      const facts = { diff_id: newId(), revision: desk.document.revision };
      const saved = await history.restore(bench.project.peek().id, document.imageId, entry.revision, facts);
      bench.past.value = null;
      desk.saver.hear(saved.revision);
      await desk.saver.catchUp();
      bench.refresh();
    });
  return (
    <>
      <Fault problem={restoring.problem} />
      <p class="chip past-banner" role="status">
        <span>
          <b>Revision {entry.revision}</b>, as {entry.author ?? "the box"} left it {when(entry.at_ms)}. To look at only.
        </span>
        {mayRestore && (
          <Button kind="quiet" disabled={restoring.busy} onClick={restore}>
            Restore it
          </Button>
        )}
        <Button kind="quiet" onClick={() => (bench.past.value = null)}>
          Back to now
        </Button>
      </p>
    </>
  );
}
