import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { type ActionId, ACTIONS, type Action, actionFor, keysOf, keyWords, type Preset, PRESETS } from "./keymap";

/** What a page does for each action it knows. Answering false lets the browser have the key. */
export type Handlers = Partial<Record<ActionId, (event: KeyboardEvent) => unknown>>;

const PRESET_KEY = "pixelqueue.keys";

function kept(): Preset {
  const found = typeof localStorage === "undefined" ? null : localStorage.getItem(PRESET_KEY);
  return PRESETS.find(([preset]) => preset === found)?.[0] ?? "pixelqueue";
}

/** Whose keys are used in this browser. */
export const preset = signal<Preset>(kept());

export function setPreset(next: Preset): void {
  preset.value = next;
  localStorage.setItem(PRESET_KEY, next);
}

/** The first key of an action, as tooltips and buttons show it. */
export function hint(id: ActionId): string {
  const [first] = keysOf(id, preset.value);
  return first ? keyWords(first) : "";
}

const PHYSICAL: Readonly<Record<string, string>> = { BracketLeft: "[", BracketRight: "]" };

/**
 * The name a key press has in the key map: `d`, `ctrl+z`, `shift+d`, `escape`, `?`. Ctrl stands
 * for Cmd too. Digits and brackets go by their place, letters by what they write; where the
 * layout has no Latin letters, by their place too.
 */
export function keyName(event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">): string {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  let key = digit ?? PHYSICAL[event.code] ?? event.key.toLowerCase();
  const foreign = key.length === 1 && key > "\u007f";
  if (letter && (foreign || event.altKey)) key = letter.toLowerCase();
  if (key === " ") key = "space";
  const symbol = key.length === 1 && !/[a-z0-9]/.test(key);
  const parts: string[] = [];
  if (event.ctrlKey || event.metaKey) parts.push("ctrl");
  if (event.altKey) parts.push("alt");
  if (event.shiftKey && !symbol) parts.push("shift");
  return [...parts, key].join("+");
}

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "range", "radio", "button"].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Keys that a control in focus has a use for itself. */
function controls(target: EventTarget | null, name: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && target.type === "range") return name.startsWith("arrow");
  if (target instanceof HTMLInputElement) return name === "space";
  return ["enter", "space"].includes(name) && target.closest("button, summary") !== null;
}

/** Find and run what a key press means. True when it is dealt with. */
export function dispatch(handlers: Handlers, event: KeyboardEvent, chosen: Preset = preset.value): boolean {
  const id = actionFor(keyName(event), Object.keys(handlers) as ActionId[], chosen);
  if (id === null) return false;
  const action: Action = ACTIONS[id];
  if (event.repeat && !action.repeats) return true;
  return handlers[id]?.(event) !== false;
}

/** Listen for keys while the component is there; silent while somebody types or a dialog is open. */
export function useKeys(handlers: Handlers): void {
  // Not after the next paint: a second key may come sooner, and has to meet what the first one did.
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || typing(event.target) || document.querySelector("dialog[open]")) return;
      if (controls(event.target, keyName(event))) return;
      if (dispatch(handlers, event)) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
}
