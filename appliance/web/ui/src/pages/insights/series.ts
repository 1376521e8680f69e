import type { InsightsDay, LabelUse, Outcome } from "../../api/insights";

const DAY_S = 86_400;
export const FATES = ["accepted", "adjusted", "replaced", "rejected", "left"] as const;
export type Fate = (typeof FATES)[number];
export type Fates = Record<Fate, number>;

/** Columns for the chart: each day's midnight as if it were in UTC, in seconds, then one column each. */
export function throughput(days: readonly InsightsDay[]): [number[], number[], number[], number[]] {
  return [
    days.map((one) => one.day * DAY_S),
    days.map((one) => one.submitted),
    days.map((one) => one.approved),
    days.map((one) => one.returned),
  ];
}

/** "23 Nov", of a day counted from 1970. */
export function dayWord(day: number): string {
  const at = new Date(day * DAY_S * 1000);
  return `${at.getUTCDate()} ${at.toLocaleString("en", { month: "short", timeZone: "UTC" })}`;
}

/** The time zone of the device, whose days are shown; "UTC" where the browser does not tell. */
export const deviceZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export function sums(days: readonly InsightsDay[]): Omit<InsightsDay, "day"> {
  const total = { submitted: 0, reworked: 0, approved: 0, returned: 0, agreed: 0, disagreed: 0, active_s: 0, reviewing_s: 0 };
  for (const one of days) for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += one[key];
  return total;
}

/** A share, 0 to 1; null of nothing. */
export const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

/** Of the verdicts, how many approve: 0 to 1, null without any. */
export function approval(approved: number, returned: number): number | null {
  return approved + returned > 0 ? approved / (approved + returned) : null;
}

const none = (): Fates => ({ accepted: 0, adjusted: 0, replaced: 0, rejected: 0, left: 0 });

/** What became of predictions, by label or by tenth of confidence, in the order of the keys. */
export function gathered(outcomes: readonly Outcome[], by: "label_id" | "step"): [number, Fates][] {
  const found = new Map<number, Fates>();
  for (const one of outcomes) {
    const fates = found.get(one[by]) ?? none();
    for (const fate of FATES) fates[fate] += one[fate];
    found.set(one[by], fates);
  }
  return [...found].sort(([a], [b]) => a - b);
}

/** The share of judged predictions that were right as the model made them; null without any. */
export function acceptance(fates: Fates): number | null {
  const judged = fates.accepted + fates.adjusted + fates.replaced + fates.rejected;
  return judged > 0 ? fates.accepted / judged : null;
}

export const percent = (rate: number | null): string => (rate === null ? "–" : `${Math.round(rate * 100)} %`);

/** Annotations that count: drawn, imported or accepted. */
export const standing = (label: LabelUse): number => label.manual + label.imported + label.accepted;
