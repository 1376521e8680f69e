import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { hint } from "../app/keys";
import { type ColorBy, type Crosshair, NO_ADJUSTMENT, type Surround } from "../editor/session";
import { Choice } from "../parts/choice";
import { Button, IconButton } from "../parts/controls";
import type { Bench } from "./bench";
import { keepLooks, readLooks } from "../app/looks";

const SLIDERS = [
  ["brightness", "Brightness", 0.2, 3],
  ["contrast", "Contrast", 0.2, 3],
  ["gamma", "Gamma", 0.3, 3],
] as const;
const SURROUNDS: readonly Surround[] = ["black", "grey", "white"];
const NAMES: readonly (readonly ["shown" | "hidden", string])[] = [["shown", "shown"], ["hidden", "hidden"]];
const CROSSHAIRS: readonly (readonly [Crosshair, string])[] = [["lines", "lines"], ["pointer", "pointer only"]];
export const COLORS: readonly (readonly [ColorBy, string])[] = [["label", "label"], ["instance", "object"], ["author", "author"], ["status", "state"]];

/** How the picture is looked at; kept for the project in this browser. */
export function Display({ bench }: { bench: Bench }) {
  const { session } = bench;
  const projectId = bench.project.value.id;
  const [open, setOpen] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  // Not after the next paint: the page may be left before that, and a look that was chosen is kept.
  useLayoutEffect(() => readLooks(session, projectId), [projectId]);
  const { adjustment: adjusted, surround, colorBy, names, crosshair } = session;
  useLayoutEffect(() => keepLooks(session, projectId), [projectId, ...[adjusted, surround, colorBy, names, crosshair].map((one) => one.value)]);
  useEffect(() => {
    if (!open) return;
    const leave = (event: PointerEvent): void => {
      if (!element.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", leave);
    return () => removeEventListener("pointerdown", leave);
  }, [open]);
  const adjustment = session.adjustment.value;
  const changed = SLIDERS.some(([name]) => adjustment[name] !== 1);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    setOpen(false);
    element.current?.querySelector("button")?.focus();
  };
  return (
    <div class="display" ref={element} onKeyDown={onKeyDown}>
      <IconButton icon="contrast" label="Display" aria-expanded={open} onClick={() => setOpen(!open)} class={changed ? "changed" : ""} />
      {open && (
        <section role="group" aria-label="Display">
          {SLIDERS.map(([name, words, least, most]) => (
            <label key={name}>
              <span>{words}</span>
              <input
                type="range"
                min={least}
                max={most}
                step="0.05"
                value={adjustment[name]}
                onInput={(event) => (session.adjustment.value = { ...adjustment, [name]: Number(event.currentTarget.value) })}
              />
              <span class="mono">{adjustment[name].toFixed(2)}</span>
            </label>
          ))}
          <Choice name="Surround" options={SURROUNDS.map((one) => [one, one])} value={surround.value} onPick={(value) => (surround.value = value)} />
          <Choice name="Colour by" options={COLORS} value={colorBy.value} onPick={(value) => (colorBy.value = value)} />
          <Choice name="Names" hint={hint("names")} options={NAMES} value={names.value ? "shown" : "hidden"} onPick={(value) => (names.value = value === "shown")} />
          <Choice name="Crosshair" options={CROSSHAIRS} value={crosshair.value} onPick={(value) => (crosshair.value = value)} />
          <Button kind="quiet" disabled={!changed} onClick={() => (session.adjustment.value = NO_ADJUSTMENT)}>
            As the picture is
          </Button>
        </section>
      )}
    </div>
  );
}
