import { images } from "../api/client";
import type { Image, ImageAnnotations } from "../api/types";
import { loadPicture, type Picture } from "./picture";

const KEEP = 8;

/** A picture decoded and ready to paint, with the annotations it had when it was fetched. */
export interface Ready {
  image: Image;
  picture: Picture;
  annotations: ImageAnnotations;
}

/** Pictures of the last and the next images, fetched and decoded ahead; the oldest are let go. */
export class Pictures {
  /** Called when the tiles of an image turn out to be gone. */
  onLost: (imageId: number) => void = () => undefined;
  private readonly projectId: number;
  private readonly held = new Map<number, { promise: Promise<Ready>; ready: Ready | null }>();

  /** Many tiles are lost at once: one question serves all. */
  private readonly retiling = new Map<number, Promise<Ready | null>>();

  constructor(projectId: number) {
    this.projectId = projectId;
  }

  /** The picture at once when it was fetched ahead; null otherwise. */
  peek(imageId: number): Ready | null {
    return this.held.get(imageId)?.ready ?? null;
  }

  get(imageId: number): Promise<Ready> {
    const known = this.held.get(imageId);
    if (known) {
      this.held.delete(imageId);
      this.held.set(imageId, known);
      return known.promise;
    }
    const entry: { promise: Promise<Ready>; ready: Ready | null } = { promise: this.load(imageId), ready: null };
    entry.promise.then(
      (ready) => (entry.ready = ready),
      () => this.held.delete(imageId),
    );
    this.held.set(imageId, entry);
    this.letGo();
    return entry.promise;
  }

  ahead(imageIds: readonly number[]): void {
    for (const id of imageIds) this.get(id).catch(() => undefined);
  }

  /** Ask again for the annotations of an image that changed; its pixels stay. */
  async refresh(imageId: number): Promise<Ready | null> {
    const entry = this.held.get(imageId);
    const ready = entry ? await entry.promise.catch(() => null) : null;
    if (!entry || !ready) return null;
    ready.annotations = await images.annotations(this.projectId, imageId);
    return ready;
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

  private async load(imageId: number): Promise<Ready> {
    const facts = images.get(this.projectId, imageId);
    const [image, picture, annotations] = await Promise.all([
      facts,
      facts.then((image) => loadPicture(image, () => this.onLost(imageId))),
      images.annotations(this.projectId, imageId),
    ]);
    return { image, picture, annotations };
  }

  private letGo(): void {
    while (this.held.size > KEEP) {
      const oldest = this.held.keys().next().value;
      if (oldest === undefined) return;
      this.held.delete(oldest);
    }
  }
}
