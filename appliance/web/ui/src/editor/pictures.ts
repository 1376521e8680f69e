import { images } from "../api/client";
import type { Image, ImageAnnotations } from "../api/types";
import { loadPicture, type Picture, viewOf } from "./picture";

const KEEP = 8;

/** An image with the annotations it had when they were fetched. */
export interface Known {
  image: Image;
  annotations: ImageAnnotations;
}

/** The same with its picture, decoded and ready to paint. */
export interface Ready extends Known {
  picture: Picture;
}

interface Held {
  promise: Promise<Ready>;
  known: Promise<Known>;
  ready: Ready | null;
}

/** Pictures of the last and the next images, fetched and decoded ahead; the oldest are let go. */
export class Pictures {
  /** Called when the tiles of an image turn out to be gone. */
  onLost: (imageId: number) => void = () => undefined;
  private readonly projectId: number;
  private readonly held = new Map<number, Held>();

  /** Many tiles are lost at once: one question serves all. */
  private readonly retiling = new Map<number, Promise<Ready | null>>();

  constructor(projectId: number) {
    this.projectId = projectId;
  }

  /** The picture at once when it was fetched ahead; null otherwise. */
  peek(imageId: number): Ready | null {
    return this.held.get(imageId)?.ready ?? null;
  }

  /**
   * An image that somebody waits for: its pixels are asked for at once, before anything is known of it,
   * and a large one comes as its copy. `first` are pixels on their way.
   */
  open(imageId: number, first: Promise<ImageBitmap | null> | null = null): Promise<Ready> {
    return this.get(imageId, () => Promise.resolve(first).then((bitmap) => bitmap ?? viewOf(this.projectId, imageId)));
  }

  get(imageId: number, view?: () => Promise<ImageBitmap>): Promise<Ready> {
    const known = this.held.get(imageId);
    if (known) {
      this.held.delete(imageId);
      this.held.set(imageId, known);
      return known.promise;
    }
    const entry: Held = { ...this.load(imageId, view?.().catch(() => null)), ready: null };
    entry.promise.then(
      (ready) => (entry.ready = ready),
      () => this.held.delete(imageId),
    );
    this.held.set(imageId, entry);
    this.letGo();
    return entry.promise;
  }

  /** What is known of an image that was asked for, mostly before its picture is decoded. */
  known(imageId: number): Promise<Known> {
    return this.held.get(imageId)?.known ?? this.get(imageId);
  }

  ahead(imageIds: readonly number[]): void {
    for (const id of imageIds) this.get(id).catch(() => undefined);
  }

  /** Look again for the tiles of an image that had none; what is painted stays until they are there. */
  retile(imageId: number): Promise<Ready | null> {
    const underway = this.retiling.get(imageId) ?? this.look(imageId).finally(() => this.retiling.delete(imageId));
    this.retiling.set(imageId, underway);
    return underway;
  }

  private async look(imageId: number): Promise<Ready | null> {
    const entry = this.held.get(imageId);
    const ready = entry ? await entry.promise.catch(() => null) : null;
    if (!entry || !ready) return null;
    const fresh = await loadPicture(ready.image, () => this.onLost(imageId));
    ready.picture = fresh.tiles ? fresh : { ...ready.picture, preparing: fresh.preparing };
    return ready;
  }

  forget(imageId: number): void {
    this.held.delete(imageId);
  }

  private load(imageId: number, view?: Promise<ImageBitmap | null>): Omit<Held, "ready"> {
    const facts = images.get(this.projectId, imageId);
    const picture = facts.then((image) => loadPicture(image, () => this.onLost(imageId), view));
    const known = Promise.all([facts, images.annotations(this.projectId, imageId)]).then(([image, annotations]) => ({ image, annotations }));
    return { known, promise: Promise.all([known, picture]).then(([facts, picture]) => ({ ...facts, picture })) };
  }

  private letGo(): void {
    while (this.held.size > KEEP) {
      const oldest = this.held.keys().next().value;
      if (oldest === undefined) return;
      this.held.delete(oldest);
    }
  }
}
