import { useState } from "preact/hooks";

import { machine } from "../api/client";
import { models } from "../api/models";
import type { ImageSelection, ProjectRow } from "../api/types";
import { noteJob } from "../app/jobs";
import { useAct, useLoad } from "../app/use";
import { Button, Empty, Fault, Select } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { counted } from "../parts/words";

/** Choose a model and let it label: the images given, or all that nobody has finished. */
export function AutoLabel(props: { project: ProjectRow; selection: ImageSelection; number: number; onClose: () => void }) {
  const { project, selection, number, onClose } = props;
  const known = useLoad(models.list, []);
  const [picked, setPicked] = useState<string | null>(null);
  const [confidence, setConfidence] = useState(0.25);
  const [submit, setSubmit] = useState(false);
  const { busy, problem, run } = useAct();
  const all = known.value ?? [];
  const modelId = Number(picked ?? project.model_id ?? all[0]?.id ?? 0);
  const start = async (): Promise<void> => {
    const facts = { model_id: modelId, conf: confidence, submit, ...("ids" in selection ? { image_ids: selection.ids } : selection) };
    noteJob(await machine.autoLabel(project.id, facts));
    onClose();
  };
  return (
    <Dialog title="Auto-label" onClose={onClose}>
      {known.value && all.length === 0 ? (
        <Empty action={<a class="button" href={`/projects/${project.id}/models`}>Models</a>}>
          This box has no model yet: upload an ONNX file first.
        </Empty>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            run(start);
          }}
        >
          <p class="second">
            {number === project.images ? "All " : ""}
            {counted(number, "image")}. What people drew or changed stays as it is; untouched predictions are replaced; rejected ones do not come back.
          </p>
          <Select
            label="Model"
            value={String(modelId)}
            options={all.map((model) => [String(model.id), `${model.name}-${model.version}, ${counted(model.info.labels.length, "label")}`])}
            onPick={setPicked}
          />
          <label class="line">
            Lowest confidence
            <input type="range" min="0.05" max="0.95" step="0.05" value={confidence} onInput={(event) => setConfidence(Number(event.currentTarget.value))} />
            <span class="mono">{confidence.toFixed(2)}</span>
          </label>
          <label class="line">
            <input type="checkbox" checked={submit} onChange={(event) => setSubmit(event.currentTarget.checked)} />
            Send open images straight to review
          </label>
          <Fault problem={problem ?? known.problem} />
          <div class="actions">
            <Button kind="primary" type="submit" disabled={busy || modelId === 0}>
              Start
            </Button>
            <Button onClick={onClose}>Cancel</Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
