import { signal } from "@preact/signals-core";

export type Theme = "auto" | "dark" | "light";

const KEY = "pixelqueue.theme";

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "dark" || value === "light" ? value : "auto";
}

export const theme = signal<Theme>("auto");

/** Show a theme and keep it for this browser; "auto" follows the system. */
export function setTheme(value: Theme): void {
  theme.value = value;
  if (value === "auto") {
    localStorage.removeItem(KEY);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(KEY, value);
    document.documentElement.dataset.theme = value;
  }
}

export function startTheme(): void {
  setTheme(stored());
}
