"""The durable event log: what happened after a sequence number, within the retention."""

from __future__ import annotations

from appliance.records import Event
from appliance.store import rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["latest", "oldest", "since", "trim"]

_COLUMNS = rows.columns(Event)
_SLICE = 1_000


def latest(reading: Reading) -> int:
    """Return the highest sequence number ever given, 0 before the first event."""
    for (seq,) in list(reading.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'")):
        return int(seq)
    return 0


def oldest(reading: Reading) -> int:
    """Return the lowest sequence number that is kept; one past the latest when none is."""
    for (seq,) in list(reading.execute("SELECT seq FROM events ORDER BY seq LIMIT 1")):
        return int(seq)
    return latest(reading) + 1


def since(reading: Reading, seq: int, limit: int = 500) -> list[Event]:
    """Return the events after `seq`, in order, at most `limit`."""
    sql = f"SELECT {_COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
    return rows.made(Event, reading.execute(sql, (seq, limit)))


def trim(tx: Transaction, keep: int) -> int:
    """Remove a slice of what lies past the retention; return how many went."""
    tx.execute(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq <= ? ORDER BY seq LIMIT ?)",
        (latest(tx) - keep, _SLICE),
    )
    return tx.changes()
