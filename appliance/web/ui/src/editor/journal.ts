import { signal } from "@preact/signals-core";
import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, openDB } from "idb";

import type { NewComment } from "../api/types";
import type { Underway, Unsent } from "./pending";

/** Whose unsent work it is, and of which image. Each page writes in a lane of its own. */
export interface Place {
  projectId: number;
  imageId: number;
  lane: string;
}

/** What a page left unsent of one image. */
export interface Kept {
  place: Place;
  unsent: Map<string, Unsent>;
  underway: Underway | null;
}

/** What a person wanted done with a task, once its changes are there. */
export interface Intent {
  kind: "submit" | "skip";
  projectId: number;
  imageId: number;
  taskId: number;
  /** The image's name, to speak of it. */
  name: string;
  /** The revision the person saw. */
  revision: number;
  reason: string | null;
  /** How long the person was at it, without pauses, in milliseconds; older pages measured nothing. */
  activeMs?: number;
  /** Order among intents: milliseconds since 1970. */
  at: number;
  /** Why the box refused it; null while it waits. */
  refusal: string | null;
}

/** A comment on its way, with the key that the box knows it by. */
export interface Remark {
  projectId: number;
  imageId: number;
  comment: NewComment;
  /** Order among remarks: milliseconds since 1970. */
  at: number;
  /** Why the box refused it; null while it waits. */
  refusal: string | null;
}

/** How much a person did that the box has not taken. */
export interface Tally {
  changes: number;
  intents: number;
  remarks: number;
}

/** The part of the journal that keeps one image's changes. */
export interface Keeper {
  note(place: Place, rows: ReadonlyMap<string, Unsent | null>): void;
  replace(place: Place, unsent: ReadonlyMap<string, Unsent>, underway: Underway | null): void;
}

type Row = { projectId: number; unsent: Unsent } | { projectId: number; underway: Underway };
type Key = [owner: string, lane: string, image: number, id: string];

interface Schema extends DBSchema {
  /** One row for each unsent annotation; the diff under way has the empty id. */
  changes: { key: Key; value: Row };
  intents: { key: [owner: string, lane: string, task: number]; value: Intent };
  remarks: { key: [owner: string, lane: string, comment: string]; value: Remark };
}

type Name = "changes" | "intents" | "remarks";
type Store<N extends Name> = IDBPObjectStore<Schema, Name[], N, "readwrite">;

const STORES: readonly Name[] = ["changes", "intents", "remarks"];
const UNDERWAY = "";

/** A request's own failure is its transaction's, which is looked at. */
const quiet = (request: Promise<unknown>): void => void request.catch(() => undefined);

/** Every key that begins so: an array sorts after every number and string. */
const within = (...prefix: (string | number)[]): IDBKeyRange => IDBKeyRange.bound(prefix, [...prefix, []]);

/**
 * What one user did and the box has not answered yet, kept by the browser.
 *
 * Work is written with strict durability: out of reach of the box it may stay here for hours, and
 * a tablet's battery ends without notice; the sync happens off the page's thread, once a gesture.
 * What the box has answered is taken out relaxed: if that is lost it is sent again, and the box
 * knows the diff. Each write commits in the task of the change, so closing the tab right after
 * cannot undo it. Where the browser keeps nothing (`durable` is false), all calls do nothing.
 */
export class Journal implements Keeper {
  /** False when this browser keeps nothing: changes live in the page alone. */
  readonly durable = signal(true);
  private readonly owner: string;
  private database: IDBPDatabase<Schema> | null = null;
  private early: (() => void)[] | null = [];

  /** `boxId` and `userId` name whose work it is: another box's or user's is never read or sent. */
  constructor(boxId: string, userId: number) {
    this.owner = `${boxId}/${userId}`;
  }

  async open(name = "pixelqueue"): Promise<void> {
    try {
      this.database = await openDB<Schema>(name, 2, {
        upgrade(database) {
          for (const store of STORES) if (!database.objectStoreNames.contains(store)) database.createObjectStore(store);
        },
        blocking: (_now, _wanted, event) => (event.target as IDBDatabase).close(),
        terminated: () => this.lose(),
      });
    } catch {
      this.lose();
    }
    const early = this.early ?? [];
    this.early = null;
    for (const write of early) write();
  }

  close(): void {
    this.database?.close();
    this.database = null;
  }

  note(place: Place, rows: ReadonlyMap<string, Unsent | null>): void {
    this.write("strict", (changes) => {
      for (const [id, unsent] of rows) {
        const key = this.key(place, id);
        if (unsent) quiet(changes.put({ projectId: place.projectId, unsent }, key));
        else quiet(changes.delete(key));
      }
    });
  }

  replace(place: Place, unsent: ReadonlyMap<string, Unsent>, underway: Underway | null): void {
    this.write(underway ? "strict" : "relaxed", (changes) => {
      quiet(changes.delete(within(this.owner, place.lane, place.imageId)));
      for (const [id, one] of unsent) quiet(changes.put({ projectId: place.projectId, unsent: one }, this.key(place, id)));
      if (underway) quiet(changes.put({ projectId: place.projectId, underway }, this.key(place, UNDERWAY)));
    });
  }

