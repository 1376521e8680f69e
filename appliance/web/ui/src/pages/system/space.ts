import type { StorageUse, Total } from "../../api/system";

/** A line of what takes the space; what can be made again is cache. */
export interface Line {
  key: string;
  word: string;
  note: string;
  files: number;
  bytes: number;
  cache: boolean;
}

const KINDS: Record<string, string> = {
  pictures: "Pictures",
  snapshots: "Snapshots",
  exports: "Exports",
  models: "Models",
  archives: "Uploaded archives",
  waiting: "Waits for the collector",
};
const CACHES: Record<string, string> = { thumbnail: "Thumbnails", screen: "Copies of a screen's size", rendition: "Renditions", tiles: "Tiles" };
export const AGES: readonly (readonly [string, string])[] = [
  ["week", "Last 7 days"],
  ["month", "8 to 30 days"],
  ["quarter", "1 to 3 months"],
  ["year", "3 to 12 months"],
  ["older", "Older than a year"],
];

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** By kind, largest first: stored files, cache, database, what was put aside. */
export function byKind(use: StorageUse): Line[] {
  const stored = use.measured.kinds.map((one) => line(one, KINDS[one.key] ?? capital(one.key), "", false));
  const cached = use.measured.cache.map((one) => line(one, CACHES[one.key] ?? capital(one.key), "cache", true));
  const database = { key: "database", files: 1, bytes: use.database.file_bytes + use.database.log_bytes };
  const aside = { key: "quarantine", files: 0, bytes: use.disk.quarantine_bytes };
  return [...stored, ...cached, line(database, "Database and history", "", false), line(aside, "Damaged, put aside", "", false)]
    .filter((one) => one.bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
}

export function byProject(use: StorageUse, names: ReadonlyMap<number, string>): Line[] {
  return use.measured.projects.map((one) => {
    const id = Number(one.key);
    return line(one, id === 0 ? "Of no project" : (names.get(id) ?? `Deleted project ${id}`), "", false);
  });
}

export function byAge(use: StorageUse): Line[] {
  const found = new Map(use.measured.ages.map((one) => [one.key, one]));
  return AGES.flatMap(([key, word]) => {
    const one = found.get(key);
    return one ? [line(one, word, "", false)] : [];
  });
}

/** The parts of the disk's bar, in bytes. */
export function parts(use: StorageUse): { kept: number; cache: number; other: number; reserve: number; free: number } {
  const lines = byKind(use);
  const sum = (cache: boolean): number => lines.filter((one) => one.cache === cache).reduce((n, one) => n + one.bytes, 0);
  const { total_bytes: total, free_bytes: free, reserve_bytes: reserve } = use.disk;
  const kept = sum(false);
  const cache = sum(true);
  return { kept, cache, reserve, free, other: Math.max(0, total - free - kept - cache - reserve) };
}

function line(one: Total, word: string, note: string, cache: boolean): Line {
  return { key: one.key, word, note, files: one.files, bytes: one.bytes, cache };
}
