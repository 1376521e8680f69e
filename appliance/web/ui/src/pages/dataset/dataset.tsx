import { useState } from "preact/hooks";

import "../dataset.css";

import { machine } from "../../api/client";
import type { Export, Snapshot } from "../../api/types";
import { hasEnded, jobName, liveJobs } from "../../app/jobs";
import type { ProjectPageProps } from "../../app/project";
import { useEvents, useLoad } from "../../app/use";
import { Progress } from "../../parts/bar";
import { Button, Empty, Fault } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { JobMark } from "../../parts/marks";
import { bytes, count, counted, when } from "../../parts/words";
import { NoteList } from "../jobs";
import { ExportDialog, FORMATS } from "./export-dialog";
import { SnapshotDialog } from "./snapshot-dialog";
import { SnapshotFacts } from "./snapshot-facts";
import { Validation } from "./validation";

/** Snapshots and what was exported from them. */
export function Dataset({ project, labels }: ProjectPageProps) {
  const snapshots = useLoad(() => machine.snapshots(project.id), [project.id]);
  const exports = useLoad(() => machine.exports(project.id), [project.id]);
  const [making, setMaking] = useState(false);
  const [exporting, setExporting] = useState<Snapshot | true | null>(null);
  const [notes, setNotes] = useState<Export | null>(null);
  const [shown, setShown] = useState<Snapshot | null>(null);
  useEvents(["snapshot.made", "snapshot.deleted", "export.made"], project.id, () => {
    snapshots.reload();
    exports.reload();
  });
  const running = [...liveJobs.value.values()].filter(
    (job) => job.project_id === project.id && ["export", "snapshot"].includes(job.kind) && !hasEnded(job.state),
  );
  const all = [...(snapshots.value ?? [])].sort((a, b) => b.id - a.id);
  const made = [...(exports.value ?? [])].sort((a, b) => b.id - a.id);
  const nameOf = (id: number): string => all.find((one) => one.id === id)?.name ?? `snapshot ${id}`;
  return (
    <div class="page">
      <main class="sheet">
        <header>
          <h1>Dataset</h1>
          <span class="second">
            {count(project.states.done)} of {counted(project.images, "image")} done
          </span>
          <span class="space" />
          <Button onClick={() => setMaking(true)}>Make snapshot</Button>
          <Button kind="primary" icon="download" disabled={project.images === 0} onClick={() => setExporting(true)}>
            Export
          </Button>
        </header>
        <Fault problem={snapshots.problem ?? exports.problem} retry={snapshots.reload} />
        {running.map((job) => (
          <p key={job.id} class="running" role="status">
            <JobMark state={job.state} />
            <b>{jobName(job.kind)}</b>
            <Progress done={job.progress} total={job.total} label={jobName(job.kind)} />
            <span>{job.total > 0 ? `${count(job.progress)} of ${count(job.total)}` : job.state}</span>
            <span class="second cut">{job.message}</span>
          </p>
        ))}
        <Validation project={project} />
        <h2>Snapshots</h2>
        {snapshots.value && all.length === 0 ? (
          <Empty action={<Button onClick={() => setMaking(true)}>Make snapshot</Button>}>
            No snapshot yet: one holds the dataset as it is now, for good, and exports come from it.
          </Empty>
        ) : all.length > 0 && (
          <table class="rows">
            <thead>
              <tr>
                <th>Name</th>
                <th>Contents</th>
                <th class="number">Images</th>
                <th class="number">Annotations</th>
                <th class="wide-only">Manifest</th>
                <th class="number wide-only">Made</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {all.map((one) => (
                <tr key={one.id}>
                  <td>
                    <button class="row-button" onClick={() => setShown(one)}>
                      <b class="cut">{one.name}</b>
                    </button>
                  </td>
                  <td class="second">{one.contents === "approved" ? "approved, ground truth" : "with drafts and predictions, no ground truth"}</td>
                  <td class="number">{count(one.images)}</td>
                  <td class="number">{count(one.annotations)}</td>
                  <td class="mono second wide-only">{one.manifest_sha256.slice(0, 12)}</td>
                  <td class="number second wide-only">{when(one.created_at_ms)}</td>
                  <td class="number">
                    <Button kind="quiet" onClick={() => setShown(one)}>
                      Contents
                    </Button>
                    <Button kind="quiet" onClick={() => setExporting(one)}>
                      Export
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <h2>Exports</h2>
        {exports.value && made.length === 0 ? (
          <Empty>Nothing was exported yet.</Empty>
        ) : made.length > 0 && (
          <table class="rows">
            <thead>
              <tr>
                <th>Format</th>
                <th>Snapshot</th>
                <th class="number">Size</th>
                <th class="wide-only">Hash</th>
                <th class="number wide-only">Made</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {made.map((one) => (
                <tr key={one.id}>
                  <td>
                    <b>{FORMATS.find(([key]) => key === one.format)?.[1] ?? one.format}</b>
                  </td>
                  <td class="second">{nameOf(one.snapshot_id)}</td>
                  <td class="number">{one.size_bytes === null ? "" : bytes(one.size_bytes)}</td>
                  <td class="mono second wide-only">{one.sha256?.slice(0, 12)}</td>
                  <td class="number second wide-only">{when(one.created_at_ms)}</td>
                  <td class="number nowrap">
                    {one.notes.length > 0 && (
                      <Button kind="quiet" onClick={() => setNotes(one)}>
                        {counted(one.notes.length, "note")}
                      </Button>
                    )}
                    {one.sha256 && (
                      <a class="button quiet" href={machine.exportUrl(one)} download>
                        Download
                      </a>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </main>
      {making && <SnapshotDialog project={project} onClose={() => setMaking(false)} />}
      {exporting && (
        <ExportDialog project={project} snapshot={exporting === true ? undefined : exporting} onClose={() => setExporting(null)} />
      )}
      {shown && <SnapshotFacts snapshot={shown} others={all} labels={labels} onClose={() => setShown(null)} />}
      {notes && (
        <Dialog title={`Notes of this ${notes.format} export`} wide onClose={() => setNotes(null)}>
          <NoteList notes={notes.notes} />
        </Dialog>
      )}
    </div>
  );
}
