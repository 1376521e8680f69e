import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { checksum, zip } from "../../../src/app/uploads/zip";

const LIST = "import json,sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);assert z.testzip() is None;" +
  "print(json.dumps([len(z.namelist()),[[n,z.read(n).decode()] for n in z.namelist()[:3]]]))";

/** Have Python's zipfile, the box's reader, look at an archive. */
async function listed(archive: Blob): Promise<[number, [string, string][]]> {
  const path = join(mkdtempSync(join(tmpdir(), "zip-")), "a.zip");
  writeFileSync(path, new Uint8Array(await archive.arrayBuffer()));
  return JSON.parse(execFileSync("python3", ["-c", LIST, path]).toString());
}

describe("zip", () => {
  it("is read by the box's reader, names in any script", async () => {
    const archive = await zip([
      { path: "träger/annotations.json", data: new Blob(["{}"]) },
      { path: "träger/images/a.png", data: new Blob([]) },
      { path: "b.txt", data: new Blob(["0 0.5 0.5 1 1\n"]) },
    ]);
    expect(await listed(archive)).toEqual([
      3,
      [["träger/annotations.json", "{}"], ["träger/images/a.png", ""], ["b.txt", "0 0.5 0.5 1 1\n"]],
    ]);
  });

  it("holds more files than the format once foresaw", async () => {
    const nothing = new Blob([]);
    const archive = await zip(Array.from({ length: 70_000 }, (_, n) => ({ path: `${n}.png`, data: nothing })));
    expect((await listed(archive))[0]).toBe(70_000);
  });

  it("has the checksum everybody has", async () => {
    expect(await checksum(new Blob(["123456789"]))).toBe(0xcbf43926);
    expect(await checksum(new Blob([]))).toBe(0);
  });
});
