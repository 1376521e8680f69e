import { signal } from "@preact/signals";
import { Fragment } from "preact";

import { Select } from "../parts/controls";
import { Dialog } from "../parts/dialog";
import { ACTION_IDS, ACTIONS, type Action, keysOf, keyWords, type Preset, PRESETS } from "./keymap";
import { preset, setPreset } from "./keys";

export const helpOpen = signal(false);

export interface Line {
  keys: readonly string[];
  words: string;
}

/** The help's groups with their lines; actions with the same words share one. */
export function helpLines(chosen: Preset): Map<string, Line[]> {
  const groups = new Map<string, Map<string, string[]>>();
  for (const id of ACTION_IDS) {
    const { group, words, shown }: Action = ACTIONS[id];
    const lines = groups.get(group) ?? new Map<string, string[]>();
    groups.set(group, lines);
    const keys = shown ? [shown] : keysOf(id, chosen).map(keyWords);
    lines.set(words, [...(lines.get(words) ?? []), ...keys]);
  }
  return new Map([...groups].map(([group, lines]) => [group, [...lines].map(([words, keys]) => ({ words, keys }))]));
}

/** Digits one after the other, which are named by the first and the last. */
const isRow = (keys: readonly string[]): boolean => keys.length > 2 && keys.every((key, n) => key.endsWith(String(Number(keys[0].slice(-1)) + n)));

function Keys({ of, between }: { of: readonly string[]; between: string }) {
  return of.map((key, n) => (
    <Fragment key={key}>
      {n > 0 && between}
      <kbd>{key}</kbd>
    </Fragment>
  ));
}

export function Help() {
  if (!helpOpen.value) return null;
  return (
    <Dialog title="Keys" wide onClose={() => (helpOpen.value = false)}>
      <Select label="Keys as in" value={preset.value} options={PRESETS} onPick={(value) => setPreset(value as Preset)} />
      <div class="help">
        {[...helpLines(preset.value)].map(([group, lines]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {lines.map(({ keys, words }) => (
                <div key={words}>
                  <dt>{isRow(keys) ? <Keys of={[keys[0], keys[keys.length - 1]]} between=" to " /> : <Keys of={keys} between=" or " />}</dt>
                  <dd>{words}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
