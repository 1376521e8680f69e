import { useId } from "preact/hooks";

import type { AttributeSpec, AttributeValue } from "../../api/types";
import { Button, Field, IconButton, Select } from "../../parts/controls";

type Kind = AttributeSpec["kind"];

const KINDS: readonly (readonly [Kind, string])[] = [
  ["choice", "one of a list"],
  ["switch", "yes or no"],
  ["number", "number"],
  ["text", "text"],
];

/** "new, worn , broken" as a list without blanks and repetitions. */
export function choicesOf(text: string): string[] {
  return [...new Set(text.split(",").map((one) => one.trim()).filter(Boolean))];
}

/** What is asked about each object of a label. */
export function AttributesEditor(props: { value: readonly AttributeSpec[]; onChange: (value: readonly AttributeSpec[]) => void }) {
  const { value, onChange } = props;
  const put = (index: number, facts: Partial<AttributeSpec>): void =>
    onChange(value.map((one, i) => (i === index ? { ...one, ...facts } : one)));
  const add = (): void => onChange([...value, { name: "", kind: "choice", choices: [], required: false, default: null }]);
  return (
    <fieldset class="attributes">
      <legend>Attributes</legend>
      {value.map((spec, i) => (
        <div class="attribute" key={i} role="group" aria-label={spec.name || `Attribute ${i + 1}`}>
          <Field label="Name" required maxLength={200} value={spec.name} onText={(name) => put(i, { name })} />
          <Select label="Answer" value={spec.kind} options={KINDS} onPick={(kind) => put(i, { kind: kind as Kind, default: null, choices: [] })} />
          <Answer spec={spec} onChange={(facts) => put(i, facts)} />
          <label class="line">
            <input type="checkbox" checked={spec.required} onChange={(event) => put(i, { required: event.currentTarget.checked })} />
            Required
          </label>
          <IconButton icon="trash" label={`Delete the attribute ${spec.name || i + 1}`} onClick={() => onChange(value.filter((_, at) => at !== i))} />
        </div>
      ))}
      <div>
        <Button icon="add" onClick={add}>
          Attribute
        </Button>
      </div>
    </fieldset>
  );
}

/** The possible answers, and the one that new objects get. */
function Answer({ spec, onChange }: { spec: AttributeSpec; onChange: (facts: Partial<AttributeSpec>) => void }) {
  const id = useId();
  const preset = (value: AttributeValue | null): void => onChange({ default: value });
  switch (spec.kind) {
    case "choice":
      return (
        <>
          <div class="field grow">
            <label for={id}>Choices, with commas</label>
            <input
              id={id}
              class="input"
              required
              defaultValue={spec.choices.join(", ")}
              onChange={(event) => onChange({ choices: choicesOf(event.currentTarget.value), default: null })}
            />
          </div>
          {spec.choices.length > 0 && (
            <Select
              label="Preset"
              value={String(spec.default ?? "")}
              options={[["", "none"], ...spec.choices.map((one) => [one, one] as const)]}
              onPick={(one) => preset(one || null)}
            />
          )}
        </>
      );
    case "switch":
      return (
        <Select
          label="Preset"
          value={spec.default === null ? "" : String(spec.default)}
          options={[["", "none"], ["true", "yes"], ["false", "no"]]}
          onPick={(one) => preset(one === "" ? null : one === "true")}
        />
      );
    case "number":
      return (
        <div class="field">
          <label for={id}>Preset</label>
          <input
            id={id}
            class="input"
            type="number"
            step="any"
            value={spec.default === null ? "" : Number(spec.default)}
            onInput={(event) => preset(event.currentTarget.value === "" ? null : event.currentTarget.valueAsNumber)}
          />
        </div>
      );
    case "text":
      return <Field label="Preset" value={String(spec.default ?? "")} onText={(text) => preset(text || null)} />;
  }
}
