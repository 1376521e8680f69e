import type { Label } from "../api/types";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** Which digit picks which label: first what labels ask for, then the rest in their order. 0 searches. */
export function digits(labels: readonly Label[]): Map<string, Label> {
  const found = new Map<string, Label>();
  for (const label of labels) if (label.hotkey && DIGITS.includes(label.hotkey) && !found.has(label.hotkey)) found.set(label.hotkey, label);
  const free = DIGITS.filter((digit) => !found.has(digit));
  const named = new Set(found.values());
  for (const label of labels) {
    const digit = named.has(label) ? undefined : free.shift();
    if (digit) found.set(digit, label);
  }
  return found;
}

/** Labels whose names contain every word asked for; those that begin with it come first. */
export function matching(labels: readonly Label[], asked: string): Label[] {
  const words = asked.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const fits = labels.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const begins = (label: Label): boolean => words.length > 0 && label.name.toLowerCase().startsWith(words[0]);
  return [...fits.filter(begins), ...fits.filter((label) => !begins(label))];
}
