import { describe, expect, it } from "vitest";

import type { BoxHealth, Scrubbing, StorageUse } from "../../src/api/system";
import { browserOf } from "../../src/pages/account/browser";
import { daysLeft, findings, upWords } from "../../src/pages/system/findings";
import { byAge, byKind, byProject, parts } from "../../src/pages/system/space";

const GB = 1e9;

function box(more: Partial<BoxHealth> = {}): BoxHealth {
  return {
    name: "field",
    versions: {},
    disk: { total_bytes: 100 * GB, free_bytes: 40 * GB, floor_bytes: GB, reserve_bytes: 1e6, reserve_wanted_bytes: 1e6, quarantine_bytes: 0 },
    memory: { total_bytes: 8 * GB, available_bytes: 4 * GB, resident_bytes: 1e8 },
    load: 0.4,
    processors: 4,
    temperatures: [],
    clock: { wall_ms: 1e12, store_ms: 1e12, behind_ms: 0 },
    clock_is_set: true,
    database: { file_bytes: 5e6, log_bytes: 1e6, free_bytes: 0, schema: 1 },
    lanes: [],
    children: 0,
    counts: {},
    open_sockets: 0,
    uptime_s: 5,
    ...more,
  };
}

function use(): StorageUse {
  return {
    measured: {
      at_ms: 1,
      kinds: [
        { key: "pictures", files: 10, bytes: 20 * GB },
        { key: "exports", files: 1, bytes: GB },
      ],
      projects: [
        { key: "3", files: 10, bytes: 20 * GB },
        { key: "9", files: 1, bytes: GB },
        { key: "0", files: 1, bytes: 5 },
      ],
      ages: [
        { key: "older", files: 1, bytes: 2 },
        { key: "week", files: 1, bytes: 7 * GB },
      ],
      cache: [{ key: "thumbnail", files: 10, bytes: 2 * GB }],
      largest: [],
    },
    job: null,
    disk: box().disk,
    database: box().database,
    cache_limit_bytes: 8 * GB,
    grace_s: 86_400,
  };
}

const faulty = (found: ReturnType<typeof findings>) => found.filter((one) => !one.well).map((one) => one.what);

describe("health", () => {
  it("says nothing of a box that is well", () => {
    expect(faulty(findings(box(), null, use()))).toEqual([]);
    expect(findings(box(), null, null).every((one) => one.advice === undefined)).toBe(true);
  });

  it("says what to do about a full disk, a clock behind, damaged files and heat", () => {
    const disk = { ...box().disk, free_bytes: GB / 2, reserve_bytes: 0 };
    const clock = { wall_ms: 1, store_ms: 5_001, behind_ms: 5_000 };
    const scrub = { faults: 2, job: null, finished: null, files: 5 } as unknown as Scrubbing;
    const hot = [{ name: "cpu", celsius: 96, limit: 95 }];
    const found = findings(box({ disk, clock, temperatures: hot }), scrub, null);
    expect(faulty(found)).toEqual(["Disk", "Reserve", "Temperature", "Clock", "Stored files"]);
    expect(found.filter((one) => !one.well).every((one) => (one.advice ?? "").length > 20)).toBe(true);
    expect(found.find((one) => one.what === "Clock")?.value).toBe("5 s behind");
    expect(found.find((one) => one.what === "Stored files")?.value).toBe("2 faults");
  });

  it("tells when the disk is full at the pace of the last week", () => {
    expect(daysLeft(use())).toBe(39);
    expect(daysLeft(null)).toBeNull();
    const soon = use();
    soon.disk = { ...soon.disk, free_bytes: 6 * GB };
    expect(findings(box(), null, soon)[0].well).toBe(false);
  });

  it("tells how long the box is up", () => {
    expect(upWords(90)).toBe("up 2 min");
    expect(upWords(12.5 * 86_400)).toBe("up 12 days");
  });
});

describe("space", () => {
  it("orders kinds by size, cache and database among them", () => {
    expect(byKind(use()).map((one) => [one.word, one.cache])).toEqual([["Pictures", false], ["Thumbnails", true], ["Exports", false], ["Database and history", false]]);
  });

  it("names projects, deleted ones too", () => {
    expect(byProject(use(), new Map([[3, "Trays"]])).map((one) => one.word)).toEqual(["Trays", "Deleted project 9", "Of no project"]);
  });

  it("orders ages by age", () => {
    expect(byAge(use()).map((one) => one.word)).toEqual(["Last 7 days", "Older than a year"]);
  });

  it("splits the disk without a rest", () => {
    const part = parts(use());
    expect(part.kept + part.cache + part.other + part.reserve + part.free).toBe(100 * GB);
    expect(part.cache).toBe(2 * GB);
  });
});

describe("sessions", () => {
  it("names browsers in two words", () => {
    expect(browserOf("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")).toBe("Firefox on Linux");
    expect(browserOf("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36")).toBe("Chrome on Android");
    expect(browserOf("python-httpx/0.28")).toBe("python-httpx");
    expect(browserOf("")).toBe("Unknown browser");
  });
});
