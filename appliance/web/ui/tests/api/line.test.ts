import { describe, expect, it } from "vitest";

import { Line } from "../../src/api/line";

function box() {
  const timers: { run: () => void; delayMs: number }[] = [];
  const seen = { asked: 0, back: 0, nowMs: 0, up: false };
  const line: Line = new Line({
    ask: async () => {
      seen.asked++;
      if (seen.up) line.answered();
    },
    onBack: () => seen.back++,
    later: (run, delayMs) => void timers.push({ run, delayMs }),
    now: () => seen.nowMs,
    random: () => 1,
  });
  const turn = async (): Promise<number> => {
    const timer = timers.shift();
    timer?.run();
    await new Promise((go) => setTimeout(go));
    return timer?.delayMs ?? NaN;
  };
  return { line, seen, timers, turn };
}

describe("Line", () => {
  it("asks nothing while the box answers", () => {
    const { line, timers } = box();
    line.answered();
    expect(timers).toHaveLength(0);
    expect(line.silent.value).toBe(false);
  });

  it("asks more and more seldom until the box answers, and then says so once", async () => {
    const { line, seen, timers, turn } = box();
    line.failed();
    line.failed();
    expect(timers).toHaveLength(1);
    const delays = [await turn(), await turn(), await turn(), await turn(), await turn()];
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 5_000]);
    expect([line.silent.value, seen.asked, seen.back]).toEqual([true, 5, 0]);
    seen.up = true;
    await turn();
    expect([line.silent.value, seen.back]).toEqual([false, 1]);
    expect(timers).toHaveLength(0);
  });

  it("takes any other sign of life for an answer, at its next turn", async () => {
    const { line, seen, turn } = box();
    line.failed();
    line.answered();
    expect([line.silent.value, line.owing.value]).toEqual([false, true]);
    await turn();
    expect([line.owing.value, seen.asked, seen.back]).toEqual([false, 0, 1]);
  });

  it("does not ask again without end what fails while the rest is answered", async () => {
    const { line, seen, turn } = box();
    const delays: number[] = [];
    for (let i = 0; i < 5; i++) {
      line.failed();
      line.answered();
      delays.push(await turn());
    }
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 5_000]);
    seen.nowMs += 60_000;
    line.failed();
    expect(await turn()).toBe(500);
  });
});
