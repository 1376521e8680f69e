import { describe, expect, it } from "vitest";

import type { ProjectRow } from "../../src/api/types";
import { labelNames, ordered } from "../../src/pages/projects";

const row = (name: string, active_at_ms: number, images: number, done: number): ProjectRow =>
  ({ name, active_at_ms, images, states: { done } }) as ProjectRow;

describe("projects", () => {
  it("are put in the order somebody asks for", () => {
    const rows = [row("b", 3, 10, 10), row("c", 9, 20, 19), row("a", 5, 4, 0)];
    const names = (order: Parameters<typeof ordered>[1]) => ordered(rows, order).map((one) => one.name).join("");
    expect([names("active"), names("name"), names("images"), names("left")]).toEqual(["cab", "abc", "cba", "acb"]);
    expect(rows[0].name).toBe("b");
  });

  it("take label names by line and comma, each once", () => {
    expect(labelNames(" car, van\n\nbus,car ")).toEqual(["car", "van", "bus"]);
  });
});
