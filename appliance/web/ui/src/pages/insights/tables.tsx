import type { ProjectInsights, Threshold } from "../../api/insights";
import { Swatch } from "../../parts/controls";
import { count, share } from "../../parts/words";
import { acceptance, FATES, type Fate, type Fates, gathered, percent, ratio, standing } from "./series";

const WORDS: Record<Fate, string> = {
  accepted: "As made",
  adjusted: "Adjusted",
  replaced: "Replaced",
  rejected: "Rejected",
  left: "Left alone",
};

/** What became of the model's predictions, by label and by confidence. */
export function Predictions({ found, file }: { found: ProjectInsights; file: string }) {
  const byLabel = gathered(found.outcomes, "label_id");
  if (byLabel.length === 0) return null;
  const labels = new Map(found.labels.map((one) => [one.label_id, one]));
  return (
    <section aria-label="Predictions">
      <div class="section-head">
        <h2>Predictions</h2>
        <ul class="chart-legend" aria-hidden="true">
          {FATES.map((fate) => (
            <li key={fate}>
              <i class={fate} />
              {WORDS[fate]}
            </li>
          ))}
        </ul>
        <span class="space" />
        <a class="button quiet" href={file} download>
          CSV
        </a>
      </div>
      <p class="second small note-line">
        Judged when an image is done. Replaced: refused or deleted, with a shape drawn in its place.
      </p>
      <div class="beside even">
        <FateTable head="Label" rows={byLabel.map(([id, fates]) => [id, labels.get(id)?.name ?? "deleted label", fates, labels.get(id)?.color])} />
        <FateTable head="Confidence" rows={gathered(found.outcomes, "step").map(([step, fates]) => [step, tenth(step), fates])} />
      </div>
    </section>
  );
}

const tenth = (step: number): string => `${step * 10} to ${(step + 1) * 10} %`;

type FateRow = readonly [number, string, Fates, string?];

function FateTable({ head, rows }: { head: string; rows: readonly FateRow[] }) {
  return (
    <table class="rows tight fates">
      <thead>
        <tr>
          <th>{head}</th>
          <th class="fate-bar" aria-label="Shares" />
          {FATES.map((fate) => (
            <th key={fate} class="number">
              {WORDS[fate]}
            </th>
          ))}
          <th class="number">Rate as made</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([key, word, fates, color]) => (
          <tr key={key}>
            <td class="nowrap">
              {color && <Swatch color={color} />} {word}
            </td>
            <td class="fate-bar">
              <FateBar fates={fates} />
            </td>
            {FATES.map((fate) => (
              <td key={fate} class="number">
                {count(fates[fate])}
              </td>
            ))}
            <td class="number">
              <b>{percent(acceptance(fates))}</b>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function FateBar({ fates }: { fates: Fates }) {
  const whole = FATES.reduce((n, fate) => n + fates[fate], 0);
  return (
    <div class="stack" aria-hidden="true">
      {FATES.map((fate) => (
        <i key={fate} class={fate} style={{ width: `${(100 * fates[fate]) / Math.max(1, whole)}%` }} />
      ))}
    </div>
  );
}

/** From which confidence on it pays to take predictions, for all labels together and each. */
export function Thresholds({ found, file }: { found: ProjectInsights; file: string }) {
  const all = found.thresholds.filter((one) => one.label_id === 0);
  if (all.length === 0) return null;
  const best = found.thresholds.filter((one) => one.best && one.label_id !== 0);
  const labels = new Map(found.labels.map((one) => [one.label_id, one]));
  return (
    <section aria-label="Confidence to start from">
      <div class="section-head">
        <h2>Confidence to start from</h2>
        <span class="second">the best balance of wrong and missed is marked</span>
        <span class="space" />
        <a class="button quiet" href={file} download>
          CSV
        </a>
      </div>
      <div class="beside even">
        <ThresholdTable head="From, all labels" rows={all.map((one) => [one, `${one.step * 10} %`])} />
        <ThresholdTable
          head="Best from, by label"
          rows={best.map((one) => [one, `${labels.get(one.label_id)?.name ?? "deleted label"}: ${one.step * 10} %`, labels.get(one.label_id)?.color])}
        />
      </div>
    </section>
  );
}

type ThresholdRow = readonly [Threshold, string, string?];

function ThresholdTable({ head, rows }: { head: string; rows: readonly ThresholdRow[] }) {
  return (
    <table class="rows tight thresholds">
      <thead>
        <tr>
          <th>{head}</th>
          <th class="number">Right</th>
          <th class="number">Wrong</th>
          <th class="number">Missed</th>
          <th class="number">Rate right</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([one, word, color]) => (
          <tr key={`${one.label_id}-${one.step}`} class={one.best && one.label_id === 0 ? "best" : ""}>
            <td class="nowrap">
              {color && <Swatch color={color} />} {word}
              {one.best && one.label_id === 0 && <b> best</b>}
            </td>
            <td class="number">{count(one.right)}</td>
            <td class="number">{count(one.wrong)}</td>
            <td class="number">{count(one.missed)}</td>
            <td class="number">{percent(ratio(one.right, one.right + one.wrong))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How many annotations each label has, and where they come from. */
export function Balance({ found, file }: { found: ProjectInsights; file: string }) {
  const whole = found.labels.reduce((n, label) => n + standing(label), 0);
  const most = Math.max(1, ...found.labels.map(standing));
  if (found.labels.length === 0) return null;
  return (
    <section aria-label="Labels">
      <div class="section-head">
        <h2>Labels</h2>
        <span class="second">{count(whole)} annotations now, predictions not counted</span>
        <span class="space" />
        <a class="button quiet" href={file} download>
          CSV
        </a>
      </div>
      <table class="rows tight">
        <thead>
          <tr>
            <th>Label</th>
            <th class="balance-bar" aria-label="Share" />
            <th class="number">All</th>
            <th class="number">Share</th>
            <th class="number">Drawn</th>
            <th class="number">Imported</th>
            <th class="number">Accepted</th>
            <th class="number">Predictions</th>
            <th class="number">Rejected</th>
          </tr>
        </thead>
        <tbody>
          {found.labels.map((label) => (
            <tr key={label.label_id}>
              <td class="nowrap">
                <Swatch color={label.color} /> {label.name}
              </td>
              <td class="balance-bar">
                <i style={{ width: `${(100 * standing(label)) / most}%` }} />
              </td>
              <td class="number">
                <b>{count(standing(label))}</b>
              </td>
              <td class="number second">{share(standing(label), whole)}</td>
              <td class="number">{count(label.manual)}</td>
              <td class="number">{count(label.imported)}</td>
              <td class="number">{count(label.accepted)}</td>
              <td class="number second">{count(label.prediction)}</td>
              <td class="number second">{count(label.rejected)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
