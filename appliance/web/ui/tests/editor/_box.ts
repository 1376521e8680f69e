import { complete } from "../../src/api/client";
import { offline, Problem } from "../../src/api/problem";
import type { Annotation, Diff, Draft, ImageAnnotations, Saved } from "../../src/api/types";
import type { Carrier } from "../../src/editor/saver";

/** One image of a box, with the rules by which the real one takes diffs. */
export class FakeBox {
  readonly imageId: number;
  revision = 0;
  readonly held = new Map<string, Annotation>();
  readonly sent: Diff[] = [];
  readonly lateDiffs = new Map<string, Diff>();
  frozen = false;
  /** What the next requests come to: refused before they are applied, or their answer is lost. */
  faults: ("ask" | "answer" | Problem | null)[] = [];
  private readonly known = new Map<string, number>();

  constructor(imageId: number, annotations: readonly Annotation[] = [], revision = 0) {
    this.imageId = imageId;
    this.revision = revision;
    for (const one of annotations) this.held.set(one.id, one);
  }

  carrier(authorId: number): Carrier {
    return {
      send: (diff) => this.answer(diff, () => this.save(diff, authorId)),
      late: (diff) => this.answer(null, () => void this.lateDiffs.set(diff.diff_id, diff)),
      read: () => this.answer(null, () => this.read()),
      complete,
    };
  }

  read(): ImageAnnotations {
    return { image_id: this.imageId, revision: this.revision, late: this.lateDiffs.size, annotations: [...this.held.values()] };
  }

  /** Apply a diff as another person's page would. */
  save(diff: Diff, authorId: number): Saved {
    const before = this.known.get(diff.diff_id);
    if (before !== undefined) return { image_id: this.imageId, revision: before, repeated: true };
    if (this.frozen) throw new Problem(409, { code: "conflict", detail: "in review" });
    const [added, changed, removed] = [diff.added ?? [], diff.changed ?? [], diff.removed ?? []];
    const newer = (id: string): boolean => (this.held.get(id)?.revision ?? 0) > diff.revision;
    const conflicts = [
      ...added.filter(({ id }) => this.held.has(id)).map(({ id }) => id),
      ...changed.filter(({ id }) => !this.held.has(id) || newer(id)).map(({ id }) => id),
      ...removed.filter(newer),
    ];
    if (conflicts.length > 0) {
      const annotations = JSON.parse(JSON.stringify([...this.held.values()])) as never;
      throw new Problem(409, { code: "stale-revision", details: { revision: this.revision, conflicts, annotations } });
    }
    this.known.set(diff.diff_id, ++this.revision);
    for (const one of [...added, ...changed]) this.held.set(one.id, this.made(one, authorId));
    for (const id of removed) this.held.delete(id);
    return { image_id: this.imageId, revision: this.revision, repeated: false };
  }

  private made({ rejected, untouched, ...one }: Draft, authorId: number): Annotation {
    const old = this.held.get(one.id) ?? complete(one);
    return { ...old, ...one, status: rejected ? "rejected" : "draft", author_id: untouched ? null : authorId, revision: this.revision };
  }

  private async answer<T>(diff: Diff | null, act: () => T): Promise<T> {
    if (diff) this.sent.push(diff);
    await Promise.resolve();
    const fault = this.faults.shift() ?? null;
    if (fault === "ask") throw offline();
    if (fault instanceof Problem) throw fault;
    const result = act();
    if (fault === "answer") throw offline();
    return result;
  }
}
