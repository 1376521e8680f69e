import { expect, test } from "vitest";

import { ActiveTime, IDLE_MS } from "../../src/app/active";

function measured() {
  const around = { at: 0, shown: true };
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  const time = new ActiveTime({ now: () => around.at, visible: () => around.shown }, storage);
  const wait = (ms: number): void => {
    around.at += ms;
    time.tick();
  };
  return { around, time, wait };
}

test("time counts while somebody is there, and not a minute longer", () => {
  const { time, wait } = measured();
  time.on(1);
  time.touch();
  wait(20_000);
  wait(10 * 60_000);
  time.touch();
  wait(5_000);
  expect(time.take(1)).toBe(IDLE_MS + 5_000);
  expect(time.take(1)).toBe(0);
});

test("a hidden tab does not count, and each image has its own time", () => {
  const { around, time, wait } = measured();
  time.touch();
  time.on(1);
  wait(3_000);
  around.shown = false;
  wait(8_000);
  around.shown = true;
  time.on(2);
  wait(4_000);
  expect([time.take(1), time.take(2)]).toEqual([3_000, 4_000]);
});

test("input is no reason to store anything, and loses no time", () => {
  let stored = 0;
  const around = { at: 0 };
  const kept = new Map<string, string>();
  const time = new ActiveTime(
    { now: () => around.at, visible: () => true },
    {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void (kept.set(key, value), stored++),
      removeItem: (key) => void kept.delete(key),
    },
  );
  time.on(1);
  for (around.at = 0; around.at < 50_000; around.at += 100) time.touch();
  expect(stored).toBe(0);
  around.at += IDLE_MS * 2;
  time.touch();
  around.at += 1_000;
  expect(time.take(1)).toBe(49_900 + IDLE_MS + 1_000);
});

test("an image under review has a time of its own", () => {
  const { time, wait } = measured();
  time.touch();
  time.on(1);
  wait(20_000);
  time.on("review:1");
  wait(5_000);
  expect([time.take("review:1"), time.take(1)]).toEqual([5_000, 20_000]);
});
