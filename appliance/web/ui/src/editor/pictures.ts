import { images } from "../api/client";
import { Problem } from "../api/problem";
import type { Image, ImageAnnotations } from "../api/types";

const KEEP = 8;

/** A picture decoded and ready to paint, with the annotations it had when it was fetched. */
export interface Ready {
  image: Image;
  bitmap: ImageBitmap;
  annotations: ImageAnnotations;
}

async function fetchBitmap(image: Image): Promise<ImageBitmap> {
  const response = await fetch(images.renditionUrl(image));
  if (!response.ok) throw new Problem(response.status, { detail: "This picture cannot be shown. Load the page again.", file: image.name });
  return createImageBitmap(await response.blob());
}

/** Pictures of the last and the next images, fetched and decoded ahead; the oldest are let go. */
export class Pictures {
  private readonly projectId: number;
  private readonly held = new Map<number, { promise: Promise<Ready>; ready: Ready | null }>();

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

  forget(imageId: number): void {
    this.held.delete(imageId);
  }

  private async load(imageId: number): Promise<Ready> {
    const image = await images.get(this.projectId, imageId);
    const [bitmap, annotations] = await Promise.all([
      fetchBitmap(image),
      images.annotations(this.projectId, imageId),
    ]);
    return { image, bitmap, annotations };
  }

  private letGo(): void {
    while (this.held.size > KEEP) {
      const oldest = this.held.keys().next().value;
      if (oldest === undefined) return;
      this.held.delete(oldest);
    }
  }
}
