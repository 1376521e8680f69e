import { address, type Query } from "./http";
import { http } from "./client";

export interface InsightsDay {
  day: number;
  submitted: number;
  reworked: number;
  approved: number;
  returned: number;
  agreed: number;
  disagreed: number;
  active_s: number;
  reviewing_s: number;
}

export interface InsightsPerson {
  user_id: number;
  name: string;
  submitted: number;
  reworked: number;
  approved: number;
  returned: number;
  reviewed: number;
  agreed: number;
  disagreed: number;
  active_s: number;
  reviewing_s: number;
  median_s: number | null;
}

export interface LabelUse {
  label_id: number;
  name: string;
  color: string;
  manual: number;
  imported: number;
  accepted: number;
  prediction: number;
  rejected: number;
}

export interface Outcome {
  label_id: number;
  /** Confidence in tenths, 0 to 9. */
  step: number;
  accepted: number;
  adjusted: number;
  replaced: number;
  rejected: number;
  left: number;
}

/** What taking only predictions from a confidence on would mean; label 0 is all together. */
export interface Threshold {
  label_id: number;
  /** In tenths. */
  step: number;
  right: number;
  wrong: number;
  missed: number;
  best: boolean;
}

export interface ProjectInsights {
  first_day: number;
  last_day: number;
  median_s: number | null;
  days: InsightsDay[];
  /** All for the project's admins, oneself for others. */
  people: InsightsPerson[];
  labels: LabelUse[];
  outcomes: Outcome[];
  thresholds: Threshold[];
}

export type InsightsTable = "days" | "people" | "labels" | "predictions" | "thresholds";

const base = (projectId: number): string => `/api/projects/${projectId}/insights`;

export const insights = {
  /** Days are those of the time zone, by its IANA name. */
  get: (projectId: number, days: number, zone: string) => http.get<ProjectInsights>(base(projectId), { days, zone }),
  fileUrl: (projectId: number, table: InsightsTable, days: number, zone: string) =>
    address(`${base(projectId)}/file`, { table, days, zone } satisfies Query),
};
