import { useLayoutEffect } from "preact/hooks";

/**
 * Keys of a page: `"d"`, `"ctrl+z"`, `"shift+d"`, `"escape"`, `"?"`. Ctrl stands for Cmd too.
 * A held key repeats only where the name ends in `*`.
 */
export type Keymap = Record<string, (event: KeyboardEvent) => void>;

/** The name a key press has in a keymap. Digits go by their physical key. */
export function keyName(event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  let key = digit && !event.altKey ? digit[1] : event.key.toLowerCase();
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

/** Find and run what a key press means. True when something ran. */
export function dispatch(map: Keymap, event: KeyboardEvent): boolean {
  const name = keyName(event);
  const action = map[`${name}*`] ?? (event.repeat ? undefined : map[name]);
  if (!action) return event.repeat && name in map;
  action(event);
  return true;
}

/** Listen for keys while the component is there; silent while somebody types or a dialog is open. */
export function useKeys(map: Keymap): void {
  // Not after the next paint: a second key may come sooner, and has to meet what the first one did.
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || typing(event.target) || document.querySelector("dialog[open]")) return;
      if (dispatch(map, event)) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
}
