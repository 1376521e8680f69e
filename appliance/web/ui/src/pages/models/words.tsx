import type { Model, ModelTask } from "../../api/types";

export const TASK_WORDS: Record<ModelTask, string> = {
  detect: "boxes",
  segment: "outlines",
  pose: "keypoints",
  obb: "rotated boxes",
  classify: "whole images",
  prompt: "outlines from clicks",
};

const METRIC_WORDS: Record<string, string> = {
  map50_95: "mAP 50–95",
  map50: "mAP 50",
  mask_map50_95: "Mask mAP 50–95",
  mask_map50: "Mask mAP 50",
  pose_map50_95: "Pose mAP 50–95",
  pose_map50: "Pose mAP 50",
  precision: "Precision",
  recall: "Recall",
  top1: "Top 1",
  top5: "Top 5",
};
const FIRST = ["map50_95", "mask_map50_95", "pose_map50_95", "top1"];

export const title = (model: Pick<Model, "name" | "version">): string => `${model.name}-${model.version}`;

/** What the training said of the model; `brief` shows the one figure that says most. */
export function Metrics({ model, brief }: { model: Model; brief?: boolean }) {
  if (brief) {
    const main = FIRST.find((key) => key in model.metrics);
    return main ? <span class="mono small" title={METRIC_WORDS[main]}>{model.metrics[main].toFixed(3)}</span> : null;
  }
  const known = Object.keys(METRIC_WORDS).filter((key) => key in model.metrics);
  if (known.length === 0) return <p class="second small">No figures came with this model.</p>;
  return (
    <dl class="figures">
      {known.map((key) => (
        <div key={key}>
          <dt>{METRIC_WORDS[key]}</dt>
          <dd>{model.metrics[key].toFixed(3)}</dd>
        </div>
      ))}
    </dl>
  );
}
