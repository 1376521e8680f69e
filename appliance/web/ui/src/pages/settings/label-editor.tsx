import { useState } from "preact/hooks";

import { projects } from "../../api/client";
import type { AttributeSpec, Label, Skeleton } from "../../api/types";
import { useAct } from "../../app/use";
import { Button, Fault, Field, Select } from "../../parts/controls";
import { Dialog } from "../../parts/dialog";
import { AttributesEditor } from "./attributes-editor";
import { SkeletonEditor } from "./skeleton-editor";

/** Safe under colour blindness, and at least 3.8:1 on black: what the box gives new labels in turn. */
const PALETTE = [
  "#FFE600", "#8844FF", "#CC2222", "#008866", "#88AAFF", "#AA4488", "#FF66AA", "#E6E6E6", "#AAE6AA", "#88AA00",
];
const HOTKEYS = ["", ..."1234567890"].map((key) => [key, key || "by its place"] as const);

/** All there is to a label. Nothing is sent before Save. */
export function LabelEditor({ label, labels, onClose }: { label: Label; labels: readonly Label[]; onClose: () => void }) {
  const [name, setName] = useState(label.name);
  const [color, setColor] = useState(label.color);
  const [hotkey, setHotkey] = useState(label.hotkey ?? "");
  const [attributes, setAttributes] = useState<readonly AttributeSpec[]>(label.attributes);
  const [skeleton, setSkeleton] = useState<Skeleton | null>(label.skeleton);
  const { busy, problem, run } = useAct();
  const taken = labels.find((one) => one.id !== label.id && hotkey !== "" && one.hotkey === hotkey);
  const save = async (): Promise<void> => {
    const facts = { name: name.trim(), color, hotkey: hotkey || null, attributes: [...attributes], skeleton };
    await projects.changeLabel(label.project_id, label.id, facts);
    onClose();
  };
  return (
    <Dialog title={`Label ${label.name}`} wide onClose={onClose}>
      <form
        class="label-editor"
        onSubmit={(event) => {
          event.preventDefault();
          run(save);
        }}
      >
        <div class="pair">
          <Field label="Name" required maxLength={200} value={name} onText={setName} fault={problem?.field === "name" ? problem.message : null} />
          <Select label="Key" value={hotkey} options={HOTKEYS} onPick={setHotkey} />
        </div>
        {taken && <p class="second small">{taken.name} has this key too: the first of the two gets it.</p>}
        <Colours value={color} onPick={setColor} />
        <AttributesEditor value={attributes} onChange={setAttributes} />
        <SkeletonEditor value={skeleton} color={color} onChange={setSkeleton} />
        {problem?.field !== "name" && <Fault problem={problem} />}
        <div class="actions">
          <Button kind="primary" type="submit" disabled={busy || name.trim() === ""}>
            Save
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

function Colours({ value, onPick }: { value: string; onPick: (color: string) => void }) {
  return (
    <fieldset class="colours">
      <legend>Colour</legend>
      {PALETTE.map((color) => (
        <button key={color} type="button" class="colour" aria-pressed={color === value} aria-label={color} title={color} onClick={() => onPick(color)}>
          <i style={{ background: color }} />
        </button>
      ))}
      <label class="own">
        <input type="color" value={value} onChange={(event) => onPick(event.currentTarget.value.toUpperCase())} />
        Another
      </label>
    </fieldset>
  );
}
