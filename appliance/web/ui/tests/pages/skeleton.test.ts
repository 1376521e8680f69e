import { describe, expect, it } from "vitest";

import { choicesOf } from "../../src/pages/settings/attributes-editor";
import { addPoint, movePoint, PERSON, placesOf, removePoint, renamePoint, toggleEdge } from "../../src/pages/settings/skeleton";

const EMPTY = { points: [], edges: [], layout: [] };

describe("skeleton", () => {
  it("grows by points with places and names of their own", () => {
    const one = addPoint(EMPTY, 0.25, 1.5);
    const three = addPoint(addPoint(renamePoint(one, 0, "2"), 0, 0), 0.5, 0.5);
    expect(one).toEqual({ points: ["1"], edges: [], layout: [0.25, 1] });
    expect(three.points).toEqual(["2", "3", "4"]);
    expect(placesOf(three)).toEqual([[0.25, 1], [0, 0], [0.5, 0.5]]);
  });

  it("joins two points and parts them again, whichever is named first", () => {
    const two = addPoint(addPoint(EMPTY, 0, 0), 1, 1);
    const joined = toggleEdge(two, 0, 1);
    expect(joined.edges).toEqual([[0, 1]]);
    expect(toggleEdge(joined, 1, 0).edges).toEqual([]);
    expect(toggleEdge(joined, 1, 1)).toBe(joined);
  });

  it("takes a point away with its lines, and the others keep theirs", () => {
    const less = removePoint(PERSON, 5)!;
    expect(less.points).not.toContain("left_shoulder");
    const named = (skeleton: typeof PERSON): string[] => skeleton.edges.map((edge) => edge.map((i) => skeleton.points[i]).join(" "));
    expect(named(less)).toEqual(named(PERSON).filter((edge) => !edge.includes("left_shoulder")));
    expect(placesOf(less)[5]).toEqual(placesOf(PERSON)[6]);
    expect(removePoint(addPoint(EMPTY, 0, 0), 0)).toBeNull();
  });

  it("puts points without a layout on a circle, inside the board", () => {
    const places = placesOf({ points: ["a", "b", "c", "d"], edges: [], layout: [] });
    expect(new Set(places.map(String)).size).toBe(4);
    expect(places.flat().every((at) => at >= 0 && at <= 1)).toBe(true);
    expect(placesOf(movePoint({ points: ["a", "b"], edges: [], layout: [] }, 1, 2, -1))[1]).toEqual([1, 0]);
  });
});

describe("choices", () => {
  it("are what stands between commas, once each", () => {
    expect(choicesOf(" new, worn ,, new,broken ")).toEqual(["new", "worn", "broken"]);
    expect(choicesOf("  ")).toEqual([]);
  });
});
