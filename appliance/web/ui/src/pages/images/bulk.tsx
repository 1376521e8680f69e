import { images } from "../../api/client";
import { history } from "../../api/history";
import type { BulkOutcome, ImageSelection, Member, QueueOrder } from "../../api/types";
import { hasEnded, noteJob, whenOver } from "../../app/jobs";
import { useAct } from "../../app/use";
import { Button, Fault } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { count, counted } from "../../parts/words";
import { Assign, Plan } from "./dealing";

/** What was done last, in words, and how to take it back, which tells what came of that. */
export interface Done {
  words: string;
  undo?: () => Promise<Done>;
}

export type BulkDialog = "delete" | "reopen" | "assign" | "plan";

interface BarProps {
  selected: number;
  total: number;
  all: boolean;
  administers: boolean;
  onAll: () => void;
  onClear: () => void;
  onAct: (what: BulkDialog | "auto-label") => void;
}

/** A row of its own below the grid, so that it covers no image. */
export function BulkBar({ selected, total, all, administers, onAll, onClear, onAct }: BarProps) {
  return (
    <div class="bulk" role="toolbar" aria-label="Selected images">
      <b role="status">{count(selected)} selected</b>
      <Button kind="quiet" hint="Ctrl A" disabled={all} onClick={onAll}>
        {all ? "All that match" : `All ${count(total)}`}
      </Button>
      <i class="divider" />
      {administers && (
        <>
          <Button hint="A" onClick={() => onAct("assign")}>
            Assign
          </Button>
          <Button hint="P" onClick={() => onAct("plan")}>
            Plan
          </Button>
        </>
      )}
      <Button hint="Ctrl J" onClick={() => onAct("auto-label")}>
        Auto-label
      </Button>
      {administers && (
        <>
          <Button hint="R" onClick={() => onAct("reopen")}>
            Reopen
          </Button>
          <Button hint="Del" onClick={() => onAct("delete")}>
            Delete
          </Button>
        </>
      )}
      <span class="space" />
      <Button kind="quiet" hint="Esc" onClick={onClear}>
        Clear
      </Button>
    </div>
  );
}

export interface DialogProps {
  projectId: number;
  selection: ImageSelection;
  number: number;
  members: readonly Member[];
  onClose: (done: Done | null) => void;
}

export function BulkAction({ what, order, ...rest }: DialogProps & { what: BulkDialog; order: QueueOrder }) {
  if (what === "assign") return <Assign {...rest} />;
  if (what === "plan") return <Plan {...rest} order={order} />;
  return what === "delete" ? <Delete {...rest} /> : <Reopen {...rest} />;
}

/** Many are changed by a job, whose progress the status line shows. */
export function said(outcome: BulkOutcome, word: string): string {
  if (outcome.job && !hasEnded(outcome.job.state)) {
    noteJob(outcome.job);
    return `${counted(outcome.images, "image")} are being ${word}`;
  }
  const rest = outcome.images - outcome.changed;
  return `${counted(outcome.changed, "image")} ${word}${rest > 0 ? `, ${rest === 1 ? "1 stays as it is" : `${count(rest)} stay as they are`}` : ""}`;
}

/** The way back from what was done at once, the last first; none where nothing was, or a job is still at it. */
export function wayBack(projectId: number, outcomes: readonly BulkOutcome[]): Done["undo"] {
  const done = outcomes.flatMap(({ job }) => (job && hasEnded(job.state) ? [job.id] : [])).reverse();
  if (done.length === 0) return undefined;
  return async () => {
    let [back, kept] = [0, 0];
    for (const id of done) {
      const { result } = await whenOver((await history.undo(projectId, id)).id);
      back = Math.max(back, Number(result?.tasks ?? 0));
      kept = Math.max(kept, Number(result?.kept ?? 0));
    }
    const stay = kept > 0 ? `, ${kept === 1 ? "1 stays as somebody left it" : `${count(kept)} stay as somebody left them`} since` : "";
    return { words: `${counted(back, "image")} as before${stay}` };
  };
}

function Delete({ projectId, selection, number, onClose }: DialogProps) {
  const { busy, problem, run } = useAct();
  const act = async (): Promise<void> => onClose({ words: said(await images.removeSome(projectId, selection), "deleted") });
  return (
    <Dialog title={`Delete ${counted(number, "image")}?`} onClose={() => onClose(null)}>
      <p>Their annotations and history go with them, and there is no way back. Snapshots that hold them keep what they hold.</p>
      <Fault problem={problem} />
      <div class="actions">
        <Button kind="primary" disabled={busy} onClick={() => run(act)}>
          Delete
        </Button>
        <Button onClick={() => onClose(null)}>Cancel</Button>
      </div>
    </Dialog>
  );
}

function Reopen({ projectId, selection, number, onClose }: DialogProps) {
  const { busy, problem, run } = useAct();
  const act = async (): Promise<void> => {
    const outcome = await images.reopen(projectId, selection);
    onClose({ words: said(outcome, "open again"), undo: wayBack(projectId, [outcome]) });
  };
  return (
    <Dialog title={`Reopen ${counted(number, "image")}?`} onClose={() => onClose(null)}>
      <p>Those in review, done or skipped are open again; what is drawn on them stays. The others stay as they are.</p>
      <Fault problem={problem} />
      <div class="actions">
        <Button kind="primary" disabled={busy} onClick={() => run(act)}>
          Reopen
        </Button>
        <Button onClick={() => onClose(null)}>Cancel</Button>
      </div>
    </Dialog>
  );
}
