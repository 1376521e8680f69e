import { describe, expect, it } from "vitest";

import type { AuditEntry } from "../../src/api/system";
import { AuditList } from "../../src/app/audit-list";

const entry = (id: number): AuditEntry => ({ id, at_ms: id, user_id: 1, action: "image.add", subject: "image 1", project_id: 1, details: {}, hash: "" });

describe("AuditList", () => {
  it("follows pages that come back empty until something is found", async () => {
    const asked: (string | null)[] = [];
    const list = new AuditList(async (_filter, after) => {
      asked.push(after);
      if (after === null) return { items: [], next: "90" };
      if (after === "90") return { items: [entry(7)], next: "7" };
      return { items: [entry(3)], next: null };
    });
    await list.start({ text: "x" });
    expect(list.entries.value.map((one) => one.id)).toEqual([7]);
    await list.more({ text: "x" });
    expect(list.entries.value.map((one) => one.id)).toEqual([7, 3]);
    expect(list.next.value).toBeNull();
    await list.more({ text: "x" });
    expect(asked).toEqual([null, "90", "7"]);
  });

  it("asks a person before it looks further than twenty empty pages", async () => {
    let asked = 0;
    const list = new AuditList(async () => ({ items: [], next: String(1000 - ++asked) }));
    await list.start({});
    expect(asked).toBe(20);
    expect(list.next.value).toBe("980");
    expect(list.busy.value).toBe(false);
  });

  it("drops the answer of a filter that was changed meanwhile", async () => {
    const answers: ((items: AuditEntry[]) => void)[] = [];
    const list = new AuditList(() => new Promise((resolve) => answers.push((items) => resolve({ items, next: null }))));
    const first = list.start({ text: "a" });
    const second = list.start({ text: "b" });
    answers[1]([entry(2)]);
    answers[0]([entry(1)]);
    await Promise.all([first, second]);
    expect(list.entries.value.map((one) => one.id)).toEqual([2]);
  });
});
