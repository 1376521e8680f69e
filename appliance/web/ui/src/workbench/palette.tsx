import { useState } from "preact/hooks";

import type { Label } from "../api/types";
import { hint } from "../app/keys";
import { mayAdminister } from "../app/project";
import { go } from "../app/router";
import { session as signedIn } from "../app/session";
import { IconButton, Swatch } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icon";
import { count } from "../parts/words";
import { pickLabel } from "./actions";
import type { Bench } from "./bench";
import { FirstLabel } from "./first-label";
import { digits, matching } from "./labels";

/** The labels with their digits: the pressed one is drawn next. */
export function Palette({ bench }: { bench: Bench }) {
  const labels = bench.labels.value;
  if (labels.length === 0) return <FirstLabel project={bench.project.value} />;
  const { labelId } = bench.session;
  const keys = new Map([...digits(labels)].map(([digit, label]) => [label.id, digit]));
  const counts = new Map<number, number>();
  for (const one of bench.listed.value) counts.set(one.label_id, (counts.get(one.label_id) ?? 0) + 1);
  return (
    <div class="labels-panel">
      <ul class="palette" aria-label="Labels">
        {labels.map((label) => (
          <li key={label.id}>
            <button aria-pressed={label.id === labelId.value} title={label.name} onClick={() => pickLabel(bench, label.id)}>
              <kbd>{keys.get(label.id) ?? ""}</kbd>
              <Swatch color={label.color} />
              <span class="cut">{label.name}</span>
              <span class="space" />
              <span class="mono second" aria-hidden="true">{counts.has(label.id) ? count(counts.get(label.id) ?? 0) : ""}</span>
            </button>
          </li>
        ))}
      </ul>
      <OfLabel bench={bench} label={labels.find((one) => one.id === labelId.value) ?? null} />
    </div>
  );
}

/** Hide and lock all objects of the label that is picked. */
function OfLabel({ bench, label }: { bench: Bench; label: Label | null }) {
  const { session } = bench;
  if (!label) return null;
  const all = bench.listed.value.filter((one) => one.label_id === label.id).map((one) => one.id);
  const [hidden, locked] = [session.hidden, session.locked].map((set) => all.length > 0 && all.every((id) => set.value.has(id)));
  return (
    <div class="of-label">
      <button class="link-row" onClick={() => (bench.finding.value = true)}>
        <Icon name="search" /> Search a label <kbd>{hint("find-label")}</kbd>
      </button>
      <span class="space" />
      {mayAdminister(bench.project.value, signedIn.value?.permissions.administer ?? false) && (
        <IconButton icon="add" class="by-key" label="Add a label" onClick={() => go(`/projects/${bench.project.value.id}/settings`)} />
      )}
      <IconButton
        icon={hidden ? "hidden" : "eye"}
        label={hidden ? "Show all of this label" : "Hide all of this label"}
        disabled={all.length === 0}
        onClick={() => session.toggleHidden(all)}
      />
      <IconButton
        icon={locked ? "lock" : "unlock"}
        label={locked ? "Unlock all of this label" : "Lock all of this label"}
        disabled={all.length === 0}
        onClick={() => session.toggleLocked(all)}
      />
    </div>
  );
}

/** Find a label by its name: type, arrows, Enter. */
export function LabelFinder({ bench }: { bench: Bench }) {
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  if (!bench.finding.value) return null;
  const found = matching(bench.labels.value, asked);
  const close = (): void => {
    bench.finding.value = false;
    setAsked("");
    setAt(0);
  };
  const pick = (label: Label | undefined): void => {
    if (label) pickLabel(bench, label.id);
    close();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) setAt((at + by + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") pick(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Label" onClose={close}>
      <input
        class="input"
        autofocus
        role="combobox"
        aria-label="Name of a label"
        aria-expanded="true"
        aria-controls="found-labels"
        aria-activedescendant={found[at] ? `label-${found[at].id}` : undefined}
        value={asked}
        onInput={(event) => {
          setAsked(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="found-labels" class="found" role="listbox" aria-label="Labels found">
        {found.map((label, i) => (
          <li key={label.id} id={`label-${label.id}`} role="option" aria-selected={i === at} onClick={() => pick(label)}>
            <Swatch color={label.color} />
            {label.name}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="second">No label has this name.</p>}
    </Dialog>
  );
}
