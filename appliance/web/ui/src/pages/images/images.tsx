import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { projects } from "../../api/client";
import type { ImageSelection } from "../../api/types";
import { openSoon } from "../../app/early";
import { bodyOf, filterOf, isFiltered, searchOf, type Sort } from "../../app/image-filter";
import { imageList } from "../../app/image-list";
import { hint } from "../../app/keys";
import { mayAdminister, type ProjectPageProps } from "../../app/project";
import { go, place } from "../../app/router";
import { events, session } from "../../app/session";
import { useLoad } from "../../app/use";
import { Button, Empty, Fault, IconButton, Select } from "../../parts/controls";
import { JobLine } from "../../parts/job-line";
import { Waiting } from "../../parts/waiting";
import { count } from "../../parts/words";
import { ExportDialog } from "../dataset/export-dialog";
import { AutoLabel } from "../start-job";
import { AddFiles, chooseFiles, useDrop } from "./add-files";
import { BulkAction, BulkBar, type BulkDialog, type Done } from "./bulk";
import { Chips, clearFilters } from "./chips";
import { DoneLine } from "./done-line";
import { change, Filters } from "./filters";
import { Grid } from "./grid";
import type { GridView } from "./grid-view";
import { useGridKeys } from "./grid-keys";
import "./images.css";
import { colorsOf, outlined, toggleOutlines } from "./outlines";
import { Picking } from "./picking";
import { UploadPanel } from "./upload-panel";

const CELL_KEY = "pixelqueue.cell";
const SORTS: readonly (readonly [Sort, string])[] = [["newest", "Newest first"], ["oldest", "Oldest first"], ["name", "By name"]];

type Open = BulkDialog | "auto-label" | "export";

export function Images({ project, labels, reload }: ProjectPageProps) {
  const filter = filterOf(place.value.query);
  const list = imageList(project.id, filter);
  const picking = useMemo(() => new Picking(list), [list]);
  const view = useRef<GridView | null>(null);
  const [cell, setCell] = useState(() => Number(localStorage.getItem(CELL_KEY)) || 112);
  const [dialog, setDialog] = useState<Open | null>(null);
  const [done, setDone] = useState<Done | null>(null);
  const [panel, setPanel] = useState(false);
  const drop = useDrop(project.id, project.name);
  const members = useLoad(() => projects.members(project.id), [project.id]).value ?? [];
  const people = useMemo(() => new Map(members.map((one) => [one.user_id, one.name])), [members]);
  const colors = useMemo(() => colorsOf(labels), [labels]);
  const administers = mayAdminister(project, session.value?.permissions.administer ?? false);
  const total = list.total;
  const filtered = isFiltered(filter);
  const selected = picking.count;
  const search = searchOf(filter);

  useEffect(() => {
    void list.start();
    return list.follow(events);
  }, [list]);

  const href = (id: number): string => `/projects/${project.id}/images/${id}${search}`;
  const open = (index: number): void => {
    const id = list.ids.value?.[index];
    if (id === undefined) return;
    openSoon(project.id, id);
    go(href(id));
  };
  const near = (index: number): void => {
    const id = list.ids.value?.[index];
    if (id !== undefined) openSoon(project.id, id);
  };
  const ask = (what: Open): void => {
    if (what === "export" || what === "auto-label" || (selected > 0 && administers)) setDialog(what);
  };
  useGridKeys(picking, view, { open, ask });

  const everything: ImageSelection = { filter: bodyOf(filter) };
  const selection = selected > 0 ? picking.selection(bodyOf(filter)) : everything;
  const close = (what: Done | null): void => {
    setDialog(null);
    if (!what) return;
    setDone(what);
    picking.clear();
    reload();
  };

  return (
    <main class="browse" {...drop.handlers}>
      <Filters project={project} labels={labels} members={members} filter={filter} open={panel} />
      <div class="toolbar">
        <Button class="narrow-only" icon="filter" aria-expanded={panel} onClick={() => setPanel(!panel)}>
          Filter
        </Button>
        <span class="tally" role="status">
          {total === null ? (
            !list.problem.value && <Waiting>Reading the images</Waiting>
          ) : (
            <>
              <b>{count(total)}</b> <span class="second">{filtered ? `of ${count(project.images)} images` : project.images === 1 ? "image" : "images"}</span>
            </>
          )}
        </span>
        <Chips filter={filter} labels={labels} members={members} />
        <span class="space" />
        <Select bare label="Order" value={filter.sort} options={SORTS} onPick={(sort) => change(filter, { sort: sort as Sort })} />
        <IconButton
          icon={outlined.value ? "eye" : "hidden"}
          label={outlined.value ? "Hide annotations" : "Show annotations"}
          hint={hint("outline-images")}
          aria-pressed={outlined.value}
          onClick={toggleOutlines}
        />
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
        <Fault problem={list.problem.value} retry={() => void list.reload()} />
        {project.images === 0 && !total ? (
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
        ) : total === 0 ? (
          <div class="inset">
            <Empty action={<Button onClick={clearFilters}>Clear filters</Button>}>No image matches these filters.</Empty>
          </div>
        ) : (
          <Grid list={list} picking={picking} cell={cell} people={people} colors={colors} href={href} onOpen={open} onNear={near} view={view} />
        )}
        {drop.words && <p class="drop">{drop.words}</p>}
      </div>
      <div class="browse-foot">
        {selected > 0 && (
          <BulkBar
            selected={selected}
            total={total ?? 0}
            all={picking.all.value}
            administers={administers}
            onAll={() => picking.selectAll()}
            onClear={() => picking.clear()}
            onAct={ask}
          />
        )}
        <UploadPanel projectId={project.id} mayAdminister={administers} />
        <footer class="status">
          <JobLine projectId={project.id} />
          <DoneLine done={done} onNext={setDone} />
          <span class="space" />
          <span>
            {count(project.states.done)} done of {count(project.images)}
          </span>
        </footer>
      </div>
      {dialog === "auto-label" && (
        <AutoLabel
          project={project}
          selection={selection}
          number={selected || total || project.images}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog === "export" && <ExportDialog project={project} onClose={() => setDialog(null)} />}
      {dialog && dialog !== "auto-label" && dialog !== "export" && (
        <BulkAction what={dialog} projectId={project.id} selection={selection} number={selected} members={members} order={project.queue_order} onClose={close} />
      )}
    </main>
  );
}
