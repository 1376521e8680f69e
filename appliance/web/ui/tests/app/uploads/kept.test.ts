import "fake-indexeddb/auto";

import { describe, expect, it } from "vitest";

import { Kept } from "../../../src/app/uploads/kept";
import { transfer } from "./made";

let databases = 0;
const fresh = (): string => `uploads-${++databases}`;
const ROOM = 1_000_000;
const NOBODY = new Set<string>();

describe("Kept", () => {
  it("gives what was left to the same user and project alone", async () => {
    const name = fresh();
    const before = new Kept("page-1", name);
    const [a, b] = [transfer("a.png"), transfer("b.png", { projectId: 2 })];
    await before.keep(7, [a, b], ROOM);
    Object.assign(a, { url: "/api/projects/1/uploads/4" });
    await before.began(a);
    const after = new Kept("page-2", name);
    expect(await after.adopt(8, 1, NOBODY)).toEqual([]);
    const found = await after.adopt(7, 1, NOBODY);
    expect(found.map((one) => [one.name, one.url, one.size])).toEqual([["a.png", "/api/projects/1/uploads/4", 5]]);
    expect(found[0].file).not.toBeNull();
  });

  it("leaves alone what another open page sends", async () => {
    const name = fresh();
    await new Kept("page-1", name).keep(7, [transfer("a.png")], ROOM);
    const other = new Kept("page-2", name);
    expect(await other.adopt(7, 1, new Set(["page-1"]))).toEqual([]);
    expect(await other.adopt(7, 1, NOBODY)).toHaveLength(1);
    expect(await new Kept("page-3", name).adopt(7, 1, new Set(["page-2"]))).toEqual([]);
  });

  it("forgets what is settled, also what is settled while it is written", async () => {
    const name = fresh();
    const kept = new Kept("page-1", name);
    const files = Array.from({ length: 120 }, (_, n) => transfer(`${n}.png`));
    const keeping = kept.keep(7, files, ROOM);
    for (const file of files.slice(0, 90)) file.state = "done";
    for (const file of files.slice(90, 100)) file.state = "dropped";
    await keeping;
    const keys = files.slice(100, 110).map((file) => file.key ?? -1);
    await kept.forget(keys);
    const left = await new Kept("page-2", name).adopt(7, 1, NOBODY);
    expect(left.map((one) => one.name)).toEqual(files.slice(110).map((file) => file.name));
  });

  it("keeps the names of files the browser has no room for", async () => {
    const name = fresh();
    await new Kept("page-1", name).keep(7, ["a", "b", "c"].map((one) => transfer(one)), 11);
    const found = await new Kept("page-2", name).adopt(7, 1, NOBODY);
    expect(found.map((one) => one.file !== null)).toEqual([true, true, false]);
  });

  it("remembers datasets whose annotations wait for pictures", async () => {
    const kept = new Kept("page-1", fresh());
    const batch = { userId: 7, projectId: 1, batch: 12 };
    await kept.keepBatch(batch);
    await kept.keepBatch({ ...batch, projectId: 2 });
    expect(await kept.batches(7, 1)).toEqual([batch]);
    await kept.forgetBatch(batch);
    expect(await kept.batches(7, 1)).toEqual([]);
  });
});
