import { afterEach, describe, expect, it, vi } from "vitest";

import { benchAt } from "../../src/app/bench-address";
import { openSoon, picturesOf } from "../../src/app/early";

const at = (path: string, query = "") => benchAt(path, new URLSearchParams(query));

describe("what an address shows first", () => {
  it("is the image that it names", () => {
    expect(at("/projects/3/annotate", "image=41&state=open")).toEqual({ page: "annotate", projectId: 3, imageId: 41 });
    expect(at("/projects/3/images/41")).toEqual({ page: "annotate", projectId: 3, imageId: 41 });
  });

  it("is not known in a queue, nor from an image that is none", () => {
    expect(at("/projects/3/review")).toEqual({ page: "review", projectId: 3, imageId: null });
    expect(at("/projects/3/annotate", "image=x")).toMatchObject({ imageId: null });
  });

  it("is nothing of the workbench elsewhere", () => {
    expect(at("/projects/3/images")).toBeNull();
    expect(at("/projects/x/annotate")).toBeNull();
    expect(at("/")).toBeNull();
  });
});

describe("an image that is about to be opened", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  /** The addresses that are asked for from now on. */
  const asking = (): string[] => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", (address: string) => (asked.push(address), new Promise(() => undefined)));
    return asked;
  };

  const settled = (): Promise<void> => new Promise((done) => setTimeout(done));

  it("is on its way when its page asks for it", async () => {
    const asked = asking();
    openSoon(3, 41);
    await settled();
    const before = asked.length;
    expect(asked).toEqual(expect.arrayContaining(["/api/projects/3/images/41", "/api/projects/3/images/41/annotations", "/api/projects/3/images/41/view"]));
    void picturesOf(3).open(41);
    await settled();
    expect(asked).toHaveLength(before);
  });

  it("is asked for again by the page of another project, or when that comes late", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const asked = asking();
    for (const [project, later] of [[4, 0], [3, 6_000]]) {
      openSoon(3, 41);
      await settled();
      vi.advanceTimersByTime(later);
      const before = asked.length;
      void picturesOf(project).open(41);
      await settled();
      expect(asked.length).toBeGreaterThan(before);
    }
  });
});
