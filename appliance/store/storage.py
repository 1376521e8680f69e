"""What takes the space: measured now and then by going over all blobs, kept for whoever asks.

A blob counts once, however many refer to it: for the image that had it first, else for the
snapshot that keeps the picture of a deleted image, else for the snapshot's manifest, the
export, the model, the job it came with or the undo that took its image away; what nobody refers
to waits for the collector.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, NamedTuple

from appliance.records import Record
from appliance.store import meta, rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["AGES", "Large", "Measured", "Total", "Use", "age_of", "keep", "measured", "stretch", "totals"]

Kind = Literal["pictures", "snapshots", "exports", "models", "archives", "waiting"]
Age = Literal["week", "month", "quarter", "year", "older"]
AGES: tuple[tuple[Age, int], ...] = (("week", 7), ("month", 30), ("quarter", 91), ("year", 365))
_DAY_MS = 24 * 3600 * 1000
_LARGEST = 30

# The first that is there wins, so that SQLite looks no further; parts are split at the colons.
_OWNER = (
    "coalesce("
    "(SELECT 'pictures:' || project_id || ':' || id FROM images WHERE sha256 = b.sha256 ORDER BY id LIMIT 1), "
    "(SELECT 'snapshots:' || s.project_id || ':' || s.id FROM snapshot_pictures AS p "
    "JOIN snapshots AS s ON s.id = p.snapshot_id WHERE p.sha256 = b.sha256 LIMIT 1), "
    "(SELECT 'snapshots:' || project_id || ':' || id FROM snapshots WHERE manifest_sha256 = b.sha256 LIMIT 1), "
    "(SELECT 'exports:' || project_id || ':' || id FROM exports WHERE sha256 = b.sha256 LIMIT 1), "
    "(SELECT 'models:0:' || model_id FROM model_files WHERE sha256 = b.sha256 LIMIT 1), "
    "(SELECT 'archives:' || coalesce(j.project_id, 0) || ':' || j.id FROM job_blobs AS o "
    "JOIN jobs AS j ON j.id = o.job_id WHERE o.sha256 = b.sha256 LIMIT 1), "
    "(SELECT 'archives:' || project_id || ':' || job_id FROM withdrawn WHERE sha256 = b.sha256 LIMIT 1), "
    "'waiting:0:0')"
)
_NAMES = {
    "pictures": "SELECT name FROM images WHERE id = ?",
    "snapshots": "SELECT name FROM snapshots WHERE id = ?",
    "exports": "SELECT format || ' export ' || id FROM exports WHERE id = ?",
    "models": "SELECT name || ' ' || version FROM models WHERE id = ?",
    "archives": "SELECT kind || ' ' || id FROM jobs WHERE id = ?",
}


class Use(NamedTuple):
    """One blob: whom it counts for, when it came, what it takes on the disk."""

    sha256: str
    kind: str
    project_id: int
    owner_id: int
    created_at_ms: int
    bytes: int


class Large(Record, frozen=True):
    """One of the largest blobs; `project_id` and `owner_id` are 0 where it has none."""

    kind: str
    project_id: int
    owner_id: int
    name: str
    sha256: str
    bytes: int
    created_at_ms: int


class Total(Record, frozen=True):
    """What a kind, project or age takes; `key` is its name, or the project's id."""

    key: str
    files: int
    bytes: int


class Measured(Record, frozen=True):
    """The last measuring; `at_ms` is None before the first. `projects` are the 50 largest."""

    at_ms: int | None
    kinds: list[Total]
    projects: list[Total]
    ages: list[Total]
    cache: list[Total]
    largest: list[Large]


