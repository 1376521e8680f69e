import { useEffect, useRef, useState } from "preact/hooks";

import { http, models, projects } from "../api/client";
import type { Model } from "../api/types";
import type { ProjectPageProps } from "../app/project";
import { useAct, useEvents, useLoad } from "../app/use";
import { Button, Empty, Fault } from "../parts/controls";
import { TaskMark } from "../parts/marks";
import { bytes, counted, when } from "../parts/words";

const TASK_WORDS: Record<Model["info"]["task"], string> = {
  detect: "boxes",
  segment: "outlines",
  pose: "keypoints",
  obb: "rotated boxes",
  classify: "whole images",
  prompt: "what a click points at",
};

/** Models of the box; inside a project also which of them it uses. */
export function Models({ project, reload }: Partial<ProjectPageProps>) {
  const loaded = useLoad(models.list, []);
  const [shown, setShown] = useState<number | null>(null);
  const files = useRef<HTMLInputElement>(null);
  const { busy, problem, run } = useAct();
  useEvents(["model.added", "model.changed"], null, loaded.reload);
  useEffect(() => {
    if (!project) document.title = "Models · PixelQueue";
  }, []);
  const all = [...(loaded.value ?? [])].sort((a, b) => b.id - a.id);
  const model = all.find((one) => one.id === (shown ?? project?.model_id)) ?? all[0];
  const upload = (file: File): void =>
    run(async () => {
      const sent = await http.send<Model>("POST", "/api/models", { query: { name: file.name }, bytes: file });
      loaded.reload();
      setShown(sent.body.id);
    });
  const use = (id: number | null): void =>
    run(async () => {
      if (!project) return;
      await projects.change(project.id, { model_id: id });
      reload?.();
    });
  const add = (
    <Button kind={all.length === 0 || !project ? "primary" : "plain"} icon="upload" disabled={busy} onClick={() => files.current?.click()}>
      {busy ? "Checking the file" : "Upload ONNX"}
    </Button>
  );
  return (
    <div class="page">
      <main class="sheet">
        <header>
          <h1>Models</h1>
          <span class="second">{loaded.value && counted(all.length, "model")}</span>
          <span class="space" />
          {all.length > 0 && add}
          <input
            ref={files}
            class="unseen"
            type="file"
            accept=".onnx"
            tabIndex={-1}
            aria-label="ONNX file"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file) upload(file);
              event.currentTarget.value = "";
            }}
          />
        </header>
        <Fault problem={problem ?? loaded.problem} />
        {loaded.value && all.length === 0 && (
          <Empty action={add}>No model yet: upload an ONNX file exported from YOLO, with its labels inside.</Empty>
        )}
        {model && (
          <div class="models">
            <ul class="model-list">
              {all.map((one) => (
                <li key={one.id}>
                  <button aria-pressed={one.id === model.id} onClick={() => setShown(one.id)}>
                    <TaskMark state={project?.model_id === one.id ? "done" : "open"} />
                    <span class="cut">
                      <span class="mono">{`${one.name}-${one.version}`}</span>
                      <span class="second small">
                        {project?.model_id === one.id ? "In use here" : when(one.created_at_ms)}
                      </span>
                    </span>
                  </button>
                </li>
              ))}
            </ul>
            <ModelFacts model={model} active={project ? project.model_id === model.id : null} busy={busy} onUse={use} />
          </div>
        )}
      </main>
    </div>
  );
}

interface FactsProps {
  model: Model;
  active: boolean | null;
  busy: boolean;
  onUse: (id: number | null) => void;
}

function ModelFacts({ model, active, busy, onUse }: FactsProps) {
  const { info } = model;
  const [height, width] = info.input_size;
  return (
    <section class="model-facts">
      <header>
        <h2 class="mono">{`${model.name}-${model.version}`}</h2>
        <span class="space" />
        {active === false && (
          <Button kind="primary" disabled={busy} onClick={() => onUse(model.id)}>
            Use in this project
          </Button>
        )}
        {active === true && (
          <Button disabled={busy} onClick={() => onUse(null)}>
            Stop using
          </Button>
        )}
      </header>
      <dl class="facts">
        <dt>Predicts</dt>
        <dd>{TASK_WORDS[info.task]}</dd>
        <dt>Family</dt>
        <dd>{info.family}</dd>
        <dt>Input</dt>
        <dd>{info.dynamic ? `any size, ${width} × ${height} unless told` : `${width} × ${height}`}</dd>
        <dt>Batch</dt>
        <dd>{info.batch ?? "any"}</dd>
        <dt>Weights</dt>
        <dd>ONNX, {bytes(model.size_bytes)}</dd>
        <dt>Hash</dt>
        <dd class="mono">{model.sha256.slice(0, 12)}</dd>
        <dt>Added</dt>
        <dd>{when(model.created_at_ms)}</dd>
      </dl>
      <h3>{counted(info.labels.length, "label")}</h3>
      <p class="label-words">{info.labels.join(", ")}</p>
      <p class="second small">Labels are matched to those of a project by name; what has no match is left out and said.</p>
    </section>
  );
}
