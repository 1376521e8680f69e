import type { Transfer } from "../../../src/app/uploads/transfer";

let lastId = 0;

/** A file on its way, as tests want it. */
export function transfer(name: string, facts: Partial<Transfer> = {}): Transfer {
  const file = new File(["12345"], name, { lastModified: 7 });
  return {
    id: ++lastId, projectId: 1, name, size: 5, modified: 7, file, state: "waiting", sentBytes: 0, problem: null,
    url: null, batch: null, key: null, tries: 0, ...facts,
  };
}

/** Let everything happen that happens without a clock. */
export const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
