import { useEffect, useRef, useState } from "preact/hooks";

import { images as client } from "../../api/client";
import type { Image, TaskState } from "../../api/types";
import { imageList } from "../../app/image-list";
import { useKeys } from "../../app/keys";
import { mayAdminister, type ProjectPageProps } from "../../app/project";
import { go, place, setQuery } from "../../app/router";
import { session } from "../../app/session";
import { useAct, useEvents } from "../../app/use";
import { Button, Empty, Fault, Swatch } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { Icon } from "../../parts/icon";
import { JobLine } from "../../parts/job-line";
import { TASK_WORDS, TaskMark } from "../../parts/marks";
import { count, counted } from "../../parts/words";
import { ExportDialog } from "../dataset/export-dialog";
import { AutoLabel } from "../start-job";
import { AddFiles, chooseFiles, useDrop } from "./add-files";
import { Grid } from "./grid";
import { UploadPanel } from "./upload-panel";

const STATES: readonly TaskState[] = ["open", "in_progress", "in_review", "returned", "done", "skipped"];
const CELL_KEY = "pixelqueue.cell";

export function Images({ project, labels, reload }: ProjectPageProps) {
  const asked = place.value.query;
  const state = STATES.find((one) => one === asked.get("state")) ?? null;
  const label = Number(asked.get("label")) || null;
  const list = imageList({ projectId: project.id, state, label });
  const total = state && !label ? project.states[state] : project.images;
  const [cell, setCell] = useState(() => Number(localStorage.getItem(CELL_KEY)) || 112);
  const [columns, setColumns] = useState(1);
  const [focused, setFocused] = useState(-1);
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [dialog, setDialog] = useState<"delete" | "auto-label" | "export" | null>(null);
  const drop = useDrop(project.id, project.name);
  const anchor = useRef(0);
  const items = list.items.value;
  const filtered = state !== null || label !== null;

  useEffect(() => {
    setSelected(new Set());
    setFocused(-1);
  }, [list]);
  useEvents(["image.added", "image.deleted", "task.changed", "annotations.changed"], project.id, () => void list.reload());

  const select = (index: number, range: boolean): void => {
    const next = new Set(selected);
    if (range) {
      const [from, to] = [Math.min(anchor.current, index), Math.max(anchor.current, index)];
      for (const image of items.slice(from, to + 1)) next.add(image.id);
    } else if (items[index]) {
      if (!next.delete(items[index].id)) next.add(items[index].id);
      anchor.current = index;
    }
    setSelected(next);
  };
  const open = (image: Image): void => go(`/projects/${project.id}/images/${image.id}${location.search}`);
  const step = (by: number) => (): void => setFocused(Math.max(0, Math.min(items.length - 1, focused + by)));
  useKeys({
    "arrowright*": step(1),
    "arrowleft*": step(-1),
    "arrowdown*": step(columns),
    "arrowup*": step(-columns),
    enter: () => items[focused] && open(items[focused]),
    x: () => select(focused, false),
    "ctrl+a": () => setSelected(new Set(items.map((image) => image.id))),
    escape: () => setSelected(new Set()),
    delete: () => selected.size > 0 && setDialog("delete"),
    "ctrl+j": () => setDialog("auto-label"),
  });

  return (
    <main class="browse" {...drop.handlers}>
      <Filters project={project} labels={labels} state={state} label={label} />
      <div class="toolbar">
        <b>{count(total)}</b>
        <span class="second">
          {state && !label ? `of ${counted(project.images, "image")}` : label ? "images in the project, filtered by label" : project.images === 1 ? "image" : "images"}
        </span>
        {filtered && (
          <Button kind="quiet" onClick={() => setQuery({ state: null, label: null })}>
            {[state && TASK_WORDS[state], labels.find((one) => one.id === label)?.name].filter(Boolean).join(", ")}
            <Icon name="close" />
          </Button>
        )}
        <span class="space" />
        <label class="size second small">
          Size
          <input
            type="range"
            min="80"
            max="320"
            step="8"
            value={cell}
            onInput={(event) => {
              setCell(Number(event.currentTarget.value));
              localStorage.setItem(CELL_KEY, event.currentTarget.value);
            }}
          />
        </label>
        <Button kind="quiet" icon="sparkle" disabled={project.images === 0} onClick={() => setDialog("auto-label")}>
          Auto-label
        </Button>
        <Button kind="quiet" icon="download" disabled={project.images === 0} onClick={() => setDialog("export")}>
          Export
        </Button>
        <AddFiles projectId={project.id} />
      </div>
      <div class="browse-body">
        <Fault problem={list.problem.value} retry={() => void list.ensure(1)} />
        {project.images === 0 ? (
          <div class="inset">
            <Empty
              action={
                <Button icon="upload" onClick={chooseFiles}>
                  Choose files
                </Button>
              }
            >
              No images yet: drop files, folders or zips anywhere on this page.
            </Empty>
          </div>
        ) : list.complete.value && items.length === 0 ? (
          <div class="inset">
            <Empty action={<Button onClick={() => setQuery({ state: null, label: null })}>Show all images</Button>}>
              No image matches this filter.
            </Empty>
          </div>
        ) : (
          <Grid
            list={list}
            total={label ? items.length : total}
            cell={cell}
            focused={focused}
            selected={selected}
            onFocus={setFocused}
            onOpen={open}
            onSelect={select}
            onColumns={setColumns}
          />
        )}
        {drop.words && <p class="drop">{drop.words}</p>}
      </div>
      <div class="browse-foot">
        {selected.size > 0 && (
          <div class="bulk">
            <b>{count(selected.size)} selected</b>
            <Button kind="quiet" hint="Ctrl A" onClick={() => setSelected(new Set(items.map((image) => image.id)))}>
              All {count(items.length)}
            </Button>
            <i class="divider" />
            <Button hint="Ctrl J" onClick={() => setDialog("auto-label")}>
              Auto-label
            </Button>
            {mayAdminister(project, session.value?.permissions.administer ?? false) && (
              <Button hint="Del" onClick={() => setDialog("delete")}>
                Delete
              </Button>
            )}
            <span class="space" />
            <Button kind="quiet" hint="Esc" onClick={() => setSelected(new Set())}>
              Clear
            </Button>
          </div>
        )}
        <UploadPanel
          projectId={project.id}
          mayAdminister={mayAdminister(project, session.value?.permissions.administer ?? false)}
        />
        <footer class="status">
          <JobLine projectId={project.id} />
          <span class="space" />
          <span>
            {count(project.states.done)} done of {count(project.images)}
          </span>
        </footer>
      </div>
      {dialog === "delete" && (
        <DeleteImages
          projectId={project.id}
          ids={[...selected]}
          onClose={(done) => {
            setDialog(null);
            if (done) {
              setSelected(new Set());
              void list.reload();
              reload();
            }
          }}
        />
      )}
      {dialog === "auto-label" && <AutoLabel project={project} imageIds={[...selected]} onClose={() => setDialog(null)} />}
      {dialog === "export" && <ExportDialog project={project} onClose={() => setDialog(null)} />}
    </main>
  );
}

