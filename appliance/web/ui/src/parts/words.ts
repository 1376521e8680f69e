/** Numbers, sizes and times in words, the same everywhere. */

const THOUSANDS = /\B(?=(\d{3})+$)/g;

/** `2,480`. By hand: a formatter of the browser takes 20 ms to make, before anything is shown. */
export const count = (n: number): string => String(Math.round(n)).replace(THOUSANDS, ",");

/** `1 image`, `2,480 images`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function bytes(n: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** "now", "2 min ago", "today 09:12", "yesterday", "20 Nov", "20 Nov 2025". */
export function when(atMs: number, nowMs: number = Date.now()): string {
  const minutes = Math.floor((nowMs - atMs) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min ago`;
  const at = new Date(atMs);
  const now = new Date(nowMs);
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  if (atMs >= midnight) return `today ${at.toTimeString().slice(0, 5)}`;
  if (atMs >= midnight - 86_400_000) return "yesterday";
  const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
  return `${dayMonth(at)}${year}`;
}

/** "23 Nov", of a date. */
function dayMonth(at: Date): string {
  return `${at.getDate()} ${at.toLocaleString("en", { month: "short" })}`;
}

/** The moment itself, for logs: "23 Nov 2026 09:14:05". */
export function moment(atMs: number): string {
  const at = new Date(atMs);
  return `${dayMonth(at)} ${at.getFullYear()} ${at.toTimeString().slice(0, 8)}`;
}

/** "23 Nov 2036", of a time. */
export function date(atMs: number): string {
  const at = new Date(atMs);
  return `${dayMonth(at)} ${at.getFullYear()}`;
}

/** How far away a time to come is: "in 59 min", "in 5 h", "in 6 days". */
export function ahead(atMs: number, nowMs: number = Date.now()): string {
  const minutes = Math.max(0, Math.round((atMs - nowMs) / 60_000));
  if (minutes < 90) return `in ${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `in ${hours} h` : `in ${Math.round(hours / 24)} days`;
}

/** How long a piece of work takes: "48 s", "2 min 20 s", "1 h 5 min". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A span in the largest sensible unit: "850 ms", "12 s", "3 min", "2 h". */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/** A part of a whole in percent: "75 %", "< 1 %", "0 %"; nothing of nothing is "–". */
export function share(part: number, whole: number): string {
  if (whole <= 0) return "–";
  const percent = (100 * part) / whole;
  return percent > 0 && percent < 1 ? "< 1 %" : `${Math.round(percent)} %`;
}
