import { describe, expect, it } from "vitest";

import type { InsightsDay, Outcome } from "../../src/api/insights";
import { acceptance, approval, dayWord, deviceZone, gathered, percent, sums, throughput } from "../../src/pages/insights/series";

const day = (n: number, more: Partial<InsightsDay> = {}): InsightsDay => ({ day: n, submitted: 0, reworked: 0, approved: 0, returned: 0, agreed: 0, disagreed: 0, active_s: 0, reviewing_s: 0, ...more });
const outcome = (label_id: number, step: number, more: Partial<Outcome>): Outcome => ({ label_id, step, accepted: 0, adjusted: 0, replaced: 0, rejected: 0, left: 0, ...more });

describe("insights", () => {
  it("makes columns of days, at midnight UTC", () => {
    const [at, submitted, approved, returned] = throughput([day(20_000, { submitted: 3 }), day(20_001, { approved: 2, returned: 1 })]);
    expect(at).toEqual([1_728_000_000, 1_728_086_400]);
    expect([submitted, approved, returned]).toEqual([[3, 0], [0, 2], [0, 1]]);
    expect(dayWord(20_000)).toBe("4 Oct");
  });

  it("shows the days of the device's own time zone", () => {
    const zone = process.env.TZ;
    const said = ["UTC", "America/New_York"].map((name) => {
      process.env.TZ = name;
      return deviceZone();
    });
    process.env.TZ = zone;
    expect(said).toEqual(["UTC", "America/New_York"]);
  });

  it("adds days up", () => {
    expect(sums([day(1, { submitted: 3, returned: 1 }), day(2, { submitted: 4, reworked: 1 })])).toEqual({ submitted: 7, reworked: 1, approved: 0, returned: 1, agreed: 0, disagreed: 0, active_s: 0, reviewing_s: 0 });
  });

  it("tells rates only where there is something to tell", () => {
    expect(approval(3, 1)).toBe(0.75);
    expect(approval(0, 0)).toBeNull();
    expect(percent(null)).toBe("–");
    expect(percent(0.756)).toBe("76 %");
  });

  it("gathers what became of predictions by label and by confidence", () => {
    const all = [outcome(2, 9, { accepted: 3 }), outcome(1, 9, { rejected: 1 }), outcome(2, 4, { replaced: 1, left: 5 })];
    expect(gathered(all, "label_id").map(([id, fates]) => [id, fates.accepted, fates.left])).toEqual([[1, 0, 0], [2, 3, 5]]);
    expect(gathered(all, "step").map(([step]) => step)).toEqual([4, 9]);
  });

  it("leaves alone out of the acceptance", () => {
    expect(acceptance({ accepted: 1, adjusted: 1, replaced: 1, rejected: 1, left: 96 })).toBe(0.25);
    expect(acceptance({ accepted: 0, adjusted: 0, replaced: 0, rejected: 0, left: 5 })).toBeNull();
  });
});
