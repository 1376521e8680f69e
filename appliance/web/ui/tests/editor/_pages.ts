import { Problem } from "../../src/api/problem";
import type { Annotation, Diff } from "../../src/api/types";
import { ImageDocument } from "../../src/editor/document";
import { Editor } from "../../src/editor/editor";
import { Journal, type Keeper } from "../../src/editor/journal";
import { Saver } from "../../src/editor/saver";
import type { FakeBox } from "./_box";

export type Random = () => number;

/** Mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const forever = new Promise<never>(() => undefined);
const SIZE = { width: 100_000, height: 100_000 };

export const box = (x2: number) => ({ type: "box", x1: 0, y1: 0, x2, y2: 10 }) as const;
/** What tells shapes apart here: each is drawn with a width of its own. */
export const width = (one: Annotation | null): number => (one?.geometry.type === "box" ? one.geometry.x2 : NaN);

/** One page with one image open: killed, it neither hears nor writes any more. */
export class TestPage {
  readonly lane: string;
  readonly saver: Saver;
  readonly editor: Editor;
  readonly journal: Journal;
  private dead = false;

  private constructor(lane: string, server: FakeBox, journal: Journal) {
    this.lane = lane;
    this.journal = journal;
    const present = server.read();
    const carrier = server.carrier(2);
    const alive = async <T>(answer: Promise<T>): Promise<T> => {
      const settled = await answer.then((value) => ({ value }), (error: unknown) => ({ error }));
      if (this.dead) await forever;
      if ("error" in settled) throw settled.error;
      return settled.value;
    };
    const keeper: Keeper = {
      note: (...row) => void (this.dead || journal.note(...row)),
      replace: (...row) => void (this.dead || journal.replace(...row)),
    };
    const document = new ImageDocument(present.image_id, present.revision, present.annotations);
    this.saver = new Saver(document, {
      place: { projectId: 1, imageId: present.image_id, lane },
      keeper,
      send: (diff: Diff, keepalive: boolean) => alive(carrier.send(diff, keepalive)),
      late: (diff: Diff) => alive(carrier.late(diff)),
      read: () => alive(carrier.read()),
      complete: carrier.complete,
      onWork: () => undefined,
    });
    this.editor = new Editor(document, SIZE, 2);
  }

  static async open(lane: string, server: FakeBox): Promise<TestPage> {
    const journal = new Journal("box-1", 2);
    await journal.open();
    return new TestPage(lane, server, journal);
  }

  get document(): ImageDocument {
    return this.saver.document;
  }

  get widths(): number[] {
    return this.document.all.map(width).sort((a, b) => a - b);
  }

  /** Take over what other pages left. */
  async adopt(alive: readonly string[] = []): Promise<void> {
    const { kept } = await this.journal.adopt(this.lane, new Set([this.lane, ...alive]));
    for (const one of kept) {
      await this.flush();
      this.saver.restore(one);
    }
  }

  async flush(): Promise<void> {
    for (let turn = 0; turn < 50 && this.saver.unsentCount > 0; turn++) await this.saver.push();
  }

  kill(): void {
    this.dead = true;
  }

  /** One random gesture of a person; what undo means after others' changes is the history's affair. */
  act(random: Random, fresh: () => number, undoing: boolean): void {
    const all = this.document.all;
    const one = all[Math.floor(random() * all.length)];
    const what = random();
    if (!one || what < 0.35) this.editor.add(box(fresh()), 1);
    else if (what < 0.75) this.editor.reshape(one.id, box(fresh()));
    else if (what < 0.85 || !undoing) this.editor.remove([one.id]);
    else if (what < 0.95) this.editor.undo();
    else this.editor.redo();
  }
}

/** What the next requests come to: some never arrive, some lose their answer, some fail. */
export function weather(random: Random): (("ask" | "answer" | Problem) | null)[] {
  return Array.from({ length: 3 }, () => {
    const what = random();
    if (what < 0.2) return "ask";
    if (what < 0.4) return "answer";
    return what < 0.45 ? new Problem(500, { detail: "broken" }) : null;
  });
}
