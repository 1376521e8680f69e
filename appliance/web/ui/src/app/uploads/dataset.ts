import type { Named } from "./transfer";
import { type Entry, zip } from "./zip";

/** A folder that may be a dataset: its annotation files packed, and the pictures they are about. */
export interface Pack {
  name: string;
  data: File;
  pictures: readonly Named[];
}

const PICTURE = /\.(jpe?g|jpe|jfif|png|webp|tiff?|bmp|dib|gif|avif|hei[cf]|hif|jp2|mpo)$/i;
const DESCRIBES = /\.(json|ya?ml|txt|xml|csv)$/i;
const KEYS = [/"images"/, /"annotations"/, /"categories"/];
const LOOK_BYTES = 1 << 16;

export const isArchive = ({ name }: Named): boolean => /\.zip$/i.test(name);

/** Whether files that came together may form a dataset; the box has the last word. */
export async function isDataset(files: readonly Named[]): Promise<boolean> {
  const yaml = files.some(({ name }) => /\.ya?ml$/i.test(name));
  const rows = files.some(({ name }) => /(^|\/)labels\/.*\.txt$/i.test(name));
  if (rows && (yaml || files.some(({ name }) => /(^|\/)images\//.test(name)))) return true;
  for (const { name, file } of files) if (/\.json$/i.test(name) && (await isCoco(file))) return true;
  return false;
}

/** The keys of a COCO file, looked for at its beginning and its end. */
export async function isCoco(file: Blob): Promise<boolean> {
  const text = (await file.slice(0, LOOK_BYTES).text()) + (await file.slice(-LOOK_BYTES).text());
  return /^\uFEFF?\s*\{/.test(text) && KEYS.filter((key) => key.test(text)).length >= 2;
}

/** Pack what describes the dataset; a picture becomes an empty file that tells where it belongs. */
export async function pack(files: readonly Named[]): Promise<Pack> {
  const pictures = files.filter(({ name }) => PICTURE.test(name));
  const told = files.filter(({ name }) => DESCRIBES.test(name) && !PICTURE.test(name));
  const nothing = new Blob([]);
  const entries: Entry[] = [
    ...told.map(({ name, file }) => ({ path: name, data: file })),
    ...pictures.map(({ name }) => ({ path: name, data: nothing })),
  ];
  if (pictures.length === 0 && told.length === 1) return { name: told[0].name, data: told[0].file, pictures };
  const name = `${commonFolder(files) || "dataset"}.zip`;
  return { name, data: new File([await zip(entries)], name), pictures };
}

/** The folder that all files are in, if there is one. */
export function commonFolder(files: readonly Named[]): string {
  const first = files[0]?.name.split("/") ?? [];
  if (first.length < 2) return "";
  return files.every(({ name }) => name.startsWith(`${first[0]}/`)) ? first[0] : "";
}
