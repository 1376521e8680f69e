import "./models/models.css";

import { useEffect, useState } from "preact/hooks";

import { models } from "../api/models";
import type { Model } from "../api/types";
import { mayAdminister, type ProjectPageProps } from "../app/project";
import { session } from "../app/session";
import { useAct, useEvents, useLoad } from "../app/use";
import { Button, Empty, Fault } from "../parts/controls";
import { TaskMark } from "../parts/marks";
import { counted, when } from "../parts/words";
import { AddModel } from "./models/add";
import { Facts } from "./models/facts";
import { Labels } from "./models/labels";
import { Turns } from "./models/turns";
import { Metrics, title } from "./models/words";

/** Models of the box; inside a project also which of them it uses, and what becomes of their labels. */
export function Models({ project, labels, reload }: Partial<ProjectPageProps>) {
  const loaded = useLoad(models.list, []);
  const turns = useLoad(async () => (project ? models.of(project.id) : null), [project?.id]);
  const runtimes = useLoad(models.runtimes, []);
  const [shown, setShown] = useState<number | null>(null);
  const [archived, setArchived] = useState(false);
  const { busy, problem, run } = useAct();
  const again = (): void => {
    loaded.reload();
    turns.reload();
  };
  useEvents(["model.added", "model.changed"], null, loaded.reload);
  useEvents(["project.changed"], project?.id ?? null, again);
  useEffect(() => {
    if (!project) document.title = "Models · PixelQueue";
  }, []);
  const operates = session.value?.permissions.operate ?? false;
  const may = project ? mayAdminister(project, session.value?.permissions.administer ?? false) : false;
  const all = [...(loaded.value ?? [])].sort((a, b) => b.id - a.id);
  const activeId = turns.value?.active?.id ?? null;
  const listed = all.filter((one) => archived || one.archived_at_ms === null || one.id === shown);
  const model = all.find((one) => one.id === (shown ?? activeId)) ?? listed[0];
  const put = all.length - all.filter((one) => one.archived_at_ms === null).length;
  const act = (what: () => Promise<unknown>): void =>
    run(async () => {
      await what();
      again();
      reload?.();
    });
  const add = operates && <AddModel primary={all.length === 0 || !project} onAdded={(id) => { again(); setShown(id); }} />;
  return (
    <div class="page">
      <main class="sheet models-page">
        <header>
          <h1>Models</h1>
          <span class="second">{loaded.value && counted(all.length, "model")}</span>
          <span class="space" />
          {all.length > 0 && add}
        </header>
        <Fault problem={problem ?? loaded.problem ?? turns.problem} />
        {loaded.value && all.length === 0 && (
          <Empty action={add || undefined}>
            {operates ? "No model yet: add an ONNX file, a checkpoint or a package of another box." : "No model yet: an operator of the box can add one."}
          </Empty>
        )}
        {model && (
          <div class="models">
            <nav aria-label="Models">
              <ul class="model-list">
                {listed.map((one) => (
                  <li key={one.id}>
                    <button aria-pressed={one.id === model.id} onClick={() => setShown(one.id)}>
                      <TaskMark state={one.archived_at_ms !== null ? "skipped" : one.id === activeId || (!project && (one.used_by ?? []).length > 0) ? "done" : "open"} />
                      <span class="cut">
                        <span class="mono">{title(one)}</span>
                        <span class="second small">{standing(one, activeId, !project)}</span>
                      </span>
                      <Metrics model={one} brief />
                    </button>
                  </li>
                ))}
              </ul>
              {put > 0 && (
                <Button kind="quiet" aria-pressed={archived} onClick={() => setArchived(!archived)}>
                  {archived ? "Hide archived" : `Show ${counted(put, "archived", "archived")}`}
                </Button>
              )}
            </nav>
            <section class="model-main">
              <header>
                <h2 class="mono">{title(model)}</h2>
                <span class="space" />
                {may && project && model.task !== "prompt" && model.archived_at_ms === null && (
                  activeId === model.id ? (
                    <Button disabled={busy} onClick={() => act(() => models.activate(project.id, null))}>Stop using</Button>
                  ) : (
                    <Button kind="primary" disabled={busy} onClick={() => act(() => models.activate(project.id, model.id))}>Use in this project</Button>
                  )
                )}
              </header>
              <Metrics model={model} />
              {project && model.task !== "prompt" ? (
                <Labels key={`${project.id}-${model.id}`} projectId={project.id} model={model} labels={labels ?? []} may={may} />
              ) : (
                model.info.labels.length > 0 && (
                  <>
                    <h3>{counted(model.info.labels.length, "label")}</h3>
                    <p class="label-words">{model.info.labels.join(", ")}</p>
                  </>
                )
              )}
            </section>
            <aside class="model-side" aria-label="About the model">
              {project && turns.value && <Turns turns={turns.value} busy={busy} may={may} onBack={() => act(() => models.rollBack(project.id))} />}
              <Facts model={model} runtimes={runtimes.value} operates={operates} busy={busy} act={act} onGone={() => setShown(null)} />
            </aside>
          </div>
        )}
      </main>
    </div>
  );
}

function standing(model: Model, activeId: number | null, box: boolean): string {
  if (model.archived_at_ms !== null) return `Archived ${when(model.archived_at_ms)}`;
  if (model.id === activeId) return "In use here";
  const used = model.used_by ?? [];
  if (box && used.length > 0) return `In use in ${used.length === 1 ? used[0].name : counted(used.length, "project")}`;
  return `Added ${when(model.created_at_ms)}`;
}
