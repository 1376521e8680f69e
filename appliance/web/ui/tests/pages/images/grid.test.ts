import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";

import { EVERYTHING } from "../../../src/app/image-filter";
import type { Label, Member } from "../../../src/api/types";
import { chipsOf } from "../../../src/pages/images/chips";
import { initials } from "../../../src/pages/images/cells";
import { moved } from "../../../src/pages/images/confidence";
import { dayOf, nextDayOf, startOf } from "../../../src/pages/images/days";
import { layout, reveal, scrollOf, topOf, visible } from "../../../src/pages/images/layout";
import { Picking } from "../../../src/pages/images/picking";

describe("layout", () => {
  it("draws the rows in sight only", () => {
    const plan = layout(1200, 112, 100_000);
    expect(plan.columns).toBe(10);
    const { from, to } = visible(plan, 50_000, 800);
    expect(from).toBeGreaterThan(0);
    expect(to - from).toBeLessThan(150);
    expect(visible(plan, plan.height, 800).to).toBe(100_000);
    expect(visible(layout(0, 112, 10), 0, 0)).toEqual({ from: 0, to: 0 });
  });

  it("scrolls pixel by pixel as far as browsers can, and to the last row beyond that", () => {
    const plain = layout(1200, 112, 100_000);
    expect([plain.scrollHeight, topOf(plain, 777, 800), scrollOf(plain, 777, 800)]).toEqual([plain.height, 777, 777]);
    const long = layout(400, 320, 1_000_000);
    expect(long.scrollHeight).toBeLessThan(long.height);
    expect(topOf(long, long.scrollHeight - 800, 800)).toBeCloseTo(long.height - 800);
    expect(visible(long, topOf(long, long.scrollHeight - 800, 800), 800).to).toBe(1_000_000);
    expect(topOf(long, scrollOf(long, 9e7, 800), 800)).toBeCloseTo(9e7);
  });

  it("brings a cell into sight with the least scrolling", () => {
    const plan = layout(1200, 112, 1_000);
    expect(reveal(plan, 5, 300, 800)).toBe(0);
    expect(reveal(plan, 25, 2 * plan.rowHeight, 800)).toBe(2 * plan.rowHeight);
    expect(reveal(plan, 995, 0, 800)).toBe(100 * plan.rowHeight - 800);
  });
});

function pickingOf(count: number) {
  const ids = signal<Int32Array | null>(Int32Array.from({ length: count }, (_, i) => i + 100));
  return { ids, picking: new Picking({ ids }) };
}

const chosen = (picking: Picking): number[] => [...picking.some.value].sort((a, b) => a - b);

describe("Picking", () => {
  it("moves within the list", () => {
    const { picking } = pickingOf(30);
    picking.move(1);
    expect(picking.focused).toBe(0);
    picking.move(10);
    picking.move(1);
    expect(picking.focused).toBe(11);
    picking.move(Infinity);
    expect(picking.focused).toBe(29);
    picking.move(-Infinity);
    picking.move(-1);
    expect(picking.focused).toBe(0);
    const other = pickingOf(30).picking;
    other.move(Infinity);
    expect(other.focused).toBe(29);
  });

  it("selects ranges that shrink again, beside what was selected before", () => {
    const { picking } = pickingOf(30);
    picking.toggle(20);
    picking.focus(2);
    picking.move(0);
    picking.move(3, true);
    expect(chosen(picking)).toEqual([102, 103, 104, 105, 120]);
    picking.move(-2, true);
    expect(chosen(picking)).toEqual([102, 103, 120]);
    picking.toggle(10);
    picking.extendTo(8);
    expect(chosen(picking)).toEqual([102, 103, 108, 109, 110, 120]);
  });

  it("holds by id when images come before it", () => {
    const { ids, picking } = pickingOf(5);
    picking.focus(1);
    picking.toggle(1);
    ids.value = Int32Array.of(7, 8, 9, ...(ids.value ?? []));
    expect([picking.focused, picking.has(101)]).toEqual([4, true]);
  });

  it("means all that match, and all but one after taking one out", () => {
    const { ids, picking } = pickingOf(5);
    picking.selectAll();
    expect(picking.selection({ text: "x" })).toEqual({ filter: { text: "x" } });
    ids.value = Int32Array.of(...(ids.value ?? []), 900);
    expect([picking.count, picking.has(900)]).toEqual([6, true]);
    picking.toggle(0);
    expect(picking.selection({})).toEqual({ ids: [101, 102, 103, 104, 900] });
    picking.clear();
    expect(picking.count).toBe(0);
  });

  it("does nothing on an empty list", () => {
    const { picking } = pickingOf(0);
    picking.move(1, true);
    picking.toggle(0);
    picking.selectAll();
    expect([picking.focused, picking.count]).toEqual([-1, 0]);
  });
});

describe("words of the filter", () => {
  const labels = ["car", "van", "bus"].map((name, i) => ({ id: i + 1, name }) as Label);
  const members = [{ user_id: 4, name: "Ann" } as Member];

  it("says each condition, and what the filter is without it", () => {
    const filter = { ...EVERYTHING, text: "beach", states: ["open", "done", "skipped"], labels: [1, 3], splits: ["val"], assignee: 4 } as const;
    const chips = chipsOf(filter, labels, members);
    expect(chips.map((chip) => chip.word)).toEqual(["“beach”", "3 statuses", "car, bus", "Split val", "Ann’s"]);
    expect(Object.assign({}, filter, ...chips.map((chip) => chip.without))).toEqual(EVERYTHING);
    const rest = { ...EVERYTHING, confidence: [0.2, 1], folder: "/", job: 3, since: startOf("2026-11-20"), until: nextDayOf("2026-11-20") } as const;
    const words = chipsOf(rest, labels, members).map((chip) => chip.word);
    expect(words).toEqual(["Confidence 0.20 to 1.00", "Top folder", "Import 3", "2026-11-20"]);
  });

  it("goes from days to times and back", () => {
    const next = nextDayOf("2026-12-31") ?? 0;
    expect([dayOf(startOf("2026-11-20")), dayOf(next), dayOf(next - 1)]).toEqual(["2026-11-20", "2027-01-01", "2026-12-31"]);
    expect([startOf(""), nextDayOf(""), dayOf(null)]).toEqual([null, null, ""]);
  });

  it("moves one end of a range and lets the other give way", () => {
    expect(moved([0.2, 0.6], 0, 0.7)).toEqual([0.7, 0.7]);
    expect(moved([0.2, 0.6], 1, 0.5)).toEqual([0.2, 0.5]);
  });

  it("shortens names", () => {
    expect(["Ann Lee", "annotator-2", "ö", "A B C"].map(initials)).toEqual(["AL", "A2", "Ö", "AB"]);
  });
});
