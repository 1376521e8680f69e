import { images } from "../api/client";
import { offline, Problem } from "../api/problem";
import type { Image, Job } from "../api/types";
import type { Size } from "./camera";
import type { TileSource } from "./render/tiles";

/** The pixels of an image, ready to paint; width and height are those of the image, whatever the bitmap has. */
export interface Picture extends Size {
  /** The whole picture; of a very large one its overview, or its thumbnail while there are no tiles. */
  readonly bitmap: ImageBitmap;
  readonly tiles: TileSource | null;
  /** The job that makes the tiles, while they are not there. */
  readonly preparing: Job | null;
}

/** Fetch and decode what shows an image; `lost` is called when its tiles turn out to be gone. */
export async function loadPicture(image: Image, lost: () => void): Promise<Picture> {
  const { width, height } = image;
  if (!image.tiled) return { width, height, bitmap: await decoded(images.renditionUrl(image), image), tiles: null, preparing: null };
  const facts = await images.tiles(image.project_id, image.id);
  if (!facts.ready) {
    const bitmap = await decoded(images.thumbnailUrl(image.project_id, image.id, image.sha256), image);
    return { width, height, bitmap, tiles: null, preparing: facts.job };
  }
  const overview = await decoded(images.overviewUrl(image), image);
  const tiles: TileSource = {
    width,
    height,
    tileSize: facts.tile_size,
    levels: facts.levels,
    overview,
    url: (tile) => images.tileUrl(image, tile),
    lost,
  };
  return { width, height, bitmap: overview, tiles, preparing: null };
}

async function decoded(url: string, image: Image): Promise<ImageBitmap> {
  const response = await fetch(url).catch(() => {
    throw offline();
  });
  if (!response.ok) throw new Problem(response.status, { detail: "This picture cannot be shown. Load the page again.", file: image.name });
  return createImageBitmap(await response.blob());
}
