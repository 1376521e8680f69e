import { describe, expect, it } from "vitest";

import { commonFolder, isDataset, pack } from "../../../src/app/uploads/dataset";

const COCO = '{"images": [], "annotations": [], "categories": []}';
const named = (name: string, text = "x") => ({ name, file: new File([text], name) });

describe("isDataset", () => {
  it("knows COCO by its keys, wherever the file lies", async () => {
    expect(await isDataset([named("set/images/a.png"), named("set/notes/b.json", COCO)])).toBe(true);
    expect(await isDataset([named("instances.json", `\uFEFF ${COCO}`)])).toBe(true);
    expect(await isDataset([named("a.png"), named("settings.json", '{"images": 3}')])).toBe(false);
    expect(await isDataset([named("a.json", `[${COCO}]`)])).toBe(false);
  });

  it("finds the keys at the end of a long file", async () => {
    const long = `{"info": "${"x".repeat(300_000)}", "categories": [], "annotations": []}`;
    expect(await isDataset([named("a.json", long)])).toBe(true);
  });

  it("knows YOLO by its rows beside pictures or a description", async () => {
    expect(await isDataset([named("y/data.yaml"), named("y/labels/train/a.txt")])).toBe(true);
    expect(await isDataset([named("y/images/a.png"), named("y/labels/a.txt")])).toBe(true);
    expect(await isDataset([named("a.png"), named("readme.txt")])).toBe(false);
    expect(await isDataset([named("a.png"), named("compose.yaml")])).toBe(false);
  });
});

describe("pack", () => {
  it("takes what describes and leaves a place for each picture", async () => {
    const files = [named("set/a.json", COCO), named("set/images/a.png", "picture"), named("set/film.mp4", "long")];
    const made = await pack(files);
    expect([made.name, made.pictures]).toEqual(["set.zip", [files[1]]]);
    const text = await made.data.text();
    expect(text).toContain("set/images/a.png");
    expect(text).not.toContain("picture");
    expect(text).not.toContain("film.mp4");
  });

  it("sends annotations that come alone as they are", async () => {
    const alone = named("instances.json", COCO);
    expect(await pack([alone])).toEqual({ name: "instances.json", data: alone.file, pictures: [] });
  });
});

describe("commonFolder", () => {
  it("is the folder that was dropped", () => {
    expect(commonFolder([named("set/a.png"), named("set/b/c.png")])).toBe("set");
    expect(commonFolder([named("set/a.png"), named("other/c.png")])).toBe("");
    expect(commonFolder([named("a.png")])).toBe("");
  });
});
