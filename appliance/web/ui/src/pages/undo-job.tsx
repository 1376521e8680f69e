import { history, type UndoPreview } from "../api/history";
import type { Job } from "../api/types";
import { jobTitle, noteJob } from "../app/jobs";
import { useAct, useLoad } from "../app/use";
import { Button, Fault } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { count, counted } from "../parts/words";

const KINDS = ["auto-label", "import", "relabel", "change-images", "undo"];

/** Whether a job is of a sort that can be taken back, and over. */
export function canUndo(job: Job): boolean {
  const over = ["done", "failed", "cancelled"].includes(job.state);
  return over && job.project_id !== null && KINDS.includes(job.kind) && job.parameters.action !== "delete";
}

/** What undoing a job would do, before it does. */
export function UndoJob({ job, projectId, onClose }: { job: Job; projectId: number; onClose: () => void }) {
  const seen = useLoad(() => history.undoPreview(projectId, job.id), [projectId, job.id]);
  const { busy, problem, run } = useAct();
  const [goes, stays] = seen.value ? lines(seen.value) : [[], []];
  const undo = (): void =>
    run(async () => {
      noteJob(await history.undo(projectId, job.id));
      onClose();
    });
  return (
    <Dialog title={`Undo ${jobTitle(job).toLowerCase()} ${job.id}?`} onClose={onClose}>
      <Fault problem={seen.problem ?? problem} retry={seen.problem ? seen.reload : undefined} />
      {seen.value && (
        <>
          {seen.value.undone_by !== null && <p class="second">Job {seen.value.undone_by} has undone it before.</p>}
          {goes.length === 0 ? (
            <p>Nothing is left of it to take back.</p>
          ) : (
            <ul class="undo-list">
              {goes.map((words) => (
                <li key={words}>{words}</li>
              ))}
            </ul>
          )}
          {stays.length > 0 && (
            <>
              <p>
                <b>Stays as it is</b>
              </p>
              <ul class="undo-list">
                {stays.map((words) => (
                  <li key={words}>{words}</li>
                ))}
              </ul>
            </>
          )}
          <p class="second">It runs as a job, is in each image's history, and can itself be undone.</p>
          <div class="actions">
            <Button kind="primary" disabled={busy || goes.length === 0} onClick={undo}>
              Undo it
            </Button>
            <Button onClick={onClose}>Leave it</Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

/** What goes or comes back, and what stays, in words. */
export function lines(seen: UndoPreview): [string[], string[]] {
  const said = (facts: readonly (readonly [number, string])[]): string[] => facts.filter(([n]) => n > 0).map(([, words]) => words);
  const goes = said([
    [seen.annotations, `${counted(seen.annotations, "annotation goes", "annotations go")} back to what they were, on ${counted(seen.images, "image")} or fewer`],
    [seen.returning, `${counted(seen.returning, "annotation")} it removed may come back, where nothing stands in the place`],
    [seen.pictures, `${counted(seen.pictures, "image")} it brought, and nobody touched, ${seen.pictures === 1 ? "goes" : "go"}`],
    [seen.pictures_back, `${counted(seen.pictures_back, "image")} it took away ${seen.pictures_back === 1 ? "comes" : "come"} back`],
    [seen.tasks, `State and assignee of ${counted(seen.tasks, "task")}, unless somebody went on`],
  ]);
  const stays = said([
    [seen.kept, `${count(seen.kept)} ${seen.kept === 1 ? "annotation" : "annotations"} somebody changed or removed since`],
    [seen.kept_images, `${counted(seen.kept_images, "image")} handed in or judged since`],
    [seen.kept_pictures, `${counted(seen.kept_pictures, "image")} it brought that somebody worked on`],
  ]);
  return [goes, stays];
}
