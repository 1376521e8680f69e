"""Reading every blob and comparing it with its name: what was found, and how far the last reading came.

A file that does not match twice is moved into ``DIR/quarantine``: nobody is served it, and the
same bytes sent again take its place. What is damaged or missing stays listed until good bytes
are there or nothing refers to the blob any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from appliance.errors import NotFound, StoreCorrupt
from appliance.records import Record
from appliance.store import rows
from appliance.store.blobs import Blobs
from appliance.store.store import Reading, Store
from appliance.store.writer import Transaction

__all__ = [
    "Damage", "Faulty", "Named", "Owner", "Scrub", "Stored", "begin", "damaged", "faults", "gone", "latest", "look",
    "named", "oldest_ms", "owners", "quarantined", "record", "stretch",
]  # fmt: skip

Fault = Literal["damaged", "missing"]


class Scrub(Record, frozen=True):
    """One reading of all blobs; `finished_at_ms` is None while it is under way or was given up."""

    id: int
    job_id: int
    started_at_ms: int
    finished_at_ms: int | None
    files: int
    bytes: int
    faults: int


class Owner(Record, frozen=True):
    """What refers to a blob: ``image``, ``snapshot``, ``model``, ``export`` or ``job``."""

    what: str
    id: int
    project_id: int | None
    name: str


class Damage(Record, frozen=True):
    """A blob whose file is broken or gone, and what that touches (the first few)."""

    sha256: str
    fault: Fault
    found_at_ms: int
    owners: list[Owner]


class Named(Record, frozen=True):
    """A blob that was looked up by its hash, and what refers to it (the first few)."""

    sha256: str
    size_bytes: int
    stored_bytes: int
    created_at_ms: int
    owners: list[Owner]


class Stored(NamedTuple):
    """What the database says of a blob."""

    sha256: str
    size_bytes: int
    stored_bytes: int
    encoding: str


class Faulty(NamedTuple):
    """A blob that was looked at and is not sound."""

    sha256: str
    fault: Fault


_OWNERS = (
    "SELECT 'image', id, project_id, name FROM images WHERE sha256 = ?1",
    (
        "SELECT 'model', m.id, NULL, m.name || ' ' || m.version FROM model_files AS f "
        "JOIN models AS m ON m.id = f.model_id WHERE f.sha256 = ?1"
    ),
    "SELECT 'snapshot', id, project_id, name FROM snapshots WHERE manifest_sha256 = ?1",
    (
        "SELECT 'snapshot', s.id, s.project_id, s.name FROM snapshot_pictures AS p "
        "JOIN snapshots AS s ON s.id = p.snapshot_id WHERE p.sha256 = ?1"
    ),
    "SELECT 'export', id, project_id, format || ' ' || id FROM exports WHERE sha256 = ?1",
    (
        "SELECT 'job', j.id, w.project_id, j.kind || ' ' || j.id FROM withdrawn AS w "
        "JOIN jobs AS j ON j.id = w.job_id WHERE w.sha256 = ?1"
    ),
    (
        "SELECT 'job', j.id, j.project_id, j.kind || ' ' || j.id FROM job_blobs AS b "
        "JOIN jobs AS j ON j.id = b.job_id WHERE b.sha256 = ?1"
    ),
)
_EACH = 5


def oldest_ms(reading: Reading) -> int | None:
    """Return when the oldest blob came, or None while there is none."""
    ((found,),) = reading.execute("SELECT min(created_at_ms) FROM blobs").fetchall()
    return found if found is None else int(found)


def stretch(reading: Reading, after: bytes, limit: int) -> list[Stored]:
    """Return the next blobs by hash, from past `after` (raw; empty at the beginning)."""
    sql = "SELECT lower(hex(sha256)), size_bytes, stored_bytes, encoding FROM blobs WHERE sha256 > ? "
    return [Stored(*row) for row in reading.execute(sql + "ORDER BY sha256 LIMIT ?", (after, limit))]


def look(blobs: Blobs, stored: Stored, between: Callable[[], None] = lambda: None) -> Fault | None:
    """Read a blob from the disk and say what is wrong with it; None when it is sound."""
    blobs.drop_from_memory(stored.sha256)
    try:
        blobs.verify(stored.sha256, between)
    except NotFound:
        return "missing"
    except StoreCorrupt:
        return "damaged"
    finally:
        blobs.drop_from_memory(stored.sha256)
    return None


def gone(blobs: Blobs, stored: Stored) -> Fault | None:
    """Say whether a blob's file is there, without reading it."""
    return None if blobs.exists(stored.sha256) else "missing"