def stretch(reading: Reading, after: bytes, limit: int) -> list[Use]:
    """Return the next blobs by hash, from past `after` (raw; empty at the beginning)."""
    sql = f"SELECT lower(hex(sha256)), {_OWNER}, created_at_ms, stored_bytes FROM blobs AS b WHERE sha256 > ? "
    found = []
    for sha256, owner, created_at_ms, size in reading.execute(sql + "ORDER BY sha256 LIMIT ?", (after, limit)):
        kind, project_id, owner_id = owner.split(":")
        found.append(Use(sha256, kind, int(project_id), int(owner_id), created_at_ms, size))
    return found


def age_of(created_at_ms: int, now_ms: int) -> Age:
    """Return how long ago something came, in steps of a week, a month, a quarter and a year."""
    days = (now_ms - created_at_ms) / _DAY_MS
    return next((age for age, limit in AGES if days < limit), "older")


def keep(
    tx: Transaction, uses: Counter[tuple[str, int, str]], files: Counter[tuple[str, int, str]],
    largest: list[Use], cache: dict[str, tuple[int, int]],
) -> None:  # fmt: skip
    """Replace what the last measuring found; keys are kind, project and age."""
    tx.execute("DELETE FROM storage_uses")
    tx.execute("DELETE FROM storage_largest")
    tx.executemany(
        "INSERT INTO storage_uses (kind, project_id, age, files, bytes) VALUES (?, ?, ?, ?, ?)",
        [(*key, files[key], size) for key, size in sorted(uses.items())],
    )
    tx.executemany(
        "INSERT INTO storage_largest (kind, project_id, owner_id, name, sha256, bytes, created_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (u.kind, u.project_id, u.owner_id, _name(tx, u), bytes.fromhex(u.sha256), u.bytes, u.created_at_ms)
            for u in sorted(largest, key=lambda u: -u.bytes)[:_LARGEST]
        ],
    )
    for key, value in (("storage_at_ms", str(tx.now_ms)), ("storage_cache", rows.encode(cache))):
        meta.put(tx, key, value)
    tx.event("storage.measured", {})


def measured(reading: Reading) -> Measured:
    """Return the last measuring. An export that was deleted since is no longer among the largest."""
    kept = dict(reading.execute("SELECT key, value FROM meta WHERE key IN ('storage_at_ms', 'storage_cache')"))
    large = f"SELECT {rows.columns(Large, sha256='lower(hex(sha256))')} FROM storage_largest ORDER BY place"
    return Measured(
        at_ms=int(kept["storage_at_ms"]) if "storage_at_ms" in kept else None,
        kinds=_grouped(reading, "kind"),
        projects=_grouped(reading, "project_id")[:50],
        ages=_grouped(reading, "age"),
        cache=[Total(key=key, files=n, bytes=size) for key, (n, size) in _cache(kept).items()],
        largest=[one for one in rows.made(Large, reading.execute(large)) if _stands(reading, one)],
    )


def totals(reading: Reading) -> tuple[int, int]:
    """Return how many blobs there are and what they take on the disk, kept by triggers."""
    ((files, size),) = list(reading.execute("SELECT files, stored_bytes FROM blob_totals"))
    return int(files), int(size)


def _grouped(reading: Reading, column: str) -> list[Total]:
    sql = f"SELECT CAST({column} AS TEXT), sum(files), sum(bytes) FROM storage_uses GROUP BY {column} ORDER BY 3 DESC"
    return [Total(key=key, files=files, bytes=size) for key, files, size in reading.execute(sql)]


def _cache(kept: dict[str, str]) -> dict[str, tuple[int, int]]:
    return rows.decode(kept.get("storage_cache")) or {}


def _name(reading: Reading, use: Use) -> str:
    if use.kind not in _NAMES:
        return use.sha256[:12]
    found: list[Any] = list(reading.execute(_NAMES[use.kind], (use.owner_id,)))
    return str(found[0][0]) if found else use.sha256[:12]


def _stands(reading: Reading, large: Large) -> bool:
    if large.kind not in _NAMES:
        return True
    return bool(list(reading.execute(_NAMES[large.kind], (large.owner_id,))))
