import { useState } from "preact/hooks";

import { machine } from "../../api/client";
import type { Label, Snapshot, SnapshotChanges, SnapshotSummary } from "../../api/types";
import { SPLITS } from "../../app/image-filter";
import { useLoad } from "../../app/use";
import { Fault, Select, Swatch } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { count, counted } from "../../parts/words";

const GEOMETRY_WORDS: Readonly<Record<string, string>> = {
  box: "boxes",
  rotated_box: "rotated boxes",
  polygon: "polygons",
  polyline: "polylines",
  keypoints: "keypoints",
  mask: "masks",
  tag: "tags",
};

interface Props {
  snapshot: Snapshot;
  others: readonly Snapshot[];
  labels: readonly Label[];
  onClose: () => void;
}

/** What a snapshot holds: splits, class balance, and what changed since another one. */
export function SnapshotFacts({ snapshot, others, labels, onClose }: Props) {
  const loaded = useLoad(() => machine.snapshotSummary(snapshot), [snapshot.id]);
  const summary = loaded.value;
  return (
    <Dialog title={snapshot.name} wide onClose={onClose}>
      <Fault problem={loaded.problem} retry={loaded.reload} />
      {summary && (
        <div class="snapshot-facts">
          <Splits summary={summary} images={snapshot.images} />
          <Balance summary={summary} labels={labels} />
          <Changes snapshot={snapshot} others={others} />
        </div>
      )}
    </Dialog>
  );
}

function Splits({ summary, images }: { summary: SnapshotSummary; images: number }) {
  const geometries = Object.entries(summary.geometries)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, n]) => `${count(n)} ${GEOMETRY_WORDS[kind] ?? kind}`);
  return (
    <section>
      <h3>{counted(images, "image")}</h3>
      <div class="splits">
        {SPLITS.map((split) => {
          const n = summary.splits[split] ?? 0;
          return (
            <div key={split} style={{ flexGrow: Math.max(n, images / 12) }}>
              <b>{split}</b> <span class="mono">{count(n)}</span>
              <span class="second"> {images > 0 ? `${Math.round((100 * n) / images)} %` : ""}</span>
            </div>
          );
        })}
      </div>
      <p class="second small">
        {[...geometries, summary.empty > 0 ? `${counted(summary.empty, "image")} with nothing on it` : ""].filter(Boolean).join(", ")}
      </p>
    </section>
  );
}

/** Annotations per label, the most frequent first; a label without any is said, not left out. */
function Balance({ summary, labels }: { summary: SnapshotSummary; labels: readonly Label[] }) {
  const total = (id: number): number => Object.values(summary.labels[id] ?? {}).reduce((sum, n) => sum + n, 0);
  const gone = Object.keys(summary.labels).map(Number).filter((id) => !labels.some((label) => label.id === id));
  const rows = [
    ...labels.map(({ id, name, color }) => ({ id, name, color })),
    ...gone.map((id) => ({ id, name: "a label deleted since", color: "#5B6675" })),
  ].sort((a, b) => total(b.id) - total(a.id));
  const most = Math.max(1, ...rows.map(({ id }) => total(id)));
  return (
    <section>
      <h3>Class balance</h3>
      <table class="rows balance">
        <thead>
          <tr>
            <th>Label</th>
            <th class="share">
              <span class="unseen">Share</span>
            </th>
            <th class="number">All</th>
            {SPLITS.map((split) => (
              <th key={split} class="number">
                {split}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, name, color }) => (
            <tr key={id}>
              <td>
                <span class="named">
                  <Swatch color={color} />
                  {name}
                </span>
              </td>
              <td class="share">
                <i style={{ width: `${(100 * total(id)) / most}%` }} />
              </td>
              <td class="number">{count(total(id))}</td>
              {SPLITS.map((split) => (
                <td key={split} class="number second">
                  {count(summary.labels[id]?.[split] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Changes({ snapshot, others }: { snapshot: Snapshot; others: readonly Snapshot[] }) {
  const earlier = others.filter((one) => one.id < snapshot.id);
  const [picked, setPicked] = useState(earlier[0] ? String(earlier[0].id) : "");
  const loaded = useLoad<SnapshotChanges | null>(
    async () => (picked ? machine.snapshotChanges(snapshot, Number(picked)) : null),
    [snapshot.id, picked],
  );
  if (earlier.length === 0) return null;
  return (
    <section>
      <h3>What changed</h3>
      <Select label="Since" value={picked} options={earlier.map((one) => [String(one.id), one.name])} onPick={setPicked} />
      <Fault problem={loaded.problem} retry={loaded.reload} />
      {loaded.value ? <ChangeList changes={loaded.value} /> : <p class="second">{loaded.problem ? "" : "Comparing image by image"}</p>}
    </section>
  );
}

const KINDS = [
  ["added", "added"],
  ["changed", "changed"],
  ["removed", "removed"],
] as const;

function ChangeList({ changes }: { changes: SnapshotChanges }) {
  if (changes.added + changes.changed + changes.removed === 0) {
    return <p>Nothing: all {counted(changes.same, "image")} are the same.</p>;
  }
  return (
    <>
      <p>
        {KINDS.map(([kind, word]) => `${count(changes[kind])} ${word}`).join(", ")}, {count(changes.same)} the same.
      </p>
      {KINDS.filter(([kind]) => changes[kind] > 0).map(([kind, word]) => (
        <details key={kind}>
          <summary>
            {count(changes[kind])} {word}
          </summary>
          <ul class="mono names">
            {changes[`${kind}_names`].map((name) => (
              <li key={name}>{name}</li>
            ))}
            {changes[kind] > changes[`${kind}_names`].length && (
              <li class="second">and {count(changes[kind] - changes[`${kind}_names`].length)} more</li>
            )}
          </ul>
        </details>
      ))}
    </>
  );
}
