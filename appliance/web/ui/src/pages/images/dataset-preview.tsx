import type { Preview } from "../../api/types";
import { type Dataset, type Decision, nameOf, uploads } from "../../app/uploads/uploads";
import { useAct } from "../../app/use";
import { Button, Fault } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { Icon } from "../../parts/icon";
import { count, counted } from "../../parts/words";

interface Props {
  dataset: Dataset;
  mayAdminister: boolean;
  onClose: () => void;
}

/** What a dataset holds and what becomes of it, before anything is written. */
export function DatasetPreview({ dataset, mayAdminister, onClose }: Props) {
  const { busy, problem, run } = useAct();
  const { preview } = dataset;
  if (!preview) return null;
  const decide = (decision: Decision) => () => run(() => uploads.decide(dataset, decision));
  const shapes = Object.values(preview.annotations).reduce((sum, n) => sum + n, 0);
  return (
    <Dialog title={`${nameOf(dataset)}: ${preview.title}`} onClose={onClose} wide>
      <p class="second">Nothing is in the project yet. This is what it would bring.</p>
      <dl class="found-facts">
        <Fact name="Pictures" words={pictureWords(preview)} />
        <Fact name="Images described" words={imageWords(preview)} />
        <Fact name="Annotations" words={shapes === 0 ? "none" : typeWords(preview.annotations)} />
        {Object.keys(preview.splits).length > 1 && <Fact name="Splits" words={splitWords(preview.splits)} />}
      </dl>
      <Labels preview={preview} />
      <Notes preview={preview} />
      {!mayAdminister && (
        <p class="why">
          <Icon name="info" />
          Only an admin of the project may import annotations. You can take the pictures.
        </p>
      )}
      <Fault problem={problem} />
      <div class="actions">
        {mayAdminister && (
          <Button kind="primary" disabled={busy || preview.images === preview.missing} onClick={decide("everything")}>
            Import
          </Button>
        )}
        {preview.pictures > 0 && (
          <Button kind={mayAdminister ? "plain" : "primary"} disabled={busy} onClick={decide("pictures")}>
            Only the pictures
          </Button>
        )}
        <Button disabled={busy} onClick={decide("nothing")}>
          Cancel
        </Button>
      </div>
    </Dialog>
  );
}

function Fact({ name, words }: { name: string; words: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{words}</dd>
    </div>
  );
}

function Labels({ preview }: { preview: Preview }) {
  if (preview.labels.length === 0) return null;
  const fresh = preview.labels.filter(({ label_id }) => label_id === null).length;
  return (
    <section>
      <h3>
        {counted(preview.labels.length, "label")}
        {fresh > 0 && <span class="second"> · {count(fresh)} new</span>}
      </h3>
      <div class="found-labels" tabIndex={0} role="region" aria-label="Labels">
        <table>
          <thead>
            <tr>
              <th>In the dataset</th>
              <th>In the project</th>
              <th class="number">Annotations</th>
            </tr>
          </thead>
          <tbody>
            {preview.labels.map(({ name, label_id, annotations }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>
                  {label_id === null ? (
                    <span class="fresh">
                      <Icon name="add" />
                      new
                    </span>
                  ) : (
                    <span class="fresh second">
                      <Icon name="tick" />
                      same name
                    </span>
                  )}
                </td>
                <td class="number">{count(annotations)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Notes({ preview }: { preview: Preview }) {
  if (preview.notes.length === 0 && preview.missing === 0) return null;
  return (
    <section>
      <h3>Left out</h3>
      <ul class="found-notes">
        {preview.missing > 0 && (
          <li>
            <Icon name="warn" />
            <span>{counted(preview.missing, "image")} without a picture, here or in the project</span>
          </li>
        )}
        {preview.notes.map((note) => (
          <li key={note.code}>
            <Icon name="warn" />
            <span>
              {count(note.count)} × {note.message} {note.file && <span class="mono second">{note.file}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function pictureWords({ pictures, present }: Preview): string {
  if (pictures === 0) return "none in it";
  return present > 0 ? `${count(pictures)}, ${count(present)} of them in the project already` : `${count(pictures)}, all new`;
}

function imageWords({ images, annotated, matched }: Preview): string {
  const words = [`${count(images)}, ${count(annotated)} with annotations`];
  if (matched > 0) words.push(`${count(matched)} found in the project by name`);
  return words.join("; ");
}

const TYPES: Record<string, [string, string]> = {
  box: ["box", "boxes"],
  rotated_box: ["rotated box", "rotated boxes"],
  polygon: ["polygon", "polygons"],
  polyline: ["polyline", "polylines"],
  keypoints: ["skeleton", "skeletons"],
  mask: ["mask", "masks"],
  tag: ["tag", "tags"],
};

const typeWords = (types: Record<string, number>): string =>
  Object.entries(types)
    .map(([type, n]) => counted(n, ...(TYPES[type] ?? ([type, type] as [string, string]))))
    .join(", ");

const splitWords = (splits: Preview["splits"]): string =>
  Object.entries(splits)
    .map(([split, n]) => `${count(n)} ${split}`)
    .join(", ");
