import type { Annotation, AttributeSpec, AttributeValue, Label } from "../api/types";
import { bounds as boundsOf, area } from "../geometry";
import { stateOf } from "../editor/document";
import { measure } from "../editor/shape";
import { Button } from "../parts/controls";
import { counted } from "../parts/words";
import { ids } from "./actions";
import type { Bench } from "./bench";

/** What is selected: its facts and its attributes. */
export function Selection({ bench }: { bench: Bench }) {
  const chosen = bench.selected.value;
  if (chosen.length === 0) return null;
  const labelIds = new Set(chosen.map((one) => one.label_id));
  const label = labelIds.size === 1 ? bench.labels.value.find((one) => labelIds.has(one.id)) : undefined;
  return (
    <section class="selection" aria-label="Selected">
      {chosen.length === 1 ? <Facts one={chosen[0]} /> : <p class="second">{counted(chosen.length, "object")} selected</p>}
      <ByTouch bench={bench} chosen={chosen} />
      {label?.attributes.map((spec) => <Attribute key={`${chosen[0].id} ${spec.name}`} bench={bench} spec={spec} label={label} chosen={chosen} />)}
    </section>
  );
}

/** What rows have no room for under a finger. */
function ByTouch({ bench: { session, editor }, chosen }: { bench: Bench; chosen: readonly Annotation[] }) {
  const all = ids(chosen);
  const [hidden, locked] = [session.hidden.value, session.locked.value].map((set) => all.every((id) => set.has(id)));
  return (
    <div class="by-touch">
      <Button icon={hidden ? "hidden" : "eye"} onClick={() => session.toggleHidden(all)}>
        {hidden ? "Show" : "Hide"}
      </Button>
      {editor && (
        <Button icon={locked ? "lock" : "unlock"} onClick={() => session.toggleLocked(all)}>
          {locked ? "Unlock" : "Lock"}
        </Button>
      )}
    </div>
  );
}

function Facts({ one }: { one: Annotation }) {
  const [x1, y1, x2, y2] = one.geometry.type === "tag" ? [0, 0, 0, 0] : boundsOf(one.geometry);
  return (
    <dl class="facts">
      <dt>Size</dt>
      <dd class="mono">{one.geometry.type === "tag" ? "whole image" : `${Math.round(x2 - x1)} × ${Math.round(y2 - y1)} px`}</dd>
      {!["tag", "keypoints", "polyline"].includes(one.geometry.type) && (
        <>
          <dt>Area</dt>
          <dd class="mono">{Math.round(area(one.geometry)).toLocaleString("en")} px²</dd>
        </>
      )}
      {["polygon", "polyline", "keypoints"].includes(one.geometry.type) && (
        <>
          <dt>Points</dt>
          <dd class="mono">{measure(one.geometry)}</dd>
        </>
      )}
      {one.confidence !== null && (
        <>
          <dt>Confidence</dt>
          <dd class="mono">{`${one.confidence.toFixed(2)}${stateOf(one) === "prediction" ? "" : ", of the model"}`}</dd>
        </>
      )}
    </dl>
  );
}

interface AttributeProps {
  bench: Bench;
  spec: AttributeSpec;
  label: Label;
  chosen: readonly Annotation[];
}

/** One attribute of what is selected; where the values differ the field is empty. */
function Attribute({ bench, spec, label, chosen }: AttributeProps) {
  const values = new Set(chosen.map((one) => one.attributes[spec.name] ?? spec.default ?? null));
  const value = values.size === 1 ? [...values][0] : null;
  const id = `attribute-${label.id}-${spec.name}`;
  const lacking = spec.required && value === null;
  const set = (next: AttributeValue | null): void => void bench.editor?.setAttributes(chosen.map((one) => one.id), { [spec.name]: next });
  const shared = { id, disabled: !bench.editor, "aria-required": spec.required, "aria-invalid": lacking || undefined };
  return (
    <div class="attribute">
      <label for={id}>
        {spec.name}
        {spec.required && <span class="second">{lacking ? " – needed" : " *"}</span>}
      </label>
      {spec.kind === "choice" && (
        <select class="input" {...shared} value={String(value ?? "")} onChange={(event) => (set(event.currentTarget.value || null), event.currentTarget.blur())}>
          <option value="">–</option>
          {spec.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      )}
      {spec.kind === "switch" && <input type="checkbox" {...shared} checked={value === true} onChange={(event) => set(event.currentTarget.checked)} />}
      {spec.kind === "number" && (
        <input class="input mono" type="number" step="any" {...shared} value={value === null ? "" : Number(value)} onChange={(event) => set(numberOf(event.currentTarget.value))} />
      )}
      {spec.kind === "text" && <input class="input" {...shared} value={String(value ?? "")} onChange={(event) => set(event.currentTarget.value || null)} />}
    </div>
  );
}

const numberOf = (text: string): number | null => (text.trim() === "" || !Number.isFinite(Number(text)) ? null : Number(text));
