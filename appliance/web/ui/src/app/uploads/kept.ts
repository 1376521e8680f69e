import { type DBSchema, type IDBPDatabase, openDB } from "idb";

import type { Transfer } from "./transfer";

/** A file that was on its way, as the browser keeps it for after a reload. */
export interface KeptFile {
  key?: number;
  userId: number;
  projectId: number;
  name: string;
  size: number;
  modified: number;
  /** The bytes, where the browser has room for them. */
  file: Blob | null;
  url: string | null;
  batch: number | null;
  /** The page that sends it; when that page is gone another one goes on. */
  page: string;
}

/** A dataset whose annotations wait for its pictures to be there. */
export interface KeptBatch {
  userId: number;
  projectId: number;
  batch: number;
}

interface Schema extends DBSchema {
  files: { key: number; value: KeptFile; indexes: { owner: [number, number] } };
  batches: { key: [number, number, number]; value: KeptBatch };
}

const NAME = "pixelqueue-uploads";
const AT_ONCE = 50;

/**
 * What this browser still has to send, by user and project, so that a reload loses nothing. It is a
 * convenience: a browser that refuses to keep anything still uploads.
 */
export class Kept {
  private readonly database: Promise<IDBPDatabase<Schema>>;
  private readonly page: string;
  private chain: Promise<unknown> = Promise.resolve();

  constructor(page: string, name: string = NAME) {
    this.page = page;
    this.database = openDB<Schema>(name, 1, {
      upgrade(database) {
        database.createObjectStore("files", { keyPath: "key", autoIncrement: true }).createIndex("owner", ["userId", "projectId"]);
        database.createObjectStore("batches", { keyPath: ["userId", "projectId", "batch"] });
      },
    });
    this.database.catch(() => undefined);
  }

  /** Keep files that are not settled yet, a few at a time; those settled meanwhile are left out. */
  async keep(userId: number, transfers: readonly Transfer[], roomBytes: number): Promise<void> {
    let left = roomBytes;
    for (let start = 0; start < transfers.length; start += AT_ONCE) {
      await this.next(async (database) => {
        const open = transfers.slice(start, start + AT_ONCE).filter((one) => unsettled(one) && one.key === null);
        const writing = database.transaction("files", "readwrite");
        for (const transfer of open) {
          left -= transfer.size;
          transfer.key = await writing.store.add({ ...recordOf(transfer, left >= 0), userId, page: this.page });
        }
        await writing.done;
        await forgetSettled(database, open);
      });
    }
  }

  /** Take over the files that no other open page sends. */
  async adopt(userId: number, projectId: number, alive: ReadonlySet<string>): Promise<KeptFile[]> {
    let found: KeptFile[] = [];
    await this.next(async (database) => {
      const writing = database.transaction("files", "readwrite");
      const all = await writing.store.index("owner").getAll([userId, projectId]);
      found = all.filter(({ page }) => page !== this.page && !alive.has(page));
      for (const file of found) void writing.store.put({ ...file, page: this.page });
      await writing.done;
    });
    return found;
  }

  /** Remember where the box keeps what has come of a file. */
  async began(transfer: Transfer): Promise<void> {
    await this.next(async (database) => {
      if (transfer.key === null) return;
      const found = await database.get("files", transfer.key);
      if (found) await database.put("files", { ...found, url: transfer.url });
    });
  }

  /** A dataset came whole: only its address is of use now. */
  async arrived(transfer: Transfer): Promise<void> {
    await this.next(async (database) => {
      if (transfer.key === null) return;
      const found = await database.get("files", transfer.key);
      if (found) await database.put("files", { ...found, file: null, url: transfer.url });
    });
  }

  async forget(keys: readonly number[]): Promise<void> {
    if (keys.length === 0) return;
    await this.next(async (database) => {
      const writing = database.transaction("files", "readwrite");
      for (const key of keys) void writing.store.delete(key);
      await writing.done;
    });
  }

  async keepBatch(batch: KeptBatch): Promise<void> {
    await this.next((database) => database.put("batches", batch));
  }

  async forgetBatch({ userId, projectId, batch }: KeptBatch): Promise<void> {
    await this.next((database) => database.delete("batches", [userId, projectId, batch]));
  }

  async batches(userId: number, projectId: number): Promise<KeptBatch[]> {
    const database = await this.database.catch(() => null);
    return (await database?.getAll("batches", IDBKeyRange.bound([userId, projectId], [userId, projectId, []]))) ?? [];
  }

  /** One after the other; what the browser refuses is let go. */
  private next(work: (database: IDBPDatabase<Schema>) => Promise<unknown>): Promise<void> {
    const done = this.chain.then(async () => work(await this.database)).catch(() => undefined);
    this.chain = done;
    return done as Promise<void>;
  }
}

const unsettled = ({ state }: Transfer): boolean => state === "waiting" || state === "sending";

function recordOf(transfer: Transfer, room: boolean): Omit<KeptFile, "userId" | "page"> {
  const { projectId, name, size, modified, file, url, batch } = transfer;
  return { projectId, name, size, modified, file: room ? file : null, url, batch };
}

/** Files that were settled while they were being written have nobody else to forget them. */
async function forgetSettled(database: IDBPDatabase<Schema>, written: readonly Transfer[]): Promise<void> {
  for (const transfer of written) {
    if (!unsettled(transfer) && transfer.state !== "lost" && transfer.state !== "ready" && transfer.key !== null) {
      await database.delete("files", transfer.key);
    }
  }
}
