import { useState } from "preact/hooks";

import { type LabelChoice, type LabelMatch, models, type Suggestion } from "../../api/models";
import type { Label, Model } from "../../api/types";
import { useAct, useLoad } from "../../app/use";
import { Button, Fault, Select } from "../../parts/controls";
import { counted } from "../../parts/words";

interface Props {
  projectId: number;
  model: Model;
  labels: Label[];
  may: boolean;
}

const BY_NAME = "name";
const IGNORED = "ignore";
const WHY: Record<Suggestion["why"], string> = {
  same: "same name",
  words: "same words",
  synonym: "means the same",
  similar: "similar spelling",
};

/** What becomes of each of a model's labels in this project, and how sure it must be. */
export function Labels({ projectId, model, labels, may }: Props) {
  const loaded = useLoad(async () => (await models.labels(projectId, model.id)).labels, [projectId, model.id, labels.map((one) => one.id).join()]);
  const [edits, setEdits] = useState<ReadonlyMap<number, LabelChoice>>(new Map());
  const [text, setText] = useState("");
  const { busy, problem, run } = useAct();
  if (!loaded.value) return <Fault problem={loaded.problem} retry={loaded.reload} />;
  const rows = loaded.value;
  const choice = (match: LabelMatch): LabelChoice => edits.get(match.class_index) ?? kept(match);
  const edit = (match: LabelMatch, change: Partial<LabelChoice>): void => {
    setEdits(new Map(edits).set(match.class_index, { ...choice(match), ...change }));
  };
  const save = (): void =>
    run(async () => {
      const decided = rows.map(choice).filter((one) => one.label_id !== null || one.ignored || one.confidence !== null);
      loaded.set((await models.putLabels(projectId, model.id, decided)).labels);
      setEdits(new Map());
    });
  const taken = rows.filter((match) => lands(match, choice(match)) !== null).length;
  const open = rows.filter((match) => lands(match, choice(match)) === null && !choice(match).ignored && match.suggestions.length > 0);
  const found = rows.filter((match) => match.name.toLowerCase().includes(text.trim().toLowerCase()));
  return (
    <form
      class="mapping"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <header>
        <h3>Labels</h3>
        <span class="second small">
          {taken} of {counted(rows.length, "label")} used in this project
        </span>
        <span class="space" />
        {rows.length > 12 && (
          <input class="input" type="search" placeholder="Find a label" aria-label="Find a label of the model" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        )}
        {may && open.length > 0 && (
          <Button onClick={() => setEdits(new Map([...edits, ...open.map((match) => [match.class_index, { ...choice(match), label_id: match.suggestions[0].label_id }] as const)]))}>
            Accept {counted(open.length, "suggestion")}
          </Button>
        )}
        {may && (
          <Button type="submit" disabled={busy || edits.size === 0}>
            {edits.size > 0 ? `Save ${counted(edits.size, "change")}` : "Saved"}
          </Button>
        )}
      </header>
      <Fault problem={problem} />
      {labels.length > 0 && <p class="second small">Auto-labelling draws what has a label in this project. What is left out with a note is named in the result of the job, so that you can add the label.</p>}
      {labels.length === 0 && <p class="second">The project has no labels yet: auto-labelling adds the model's the first time it runs.</p>}
      <div class="scroll mapping-rows" tabIndex={0} role="region" aria-label="Labels of the model, table">
        <table class="rows">
          <thead>
            <tr>
              <th>Label of the model</th>
              <th>Label in this project</th>
              <th class="number" title="Predictions below it are dropped; where none is given, the confidence of the run decides">Lowest confidence</th>
            </tr>
          </thead>
          <tbody>
            {found.map((match) => {
              const mine = choice(match);
              return (
                <tr key={match.class_index} class={lands(match, mine) === null ? "left-out" : ""}>
                  <td class="cut">{match.name}</td>
                  <td>
                    <Select bare label={`${match.name} becomes`} disabled={!may} value={mine.ignored ? IGNORED : mine.label_id === null ? BY_NAME : String(mine.label_id)} options={options(match, labels)} onPick={(picked) => edit(match, chosen(picked))} />
                  </td>
                  <td class="number">
                    <input
                      class="input mono"
                      type="number"
                      min="0"
                      max="1"
                      step="0.01"
                      placeholder={mine.ignored ? "" : "by run"}
                      aria-label={`Lowest confidence of ${match.name}`}
                      disabled={!may || mine.ignored}
                      value={mine.confidence ?? ""}
                      onInput={(event) => edit(match, { confidence: event.currentTarget.value === "" ? null : Number(event.currentTarget.value) })}
                    />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </form>
  );
}

function kept(match: LabelMatch): LabelChoice {
  return {
    class_index: match.class_index,
    label_id: match.how === "chosen" ? match.label_id : null,
    ignored: match.how === "ignored",
    confidence: match.confidence,
  };
}

/** The project's label that a model's label becomes under a choice. */
function lands(match: LabelMatch, choice: LabelChoice): number | null {
  if (choice.ignored) return null;
  return choice.label_id ?? byName(match)?.label_id ?? null;
}

const byName = (match: LabelMatch): Suggestion | undefined =>
  match.suggestions.find((one) => one.why === "same" || one.why === "words");

function chosen(picked: string): Partial<LabelChoice> {
  if (picked === IGNORED) return { label_id: null, ignored: true };
  if (picked === BY_NAME) return { label_id: null, ignored: false };
  return { label_id: Number(picked), ignored: false };
}

function options(match: LabelMatch, labels: Label[]): (readonly [string, string])[] {
  const named = byName(match);
  const name = labels.find((one) => one.id === named?.label_id)?.name;
  const likely = match.suggestions.map((one) => one.label_id);
  const rank = (label: Label): number => (likely.includes(label.id) ? likely.indexOf(label.id) : likely.length);
  const sorted = [...labels].sort((a, b) => rank(a) - rank(b));
  return [
    [BY_NAME, name ? `${name} (by its name)` : "No label of this name: left out, with a note"],
    [IGNORED, "Leave out, without a note"],
    ...sorted.map((label) => {
      const why = match.suggestions.find((one) => one.label_id === label.id)?.why;
      return [String(label.id), why ? `${label.name} (${WHY[why]})` : label.name] as const;
    }),
  ];
}
