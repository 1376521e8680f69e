/** Days as a date field writes them (`2026-11-20`), and the local times between which they lie. */

export function dayOf(atMs: number | null): string {
  if (atMs === null) return "";
  const at = new Date(atMs);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export function startOf(day: string): number | null {
  const [year, month, date] = day.split("-").map(Number);
  return day ? new Date(year, month - 1, date).getTime() : null;
}

export function nextDayOf(day: string): number | null {
  const [year, month, date] = day.split("-").map(Number);
  return day ? new Date(year, month - 1, date + 1).getTime() : null;
}
