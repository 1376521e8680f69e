import { useRef, useState } from "preact/hooks";

import { type ConversionAbility, models } from "../../api/models";
import { Problem } from "../../api/problem";
import { noteJob } from "../../app/jobs";
import { useAct, useLoad } from "../../app/use";
import { Button, Fault } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { useJob } from "./use-job";

interface Props {
  primary: boolean;
  onAdded: (modelId: number) => void;
}

const isCheckpoint = (file: File): boolean => /\.pth?$/i.test(file.name);
const isGraph = (file: File): boolean => /\.onnx$/i.test(file.name);
const isPackage = (file: File): boolean => /\.pqmodel$/i.test(file.name);

/** Encoder and decoder, told by their names, else by their sizes: what looks at pictures is the larger. */
function pair(files: readonly File[]): readonly [File, File] {
  const [first, second] = [...files].sort((a, b) => b.size - a.size);
  return /decoder/i.test(first.name) || /encoder/i.test(second.name) ? [second, first] : [first, second];
}

/** What a model of two files is called: as its encoder, without that word. */
const nameOf = (encoder: File): string => encoder.name.replace(/(?<=.)[-_. ]*encoder(?=\.onnx$)/i, "");

/** The button that takes a model in, whatever form it comes in. */
export function AddModel({ primary, onAdded }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind={primary ? "primary" : "plain"} icon="upload" onClick={() => setOpen(true)}>
        Add a model
      </Button>
      {open && <AddDialog onClose={() => setOpen(false)} onAdded={onAdded} />}
    </>
  );
}

function AddDialog({ onClose, onAdded }: { onClose: () => void; onAdded: (modelId: number) => void }) {
  const files = useRef<HTMLInputElement>(null);
  const [picked, setPicked] = useState<File[]>([]);
  const [trusted, setTrusted] = useState(false);
  const [jobId, setJobId] = useState<number | null>(null);
  const conversion = useLoad(models.conversion, []);
  const { busy, problem, run } = useAct();
  const done = (modelId: number): void => {
    onAdded(modelId);
    onClose();
  };
  const file = picked.at(0);
  const send = (): void =>
    run(async () => {
      if (!file) return;
      if (picked.length === 2) {
        const [encoder, decoder] = pair(picked);
        done((await models.pair(nameOf(encoder), encoder, decoder)).body.id);
      } else if (isCheckpoint(file)) {
        const job = (await models.convert(file, trusted)).body;
        noteJob(job);
        setJobId(job.id);
      } else {
        done((await (isPackage(file) ? models.unpack(file) : models.add(file))).body.id);
      }
    });
  const odd = picked.length > 2 || (picked.length === 2 && !picked.every(isGraph));
  const converts = picked.length === 1 && isCheckpoint(picked[0]);
  const possible = !odd && (!converts || (conversion.value?.ability.ok ?? false));
  return (
    <Dialog title="Add a model" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <p class="second">One file: a YOLO model (.onnx or .pt) or a package of another box (.pqmodel). Or two: the encoder and the decoder of SAM (.onnx).</p>
        <input
          ref={files}
          class="unseen"
          type="file"
          multiple
          accept=".onnx,.pt,.pth,.pqmodel"
          tabIndex={-1}
          aria-label="Model file"
          onChange={(event) => {
            setPicked([...(event.currentTarget.files ?? [])]);
            setJobId(null);
          }}
        />
        <div class="line">
          <Button icon="folder" disabled={busy} onClick={() => files.current?.click()}>
            Choose files
          </Button>
          <span class="mono cut">{picked.map((one) => one.name).join(", ")}</span>
        </div>
        {picked.length === 2 && !odd && <p class="second small">Two files: {pair(picked)[0].name} looks at the picture, {pair(picked)[1].name} answers clicks.</p>}
        {odd && <p class="fault" role="alert">Choose one file, or the two ONNX files of SAM.</p>}
        {converts && conversion.value && <CheckpointWords conversion={conversion.value} trusted={trusted} onTrusted={setTrusted} />}
        {jobId !== null && <Progress jobId={jobId} onDone={done} />}
        <Fault problem={problem ?? conversion.problem} />
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || !file || !possible || jobId !== null}>
            {busy ? "Checking the file" : converts ? "Convert" : "Add"}
          </Button>
          <Button onClick={onClose}>{jobId !== null ? "Close" : "Cancel"}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function CheckpointWords(props: { conversion: ConversionAbility; trusted: boolean; onTrusted: (on: boolean) => void }) {
  const { ability, pickles_allowed } = props.conversion;
  if (!ability.ok) {
    return (
      <Fault problem={new Problem(503, { code: "backend-unavailable", detail: `Checkpoints cannot be converted here: ${ability.reason}. ${ability.way_out}.` })} />
    );
  }
  return (
    <>
      <p class="second small">Ultralytics {ability.versions.ultralytics} converts it to ONNX without a network; both are then compared on sample pictures.</p>
      {pickles_allowed && (
        <label class="line">
          <input type="checkbox" checked={props.trusted} onChange={(event) => props.onTrusted(event.currentTarget.checked)} />
          I trust where this file comes from: code inside it will run on the box
        </label>
      )}
    </>
  );
}

/** How far a conversion is, live; its end closes the dialog or says what went wrong. */
function Progress({ jobId, onDone }: { jobId: number; onDone: (modelId: number) => void }) {
  const { job, failed } = useJob(jobId, "The conversion", (result) => onDone(Number(result?.model_id)));
  if (failed) return <Fault problem={failed} />;
  const { progress = 0, total = 0, message = "" } = job ?? {};
  return (
    <p class="converting" role="status">
      <progress max={total || 6} value={progress} aria-label="Conversion" />
      <span>{message || "waiting for its turn"}</span>
      {total > 0 && <span class="second mono">{`${progress} of ${total}`}</span>}
    </p>
  );
}
