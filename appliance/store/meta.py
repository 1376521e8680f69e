"""Facts about the box as a whole, each a word under a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.store.store import Reading
    from appliance.store.writer import Transaction

__all__ = ["forget", "get", "put"]


def get(reading: Reading, key: str) -> str | None:
    """Return what is kept under the key, or None."""
    for (value,) in list(reading.execute("SELECT value FROM meta WHERE key = ?", (key,))):
        return str(value)
    return None


def put(tx: Transaction, key: str, value: str) -> None:
    """Keep a word under the key."""
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def forget(tx: Transaction, *keys: str) -> None:
    """Remove what is kept under the keys."""
    tx.executemany("DELETE FROM meta WHERE key = ?", [(key,) for key in keys])
