"""Sweep up what nothing refers to, in slices small enough for the writer.

A blob goes when no row of any table refers to it, its row is older than the grace and its file
was not settled again within the grace. Which tables refer to blobs is read from the schema, so
a new one is never forgotten; the foreign keys would refuse the deletion besides.

Files are unlinked after the commit, on the writer's thread, after one more look whether the
row is still gone: somebody in the same group commit may have registered the bytes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from appliance.store.blobs import Blobs
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "BEGINNING", "Scan", "delete_blobs", "delete_files", "finished_jobs", "release_job_blobs", "scan",
    "unregistered",
]  # fmt: skip

_SCAN = 2_000
_SLICE = 200

BEGINNING = (-1, b"")
"""Where `scan` starts."""


class Scan(NamedTuple):
    """A stretch of the blobs: what nothing refers to, and where the next stretch begins (None: nowhere)."""

    unreferenced: list[str]
    next: tuple[int, bytes] | None


def scan(reading: Reading, before_ms: int, after: tuple[int, bytes] = BEGINNING, limit: int = _SCAN) -> Scan:
    """Look through the blobs registered before `before_ms`, oldest first."""
    sql = (
        f"SELECT created_at_ms, sha256, {_referenced(reading)} FROM blobs "
        "WHERE created_at_ms < ? AND (created_at_ms, sha256) > (?, ?) ORDER BY created_at_ms, sha256 LIMIT ?"
    )
    seen: list[Any] = list(reading.execute(sql, (before_ms, *after, limit)))
    last = (int(seen[-1][0]), bytes(seen[-1][1])) if len(seen) == limit else None
    return Scan([bytes(sha256).hex() for _, sha256, referenced in seen if not referenced], last)


def delete_blobs(tx: Transaction, blobs: Blobs, hashes: Iterable[str], before_ms: int, grace_s: float) -> int:
    """Delete those of the blobs that still nothing refers to, with their files; return how many."""
    sql = f"DELETE FROM blobs WHERE sha256 = ? AND created_at_ms < ? AND NOT {_referenced(tx)}"
    gone = []
    for sha256 in hashes:
        if _rests(blobs, sha256, grace_s):
            tx.execute(sql, (bytes.fromhex(sha256), before_ms))
            if tx.changes():
                gone.append(sha256)
    _unlink_after_commit(tx, blobs, gone, grace_s)
    return len(gone)


def unregistered(reading: Reading, blobs: Blobs, hashes: Iterable[str], grace_s: float) -> list[str]:
    """Return those of the files' hashes that have no row and were not settled within the grace."""
    return [sha256 for sha256 in hashes if not _registered(reading, sha256) and _rests(blobs, sha256, grace_s)]


def delete_files(tx: Transaction, blobs: Blobs, hashes: Sequence[str], grace_s: float) -> int:
    """Unlink files without a row after this commit, those excepted that have one by then."""
    _unlink_after_commit(tx, blobs, hashes, grace_s)
    return len(hashes)


def release_job_blobs(tx: Transaction, before_ms: int, limit: int = _SLICE) -> int:
    """Let go of the bytes jobs came with that were over before `before_ms`; return how many."""
    tx.execute(
        "DELETE FROM job_blobs WHERE (job_id, sha256) IN (SELECT b.job_id, b.sha256 FROM job_blobs AS b "
        "JOIN jobs AS j ON j.id = b.job_id WHERE j.state IN ('done', 'failed', 'cancelled') "
        "AND j.finished_at_ms < ? LIMIT ?)",
        (before_ms, limit),
    )
    return tx.changes()


def finished_jobs(tx: Transaction, kinds: Sequence[str], before_ms: int, limit: int = _SLICE) -> int:
    """Delete done jobs of these kinds that nobody asked for and that were over before `before_ms`."""
    tx.execute(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = 'done' AND created_by IS NULL "
        f"AND project_id IS NULL AND finished_at_ms < ? AND kind IN ({', '.join('?' * len(kinds))}) "
        "ORDER BY id LIMIT ?)",
        (before_ms, *kinds, limit),
    )
    return tx.changes()


def _referenced(reading: Reading) -> str:
    """Return an SQL condition on `blobs.sha256`, put together from the schema's foreign keys."""
    sql = (
        'SELECT t.name, f."from" FROM sqlite_schema AS t JOIN pragma_foreign_key_list(t.name) AS f '
        "WHERE t.type = 'table' AND f.\"table\" = 'blobs' ORDER BY t.name, f.\"from\""
    )
    references: list[Any] = list(reading.execute(sql))
    parts = [f"EXISTS (SELECT 1 FROM {table} WHERE {table}.{column} = blobs.sha256)" for table, column in references]
    return f"({' OR '.join(parts)})"


def _registered(reading: Reading, sha256: str) -> bool:
    return bool(list(reading.execute("SELECT 1 FROM blobs WHERE sha256 = ?", (bytes.fromhex(sha256),))))


def _rests(blobs: Blobs, sha256: str, grace_s: float) -> bool:
    """Tell whether the file, if there is one, was settled longer ago than the grace."""
    age_s = blobs.age_s(sha256)
    return age_s is None or age_s >= grace_s


def _unlink_after_commit(tx: Transaction, blobs: Blobs, hashes: Sequence[str], grace_s: float) -> None:
    def unlink() -> None:
        for sha256 in hashes:
            if not _registered(tx, sha256) and _rests(blobs, sha256, grace_s):
                blobs.remove(sha256)

    if hashes:
        tx.after_commit.append(unlink)