  intend(lane: string, intent: Intent): void {
    this.write("strict", (_changes, intents) => quiet(intents.put(intent, [this.owner, lane, intent.taskId])));
  }

  fulfil(lane: string, taskId: number): void {
    this.write("relaxed", (_changes, intents) => quiet(intents.delete([this.owner, lane, taskId])));
  }

  /** Keep a comment until the box has it. */
  remark(lane: string, remark: Remark): void {
    this.write("strict", (_changes, _intents, remarks) => quiet(remarks.put(remark, [this.owner, lane, remark.comment.key])));
  }

  unremark(lane: string, key: string): void {
    this.write("relaxed", (_changes, _intents, remarks) => quiet(remarks.delete([this.owner, lane, key])));
  }

  /**
   * Move what pages left that are not `alive` into lanes of `lane` and return it.
   *
   * One transaction: of two pages that try, one gets it.
   */
  async adopt(lane: string, alive: ReadonlySet<string>): Promise<{ kept: Kept[]; intents: Intent[]; remarks: Remark[] }> {
    if (!this.database) return { kept: [], intents: [], remarks: [] };
    const transaction = this.database.transaction([...STORES], "readwrite", { durability: "strict" });
    const [changes, intents] = [transaction.objectStore("changes"), transaction.objectStore("intents")];
    const kept = new Map<string, Kept>();
    const orphan = (from: string): boolean => {
      const page = from.split("/")[0];
      return page !== lane && !alive.has(page);
    };
    for (let cursor = await changes.openCursor(within(this.owner)); cursor; cursor = await cursor.continue()) {
      const [, from, imageId, id] = cursor.key;
      if (!orphan(from)) continue;
      const place = { projectId: cursor.value.projectId, imageId, lane: `${lane}/${from.split("/").at(-1)}` };
      quiet(cursor.delete());
      quiet(changes.put(cursor.value, this.key(place, id)));
      const one = kept.get(`${from} ${imageId}`) ?? { place, unsent: new Map<string, Unsent>(), underway: null };
      if ("underway" in cursor.value) one.underway = cursor.value.underway;
      else one.unsent.set(id, cursor.value.unsent);
      kept.set(`${from} ${imageId}`, one);
    }
    const found: Intent[] = [];
    for (let cursor = await intents.openCursor(within(this.owner)); cursor; cursor = await cursor.continue()) {
      const [, from, taskId] = cursor.key;
      if (!orphan(from)) continue;
      found.push(cursor.value);
      quiet(cursor.delete());
      quiet(intents.put(cursor.value, [this.owner, lane, taskId]));
    }
    const remarks: Remark[] = [];
    for (let cursor = await transaction.objectStore("remarks").openCursor(within(this.owner)); cursor; cursor = await cursor.continue()) {
      const [, from, comment] = cursor.key;
      if (!orphan(from)) continue;
      remarks.push(cursor.value);
      quiet(cursor.delete());
      quiet(transaction.objectStore("remarks").put(cursor.value, [this.owner, lane, comment]));
    }
    await transaction.done;
    return { kept: [...kept.values()], intents: found.sort((a, b) => a.at - b.at), remarks: remarks.sort((a, b) => a.at - b.at) };
  }

  /** Count what all pages of this user have unsent. */
  async tally(): Promise<Tally> {
    if (!this.database) return { changes: 0, intents: 0, remarks: 0 };
    const transaction = this.database.transaction([...STORES]);
    const changes = new Set<string>();
    for (let cursor = await transaction.objectStore("changes").openCursor(within(this.owner)); cursor; cursor = await cursor.continue()) {
      const [, lane, imageId, id] = cursor.key;
      const ids = "underway" in cursor.value ? [...cursor.value.underway.sent.keys()] : [id];
      for (const one of ids) changes.add(`${lane} ${imageId} ${one}`);
    }
    const [intents, remarks] = await Promise.all([
      transaction.objectStore("intents").count(within(this.owner)),
      transaction.objectStore("remarks").count(within(this.owner)),
    ]);
    return { changes: changes.size, intents, remarks };
  }

  private key(place: Place, id: string): Key {
    return [this.owner, place.lane, place.imageId, id];
  }

  private write(
    durability: "strict" | "relaxed",
    act: (changes: Store<"changes">, intents: Store<"intents">, remarks: Store<"remarks">) => void,
  ): void {
    if (this.early) {
      this.early.push(() => this.write(durability, act));
      return;
    }
    if (!this.database) return;
    try {
      const transaction = this.database.transaction([...STORES], "readwrite", { durability });
      act(transaction.objectStore("changes"), transaction.objectStore("intents"), transaction.objectStore("remarks"));
      transaction.commit();
      transaction.done.catch(() => this.lose());
    } catch {
      this.lose();
    }
  }

  private lose(): void {
    this.durable.value = false;
  }
}
