import "fake-indexeddb/auto";

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Annotation } from "../../src/api/types";
import { FakeBox } from "./_box";
import { box, type Random, seeded, TestPage, weather, width } from "./_pages";

const SEEDS = Array.from({ length: 60 }, (_, n) => n + 1);
const STEPS = 40;

beforeEach(() => vi.stubGlobal("indexedDB", new IDBFactory()));
afterEach(() => vi.unstubAllGlobals());

const held = (server: FakeBox): number[] => [...server.held.values()].map(width).sort((a, b) => a - b);

function counter(): () => number {
  let n = 10;
  return () => ++n;
}

/** The widths somebody drew and nobody who saw them changed or deleted: all of them have to be there. */
class Wanted {
  readonly widths = new Set<number>();

  watch({ document, saver }: TestPage, server: FakeBox): void {
    document.listen((change, source) => {
      if (source !== "person") return;
      for (const [id, { before, after }] of change) {
        // Taken back to what the box was known to hold: whatever it holds now stands.
        const takenBack = !saver.unsent.has(id) && width(server.held.get(id) ?? null) !== width(after);
        this.turn(before, takenBack ? null : after);
      }
    });
  }

  turn(before: Annotation | null, after: Annotation | null): void {
    if (before) this.widths.delete(width(before));
    if (after) this.widths.add(width(after));
  }
}

/** Somebody else changes, draws or deletes what the box holds. */
function interfere(server: FakeBox, random: Random, fresh: () => number, wanted: Wanted): void {
  const all = [...server.held.values()];
  const one = all[Math.floor(random() * all.length)];
  const diff = { diff_id: `other-${fresh()}`, revision: server.revision };
  const what = random();
  if (!one || what < 0.3) {
    const id = `other-${fresh()}`;
    server.save({ ...diff, added: [{ id, label_id: 1, geometry: box(fresh()) }] }, 7);
    wanted.turn(null, server.held.get(id) ?? null);
  } else if (what < 0.8) {
    server.save({ ...diff, changed: [{ id: one.id, label_id: 1, geometry: box(fresh()) }] }, 7);
    wanted.turn(one, server.held.get(one.id) ?? null);
  } else {
    server.save({ ...diff, removed: [one.id] }, 7);
    wanted.turn(one, null);
  }
}

/** Random work with random failures; pages are killed at random, in the middle of requests too. */
async function live(seed: number, others: boolean) {
  const [random, fresh, server, wanted] = [seeded(seed), counter(), new FakeBox(9), new Wanted()];
  let page = await TestPage.open("page-0", server);
  wanted.watch(page, server);
  for (let step = 1; step <= STEPS; step++) {
    page.act(random, fresh, !others);
    server.faults = weather(random);
    const what = random();
    if (what < 0.5) await page.saver.push();
    else if (what < 0.6) void page.saver.push();
    if (others && random() < 0.3) interfere(server, random, fresh, wanted);
    if (others && random() < 0.2) {
      page.saver.hear(server.revision);
      await page.saver.catchUp();
    }
    if (random() < 0.15) {
      if (random() < 0.5) void page.saver.push();
      page.kill();
      server.faults = [];
      const before = page.widths;
      page = await TestPage.open(`page-${step}`, server);
      await page.adopt();
      if (!others) expect(page.widths).toEqual(before);
      wanted.watch(page, server);
    }
  }
  server.faults = [];
  await page.flush();
  return { server, page, wanted };
}

describe("Nothing is lost", () => {
  it.each(SEEDS)("whatever fails in whatever order, the box ends up with what was drawn, once (seed %i)", async (seed) => {
    const { server, page } = await live(seed, false);
    expect(held(server)).toEqual(page.widths);
    expect(new Set(held(server)).size).toBe(server.held.size);
    const after = await TestPage.open("last", server);
    expect((await after.journal.adopt("last", new Set())).kept).toEqual([]);
  });

  it.each(SEEDS)("while somebody else changes the same shapes, both versions stay (seed %i)", async (seed) => {
    const { server, page, wanted } = await live(seed, true);
    await page.saver.catchUp();
    const there = new Set(held(server));
    expect([...wanted.widths].filter((one) => !there.has(one))).toEqual([]);
  });

  it.each(SEEDS)("a page that was only asleep does not double or lose what another one took over (seed %i)", async (seed) => {
    const [random, fresh, server] = [seeded(seed), counter(), new FakeBox(9)];
    const asleep = await TestPage.open("asleep", server);
    const drawn = Array.from({ length: 1 + Math.floor(random() * 5) }, () => {
      const at = fresh();
      asleep.editor.add(box(at), 1);
      return at;
    });
    server.faults = weather(random);
    if (random() < 0.5) await asleep.saver.push();
    const awake = await TestPage.open("awake", server);
    await awake.adopt();
    if (random() < 0.5) {
      drawn.push(fresh());
      asleep.editor.add(box(drawn.at(-1) ?? 0), 1);
    }
    const order = random() < 0.5 ? [asleep, awake] : [awake, asleep];
    for (const page of order) await page.flush();
    server.faults = [];
    for (const page of order) await page.flush();
    expect(held(server)).toEqual(drawn);
  });
});