type FiltersProps = Pick<ProjectPageProps, "project" | "labels"> & { state: TaskState | null; label: number | null };

function Filters({ project, labels, state, label }: FiltersProps) {
  return (
    <aside class="filters" aria-label="Filter">
      <h3>Status</h3>
      <ul>
        {STATES.map((one) => (
          <li key={one}>
            <button aria-pressed={one === state} onClick={() => setQuery({ state: one === state ? null : one })}>
              <TaskMark state={one} />
              {TASK_WORDS[one]}
              <span class="space" />
              <span class="second">{count(project.states[one])}</span>
            </button>
          </li>
        ))}
      </ul>
      {labels.length > 0 && <h3>Label</h3>}
      <ul>
        {labels.map((one) => (
          <li key={one.id}>
            <button aria-pressed={one.id === label} onClick={() => setQuery({ label: one.id === label ? null : String(one.id) })}>
              <Swatch color={one.color} />
              <span class="cut">{one.name}</span>
            </button>
          </li>
        ))}
      </ul>
    </aside>
  );
}

function DeleteImages(props: { projectId: number; ids: number[]; onClose: (done: boolean) => void }) {
  const { projectId, ids, onClose } = props;
  const [done, setDone] = useState(0);
  const { busy, problem, run } = useAct();
  const remove = async (): Promise<void> => {
    for (const [index, id] of ids.entries()) {
      await client.remove(projectId, id);
      setDone(index + 1);
    }
    onClose(true);
  };
  return (
    <Dialog title={`Delete ${counted(ids.length, "image")}?`} onClose={() => onClose(done > 0)}>
      <p>Their annotations and history go with them. Snapshots that hold them keep what they hold.</p>
      <Fault problem={problem} />
      <div class="actions">
        <Button kind="primary" disabled={busy} onClick={() => run(remove)}>
          {busy ? `${count(done)} of ${count(ids.length)}` : "Delete"}
        </Button>
        <Button onClick={() => onClose(done > 0)}>Cancel</Button>
      </div>
    </Dialog>
  );
}
