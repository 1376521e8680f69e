import { images } from "../api/client";
import { offline, Problem } from "../api/problem";
import type { Image, Job } from "../api/types";
import type { Size } from "./camera";
import type { TileSource } from "./render/tiles";

/** The pixels of an image, ready to paint; width and height are those of the image, whatever the bitmap has. */
export interface Picture extends Size {
  /** The whole picture; of a large one a copy until that is there, of a very large one its overview or thumbnail. */
  readonly bitmap: ImageBitmap;
  /** Fetches and decodes the whole picture, where `bitmap` is a smaller copy that shows it first. */
  readonly whole: (() => Promise<ImageBitmap>) | null;
  readonly tiles: TileSource | null;
  /** The job that makes the tiles, while they are not there. */
  readonly preparing: Job | null;
}

/**
 * Fetch and decode what shows an image; `lost` is called when its tiles turn out to be gone.
 * `view`, where it was asked for ahead, is `viewOf` the image, or null where that did not come.
 */
export async function loadPicture(image: Image, lost: () => void, view?: Promise<ImageBitmap | null>): Promise<Picture> {
  const { width, height } = image;
  if (!image.tiled) {
    const bitmap = (await view) ?? (await whole(image));
    return { width, height, bitmap, whole: bitmap.width < width ? () => whole(image) : null, tiles: null, preparing: null };
  }
  const facts = await images.tiles(image.project_id, image.id);
  if (!facts.ready) {
    const bitmap = (await view) ?? (await decoded(images.thumbnailUrl(image.project_id, image.id, image.sha256), image.name));
    return { width, height, bitmap, whole: null, tiles: null, preparing: facts.job };
  }
  void view?.then((bitmap) => bitmap?.close());
  const overview = await decoded(images.overviewUrl(image), image.name);
  const tiles: TileSource = {
    width,
    height,
    tileSize: facts.tile_size,
    levels: facts.levels,
    overview,
    url: (tile) => images.tileUrl(image, tile),
    lost,
  };
  return { width, height, bitmap: overview, whole: null, tiles, preparing: null };
}

/** The rendition; while the box is away, what the browser kept of it when it was asked for ahead. */
async function whole(image: Image): Promise<ImageBitmap> {
  try {
    return await decoded(images.renditionUrl(image), image.name);
  } catch (error) {
    const kept = await fetch(images.viewUrl(image.project_id, image.id), { cache: "force-cache" }).catch(() => null);
    if (!kept?.ok || !kept.headers.get("ETag")?.includes(image.sha256)) throw error;
    return createImageBitmap(await kept.blob());
  }
}

/** What shows an image first, before anything is known of it. */
export const viewOf = (projectId: number, imageId: number): Promise<ImageBitmap> => decoded(images.viewUrl(projectId, imageId), "picture");

async function decoded(url: string, file: string): Promise<ImageBitmap> {
  const response = await fetch(url).catch(() => {
    throw offline();
  });
  if (!response.ok) throw new Problem(response.status, { detail: "This picture cannot be shown. Load the page again.", file });
  return createImageBitmap(await response.blob());
}
