"""What the store holds, in numbers, for the administrator's page."""

from __future__ import annotations

from appliance.store.store import Reading

__all__ = ["counts", "sqlite_version"]

_TABLES = ("users", "projects", "images", "tasks", "jobs", "models", "snapshots", "exports", "sessions")


def counts(reading: Reading) -> dict[str, int]:
    """Return how many rows the nouns have, and `blob_bytes`, what all blobs take on disk."""
    found = {table: _one(reading, f"SELECT count(*) FROM {table}") for table in _TABLES}
    return found | {"blob_bytes": _one(reading, "SELECT coalesce(sum(stored_bytes), 0) FROM blobs")}


def sqlite_version(reading: Reading) -> str:
    """Return the version of the library in use."""
    return str(next(iter(reading.execute("SELECT sqlite_version()")))[0])


def _one(reading: Reading, sql: str) -> int:
    return int(next(iter(reading.execute(sql)))[0])
