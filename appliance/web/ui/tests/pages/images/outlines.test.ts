import { describe, expect, it } from "vitest";

import type { Image, Outlines } from "../../../src/api/types";
import { covering, OutlineList } from "../../../src/pages/images/outlines";

const image = (id: number, revision = 1) => ({ id, revision }) as Image;

function listing() {
  const asked: number[][] = [];
  const waiting: (() => void)[] = [];
  let fails = false;
  const list = new OutlineList(1, (ids) => {
    asked.push([...ids]);
    return new Promise<Outlines[]>((resolve, reject) =>
      waiting.push(() => (fails ? reject(new Error("away")) : resolve(ids.filter((id) => id < 900).map((id) => ({ image_id: id, revision: 1, shapes: [] }))))),
    );
  });
  const answer = async (): Promise<void> => {
    waiting.shift()?.();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { list, asked, answer, fail: (value: boolean) => void (fails = value) };
}

describe("outlines of the images in sight", () => {
  it("are asked for once, and what flew by is not asked for", async () => {
    const { list, asked, answer } = listing();
    list.want([image(1), image(2)]);
    list.want([image(3)]);
    list.want([image(2), image(4)]);
    await answer();
    await answer();
    expect(asked).toEqual([[1, 2], [4]]);
    list.want([image(1), image(4)]);
    expect(asked).toHaveLength(2);
    expect(list.of(image(4))).toEqual({ image_id: 4, revision: 1, shapes: [] });
    expect(list.of(image(3))).toBeNull();
  });

  it("are asked for again when the image has changed, and show as they were until then", async () => {
    const { list, asked, answer } = listing();
    list.want([image(1)]);
    await answer();
    list.want([image(1, 2)]);
    expect(asked).toEqual([[1], [1]]);
    expect(list.of(image(1, 2))?.revision).toBe(1);
  });

  it("of an image that is gone are not asked for for ever, nor while the box is away", async () => {
    const { list, asked, answer, fail } = listing();
    list.want([image(901)]);
    await answer();
    list.want([image(901)]);
    expect(asked).toHaveLength(1);
    fail(true);
    list.want([image(5)]);
    await answer();
    expect(asked).toHaveLength(2);
    fail(false);
    list.want([image(5)]);
    expect(asked).toHaveLength(3);
  });

  it("lie where the cut thumbnail has them", () => {
    const wide = covering({ width: 200, height: 100 }, 100, 100);
    expect([wide(0, 0), wide(256, 256), wide(512, 512)]).toEqual([[-50, 0], [50, 50], [150, 100]]);
    const high = covering({ width: 100, height: 200 }, 80, 40);
    expect([high(0, 256), high(512, 512)]).toEqual([[0, 20], [80, 100]]);
  });
});