def quarantined(store: Store, stored: Stored, fault: Fault) -> Fault | None:
    """Judge a blob that was not sound a second time, and put a broken file out of the way."""
    if fault == "damaged" and look(store.blobs, stored) == "damaged":
        store.blobs.quarantine(stored.sha256, store.folder / "quarantine")
        return "damaged"
    return look(store.blobs, stored)


def begin(tx: Transaction, job_id: int) -> int:
    """Note that a job begins to read; return the blobs there are. A second call changes nothing."""
    tx.execute("INSERT OR IGNORE INTO scrubs (job_id, started_at_ms) VALUES (?, ?)", (job_id, tx.now_ms))
    ((files,),) = tx.execute("SELECT files FROM blob_totals").fetchall()
    return int(files)


def record(
    tx: Transaction, job_id: int, *, looked: list[Stored], faulty: list[Faulty], finished: bool = False
) -> None:
    """Keep what a stretch showed: how much was read, and which blobs are not sound.

    A blob that was deleted meanwhile is passed over, and one found sound is no longer listed.
    """
    unsound = {one.sha256 for one in faulty}
    tx.executemany(
        "DELETE FROM damage WHERE sha256 = ?", [(bytes.fromhex(s.sha256),) for s in looked if s.sha256 not in unsound]
    )
    known = "SELECT sha256, ?2, ?3 FROM blobs WHERE sha256 = ?1"
    put = f"INSERT OR REPLACE INTO damage (sha256, fault, found_at_ms) {known}"
    tx.executemany(put, [(bytes.fromhex(one.sha256), one.fault, tx.now_ms) for one in faulty])
    tx.execute(
        "UPDATE scrubs SET files = files + ?, bytes = bytes + ?, faults = faults + ?, finished_at_ms = ? "
        "WHERE job_id = ?",
        (len(looked), sum(s.stored_bytes for s in looked), len(faulty), tx.now_ms if finished else None, job_id),
    )
    if faulty:
        tx.event("damage.found", {"files": len(faulty)})


def latest(reading: Reading) -> tuple[Scrub | None, Scrub | None]:
    """Return the newest reading, and the newest that was finished."""
    sql = f"SELECT {rows.columns(Scrub)} FROM scrubs WHERE id < ? ORDER BY id DESC LIMIT 20"
    found = rows.made(Scrub, reading.execute(sql, (2**62,)))
    return next(iter(found), None), next((one for one in found if one.finished_at_ms is not None), None)


def faults(reading: Reading, limit: int = 1_000) -> int:
    """Return how many blobs are damaged or missing, as far as `limit`."""
    return sum(1 for _ in reading.execute("SELECT 1 FROM damage LIMIT ?", (limit,)))


def damaged(reading: Reading, limit: int = 100) -> list[Damage]:
    """Return the blobs that are damaged or missing by hash, with what refers to them."""
    sql = "SELECT lower(hex(sha256)), fault, found_at_ms FROM damage ORDER BY sha256 LIMIT ?"
    found = list(reading.execute(sql, (limit,)))
    return [
        Damage(sha256=sha256, fault=fault, found_at_ms=at_ms, owners=owners(reading, sha256))
        for sha256, fault, at_ms in found
    ]


def named(reading: Reading, prefix: str, limit: int = 20) -> list[Named]:
    """Return the blobs whose hash begins like this (hex, lower case), by hash, with what refers to them."""
    low, high = bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))
    sql = (
        "SELECT lower(hex(sha256)), size_bytes, stored_bytes, created_at_ms FROM blobs "
        "WHERE sha256 >= ? AND sha256 <= ? ORDER BY sha256 LIMIT ?"
    )
    return [
        Named(sha256=sha256, size_bytes=size, stored_bytes=stored, created_at_ms=at, owners=owners(reading, sha256))
        for sha256, size, stored, at in list(reading.execute(sql, (low, high, limit)))
    ]


def owners(reading: Reading, sha256: str) -> list[Owner]:
    """Return what refers to a blob, at most five of each sort."""
    key = (bytes.fromhex(sha256),)
    return [
        Owner(what=row[0], id=row[1], project_id=row[2], name=row[3])
        for sql in _OWNERS
        for row in list(reading.execute(f"{sql} LIMIT {_EACH}", key))
    ]
