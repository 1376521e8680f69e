"""The data directory in numbers, for the administrator's page; nothing here counts a large table."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from appliance.records import Record
from appliance.store import scrub, storage
from appliance.store.store import Reading, Store

__all__ = ["Clock", "Database", "Disk", "clock", "counts", "database", "disk", "sqlite_version"]

_SMALL = ("users", "projects", "models", "snapshots", "exports", "sessions")
_AS_FAR_AS = 10_000


class Disk(Record, frozen=True):
    """The disk under the data directory. `reserve_bytes` is what the emergency reserve holds now."""

    total_bytes: int
    free_bytes: int
    floor_bytes: int
    reserve_bytes: int
    reserve_wanted_bytes: int
    quarantine_bytes: int


class Database(Record, frozen=True):
    """`log_bytes` is the write-ahead log's file, which keeps its largest size."""

    file_bytes: int
    log_bytes: int
    free_bytes: int
    schema: int


class Clock(Record, frozen=True):
    """The wall clock, and how far it is behind the store's, which never runs back."""

    wall_ms: int
    store_ms: int
    behind_ms: int


def counts(reading: Reading) -> dict[str, int]:
    """Return how many there are of the nouns: kept numbers, and small tables as far as 10,000."""
    bounded = "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT ?)"
    found = {table: _one(reading, bounded.format(table), (_AS_FAR_AS,)) for table in _SMALL}
    files, size = storage.totals(reading)
    return found | {
        "images": _one(reading, "SELECT coalesce(sum(images), 0) FROM image_counts"),
        "blobs": files,
        "blob_bytes": size,
        "damaged": scrub.faults(reading),
    }


def disk(store: Store) -> Disk:
    """Look at the disk; blocks for some microseconds."""
    usage = shutil.disk_usage(store.folder)
    quarantine = store.folder / "quarantine"
    return Disk(
        total_bytes=usage.total,
        free_bytes=usage.free,
        floor_bytes=store.settings.free_floor_bytes,
        reserve_bytes=_size(store.folder / "reserve"),
        reserve_wanted_bytes=store.settings.reserve_bytes,
        quarantine_bytes=sum(map(_size, quarantine.iterdir())) if quarantine.is_dir() else 0,
    )


def database(store: Store) -> Database:
    """Return the sizes of the database's files and what is free inside; blocks."""

    def pragma(reading: Reading, name: str) -> int:
        return _one(reading, f"PRAGMA {name}")

    with store.reading() as reading:
        return Database(
            file_bytes=_size(store.file),
            log_bytes=_size(store.file.with_name(f"{store.file.name}-wal")),
            free_bytes=pragma(reading, "freelist_count") * pragma(reading, "page_size"),
            schema=pragma(reading, "user_version"),
        )


def clock(store: Store) -> Clock:
    """Compare the wall clock with the store's."""
    wall_ms = time.time_ns() // 1_000_000
    store_ms = store.clock.now_ms()
    return Clock(wall_ms=wall_ms, store_ms=store_ms, behind_ms=max(0, store_ms - wall_ms))


def sqlite_version(reading: Reading) -> str:
    """Return the version of the library in use."""
    return str(next(iter(reading.execute("SELECT sqlite_version()")))[0])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _one(reading: Reading, sql: str, parameters: tuple[int, ...] = ()) -> int:
    return int(next(iter(reading.execute(sql, parameters)))[0])
