import { describe, expect, it } from "vitest";

import { benchAt } from "../../src/app/bench-address";

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
