import { describe, expect, it } from "vitest";

import { type Parcel, Post } from "../../src/editor/post";
import type { Outcome } from "../../src/editor/saver";

function posting() {
  const timers: { run: () => void; delayMs: number }[] = [];
  const post = new Post({
    random: () => 1,
    later: (run, delayMs) => {
      const timer = { run, delayMs };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  });
  const carried: string[] = [];
  const parcel = (name: string, outcomes: Outcome[]): Parcel => ({
    push: async () => {
      carried.push(name);
      return outcomes.shift() ?? "done";
    },
  });
  const next = async (): Promise<number> => {
    const timer = timers.shift();
    timer?.run();
    await post.now();
    return timer?.delayMs ?? NaN;
  };
  return { post, timers, carried, parcel, next };
}

describe("Post", () => {
  it("gathers for less than a second and keeps the order", async () => {
    const { post, timers, carried, parcel, next } = posting();
    post.add(parcel("a", ["again", "done"]));
    post.add(parcel("b", []));
    expect(timers).toHaveLength(1);
    expect(timers[0].delayMs).toBeLessThan(1_000);
    await next();
    expect(carried).toEqual(["a", "a", "b"]);
    expect(post.waiting.value).toBe(0);
  });

  it("waits twice as long each time up to five seconds, for all parcels at once, and keeps their order", async () => {
    const { post, timers, carried, parcel, next } = posting();
    post.add(parcel("a", Array<Outcome>(6).fill("later")));
    post.add(parcel("b", []));
    const delays = [await next()];
    for (let n = 0; n < 6; n++) {
      expect(post.offline.value).toBe(true);
      expect(timers).toHaveLength(1);
      timers[0].run();
      delays.push(timers.shift()?.delayMs ?? NaN);
      await post.now();
    }
    expect(delays.slice(1)).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    expect(carried.slice(-2)).toEqual(["a", "b"]);
    expect(post.offline.value).toBe(false);
  });

  it("lets the others through when one is stuck", async () => {
    const { post, carried, parcel, next } = posting();
    post.add(parcel("a", ["stuck"]));
    post.add(parcel("b", []));
    await next();
    expect(carried).toEqual(["a", "b"]);
    expect(post.waiting.value).toBe(1);
  });

  it("sends nothing while nobody is signed in, and everything after", async () => {
    const { post, timers, carried, parcel, next } = posting();
    const one = parcel("a", ["signed-out"]);
    post.add(one);
    await next();
    post.add(parcel("b", []));
    expect(timers).toEqual([]);
    post.resume();
    await post.now();
    expect(carried).toEqual(["a", "a", "b"]);
  });

  it("carries once more what changed while it was under way", async () => {
    const { post, carried, next } = posting();
    const one: Parcel = {
      push: async () => {
        if (carried.push("a") === 1) post.add(one);
        return "done";
      },
    };
    post.add(one);
    await next();
    expect(post.waiting.value).toBe(1);
    await post.now();
    expect(carried).toEqual(["a", "a"]);
    expect(post.waiting.value).toBe(0);
  });
});
