import { useState } from "preact/hooks";

import { models, type Runtimes } from "../../api/models";
import type { Model, Parity } from "../../api/types";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { bytes, when } from "../../parts/words";
import { RunsOn } from "./runs-on";
import { TASK_WORDS, title } from "./words";

interface Props {
  model: Model;
  runtimes: Runtimes | null;
  operates: boolean;
  busy: boolean;
  act: (what: () => Promise<unknown>) => void;
  onGone: () => void;
}

/** What a model is, where it comes from, what runs it, and where it can go. */
export function Facts({ model, runtimes, operates, busy, act, onGone }: Props) {
  const [sure, setSure] = useState(false);
  const used = (model.used_by ?? []).length > 0;
  const archived = model.archived_at_ms !== null;
  return (
    <>
      <About model={model} />
      <Origin model={model} />
      {runtimes && <RunsOn key={model.id} model={model} runtimes={runtimes} operates={operates} />}
      {operates && (
        <section class="model-acts">
          <a class="button" href={models.fileUrl(model.id)} download>
            <Icon name="download" />
            Export
          </a>
          <Button disabled={busy || (used && !archived)} title={used ? "A project uses it" : undefined} onClick={() => act(() => models.archive(model.id, !archived))}>
            {archived ? "Restore" : "Archive"}
          </Button>
          <Button
            icon="trash"
            disabled={busy || used}
            title={used ? "A project uses it" : undefined}
            onClick={() => {
              if (!sure) return setSure(true);
              act(async () => {
                await models.remove(model.id);
                onGone();
              });
            }}
          >
            {sure ? `Delete ${title(model)} for good` : "Delete"}
          </Button>
        </section>
      )}
    </>
  );
}

function About({ model }: { model: Model }) {
  const { info } = model;
  const [height, width] = info.input_size;
  return (
    <section>
      <h3>Model</h3>
      <dl class="facts">
        <dt>Predicts</dt>
        <dd>{TASK_WORDS[model.task]}</dd>
        <dt>Family</dt>
        <dd>{model.family}</dd>
        <dt>Picture size</dt>
        <dd>{info.dynamic ? `any, ${width} × ${height} by default` : `${width} × ${height}`}</dd>
        <dt>Pictures at once</dt>
        <dd>{info.batch ?? "any"}</dd>
        {model.files.map((file) => [
          <dt key={`${file.role}-name`}>{model.files.length > 1 ? file.role : "Weights"}</dt>,
          <dd key={file.role}>ONNX, {bytes(file.size_bytes)}</dd>,
        ])}
        <dt>SHA-256</dt>
        <dd class="mono">{model.sha256.slice(0, 12)}</dd>
      </dl>
    </section>
  );
}

function Origin({ model }: { model: Model }) {
  const { file, snapshot, parent, imported, conversion, source_sha256, parameters } = model.provenance;
  const trained = Object.entries(parameters ?? {});
  return (
    <section>
      <h3>Where it comes from</h3>
      <dl class="facts">
        <dt>Added</dt>
        <dd>{when(model.created_at_ms)}</dd>
        {file && [<dt key="file">File</dt>, <dd key="name" class="mono">{file}</dd>]}
        {source_sha256 && [<dt key="source">Its SHA-256</dt>, <dd key="hash" class="mono">{source_sha256.slice(0, 12)}</dd>]}
        {imported && [<dt key="box">From another box</dt>, <dd key="as" class="mono">{title(imported)}</dd>]}
        {snapshot && [<dt key="snapshot">Snapshot</dt>, <dd key="of">{snapshot.name}</dd>]}
        {parent && [<dt key="parent">Trained from</dt>, <dd key="from" class="mono">{title(parent)}</dd>]}
        {trained.length > 0 && [<dt key="trained">Trained with</dt>, <dd key="with">{trained.map(([name, value]) => `${name} ${String(value)}`).join(", ")}</dd>]}
        {conversion && [
          <dt key="converted">Converted</dt>,
          <dd key="how">
            {conversion.isolated ? "without a network" : "not cut off from the network by the system"}, {Math.round(conversion.seconds)} s
            {conversion.reading === "pickle" && ", code inside the file ran"}
          </dd>,
          <dt key="with">With</dt>,
          <dd key="versions">ultralytics {conversion.versions.ultralytics}, torch {conversion.versions.torch}</dd>,
        ]}
      </dl>
      {conversion?.parity && <Alike parity={conversion.parity} />}
    </section>
  );
}

/** How the converted model compared with the checkpoint on pictures, in shape and word. */
function Alike({ parity }: { parity: Parity }) {
  const { ok, pictures, matched = 0, expected = 0, worst_iou, worst_confidence_gap, worst_output_gap } = parity;
  const outside = parity.note && expected === 0;
  return (
    <div class={`parity ${ok ? "" : "bad"}`}>
      <p>
        <Icon name={ok ? "tick" : "warn"} />
        <b>{ok ? "Same answers as the checkpoint" : "Answers differ from the checkpoint"}</b>
      </p>
      <p class="second small">
        {outside ? `Nothing to find on ${pictures} sample pictures; raw outputs compared.` : `${matched} of ${expected} objects on ${pictures} sample pictures.`}
      </p>
      <dl class="facts">
        {worst_iou !== undefined && [<dt key="a">Smallest overlap</dt>, <dd key="b">{worst_iou.toFixed(4)}</dd>]}
        {worst_confidence_gap !== undefined && [<dt key="c">Confidence differs by</dt>, <dd key="d">{small(worst_confidence_gap)}</dd>]}
        {worst_output_gap !== undefined && [<dt key="e">Outputs differ by</dt>, <dd key="f">{small(worst_output_gap)}</dd>]}
      </dl>
    </div>
  );
}

const small = (value: number): string => (value === 0 ? "0" : value < 0.0001 ? "< 0.0001" : value.toFixed(4));
