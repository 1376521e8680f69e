import { describe, expect, it } from "vitest";

import { count, counted, duration, moment, share } from "../../src/parts/words";

describe("words", () => {
  it("says large numbers in groups of three", () => {
    expect([0, 7, 999, 1000, 24_810, 1_234_567, -4_200].map(count)).toEqual(["0", "7", "999", "1,000", "24,810", "1,234,567", "-4,200"]);
    expect([counted(1, "image"), counted(2480, "image")]).toEqual(["1 image", "2,480 images"]);
  });

  it("says a share in percent, however small", () => {
    expect(share(3, 4)).toBe("75 %");
    expect(share(1, 1000)).toBe("< 1 %");
    expect(share(0, 10)).toBe("0 %");
    expect(share(0, 0)).toBe("–");
  });

  it("says how long a piece of work takes", () => {
    expect(duration(0.6)).toBe("1 s");
    expect(duration(119.4)).toBe("119 s");
    expect(duration(140)).toBe("2 min 20 s");
    expect(duration(180)).toBe("3 min");
    expect(duration(3900)).toBe("1 h 5 min");
    expect(duration(7200)).toBe("2 h");
  });

  it("says the moment itself where the order matters", () => {
    expect(moment(new Date(2026, 10, 3, 9, 4, 5).getTime())).toBe("3 Nov 2026 09:04:05");
  });
});
