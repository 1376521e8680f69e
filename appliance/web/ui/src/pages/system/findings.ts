import type { BoxHealth, Scrubbing, StorageUse } from "../../api/system";
import { bytes, count, counted, moment, share, span, when } from "../../parts/words";

/** One line of the box's health: what was looked at, how it stands, and what to do where it is not well. */
export interface Finding {
  what: string;
  value: string;
  note: string;
  well: boolean;
  advice?: string;
}

const DAY_S = 86_400;
const NEARLY_FULL_DAYS = 14;
const SMALL_MEMORY = 0.1;
const CLOCK_BEHIND_MS = 1_000;

/** Days until the disk is full at the pace of the last week; null while nothing tells or nothing grows. */
export function daysLeft(storage: StorageUse | null): number | null {
  const week = storage?.measured.ages.find((age) => age.key === "week")?.bytes ?? 0;
  if (!storage || week <= 0) return null;
  return Math.max(0, storage.disk.free_bytes - storage.disk.floor_bytes) / (week / 7);
}

export function findings(box: BoxHealth, scrub: Scrubbing | null, storage: StorageUse | null): Finding[] {
  return [
    disk(box, daysLeft(storage)),
    reserve(box),
    memory(box),
    load(box),
    ...box.temperatures.slice(0, 1).map(temperature),
    clock(box),
    database(box),
    ...(scrub ? [files(scrub)] : []),
  ];
}

function disk({ disk: found }: BoxHealth, days: number | null): Finding {
  const full = found.free_bytes < found.floor_bytes;
  const soon = days !== null && days < NEARLY_FULL_DAYS;
  const pace = days === null ? "" : days > 365 ? ", lasts over a year" : `, full in about ${counted(Math.ceil(days), "day")}`;
  return {
    what: "Disk",
    value: `${bytes(found.total_bytes - found.free_bytes)} of ${bytes(found.total_bytes)}`,
    note: full ? "full" : `${bytes(found.free_bytes)} free${pace}`,
    well: !full && !soon,
    advice: full
      ? `Pictures are refused until ${bytes(found.floor_bytes)} are free. Delete exports or empty the cache under Storage; annotating goes on.`
      : soon
        ? "The disk fills up soon at the pace of the last week. Look under Storage what can go."
        : undefined,
  };
}

function reserve({ disk: found }: BoxHealth): Finding {
  const stands = found.reserve_bytes >= found.reserve_wanted_bytes;
  return {
    what: "Reserve",
    value: found.reserve_wanted_bytes === 0 ? "none" : bytes(found.reserve_bytes),
    note: stands ? "for saving on a full disk" : "was given up on a full disk",
    well: stands,
    advice: stands ? undefined : "Free some space: the collector takes the reserve back by itself.",
  };
}

function memory({ memory: found }: BoxHealth): Finding {
  const well = found.total_bytes === 0 || found.available_bytes / found.total_bytes >= SMALL_MEMORY;
  return {
    what: "Memory",
    value: found.total_bytes === 0 ? "unknown" : `${bytes(found.total_bytes - found.available_bytes)} of ${bytes(found.total_bytes)}`,
    note: `${bytes(found.resident_bytes)} of it PixelQueue`,
    well,
    advice: well ? undefined : "Little memory is left: large jobs may fail. Stop other programs on this machine.",
  };
}

function load(box: BoxHealth): Finding {
  return {
    what: "Load",
    value: box.load.toFixed(1),
    note: `of ${counted(box.processors, "core")}`,
    well: true,
  };
}

function temperature(sensor: BoxHealth["temperatures"][number]): Finding {
  const well = sensor.limit === null || sensor.celsius < sensor.limit;
  return {
    what: "Temperature",
    value: `${Math.round(sensor.celsius)} °C`,
    note: sensor.limit === null ? sensor.name : `slows at ${Math.round(sensor.limit)} °C`,
    well,
    advice: well ? undefined : "The machine slows itself down to cool. Give it air or shade.",
  };
}

function clock(box: BoxHealth): Finding {
  const behind = box.clock.behind_ms >= CLOCK_BEHIND_MS;
  return {
    what: "Clock",
    value: behind ? `${span(box.clock.behind_ms)} behind` : moment(box.clock.wall_ms).slice(0, -3),
    note: box.clock_is_set === false ? "nothing sets it" : box.clock_is_set ? "kept by the network" : "",
    well: !behind,
    advice: behind
      ? "The machine's clock went back. The order of work is safe; times stand still until it has caught up. Set the clock."
      : undefined,
  };
}

function database({ database: found }: BoxHealth): Finding {
  return { what: "Database", value: bytes(found.file_bytes), note: `log ${bytes(found.log_bytes)}`, well: true };
}

function files(scrub: Scrubbing): Finding {
  return {
    what: "Stored files",
    value: scrub.faults > 0 ? counted(scrub.faults, "fault") : scrub.job ? progress(scrub) : count(scrub.files),
    note: scrub.finished ? `all read ${when(scrub.finished.finished_at_ms ?? 0)}` : "never read as a whole yet",
    well: scrub.faults === 0,
    advice: scrub.faults > 0 ? "Some stored files are damaged. See under Stored files which pictures they are." : undefined,
  };
}

function progress({ job }: Scrubbing): string {
  return job && job.total > 0 ? `reading, ${share(job.progress, job.total)}` : "reading";
}

/** "up 12 days", "up 3 h". */
export function upWords(uptimeS: number): string {
  return uptimeS < 2 * DAY_S ? `up ${span(uptimeS * 1000)}` : `up ${Math.floor(uptimeS / DAY_S)} days`;
}
