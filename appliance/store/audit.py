"""Read the audit log. Writers add to it through `Transaction.audit`; nothing changes it (see `chain`).

Ids and times grow together (the store's clock never runs back), so a time is found by halving
the ids, and every filter walks an index backwards from there.
"""

from __future__ import annotations

from typing import Any

import msgspec

from appliance.records import AuditEntry, Record
from appliance.store import rows
from appliance.store.store import Reading

__all__ = ["Filter", "actions", "listed"]

_COLUMNS = rows.columns(AuditEntry, hash="lower(hex(hash))")
_NEWEST = 2**63 - 1
_LOOKED_AT = 5_000
"""A request looks at so many lines at most; a page may end early, and `next` goes on from there."""


class Filter(Record, frozen=True):
    """Which lines are wanted; what is None or empty does not matter.

    `text` is looked for, in any case of letters, in action, subject and details.
    """

    project_id: int | None = None
    user_id: int | None = None
    action: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    text: str = ""


def listed(
    reading: Reading, wanted: Filter | None = None, *, after: int | None = None, limit: int | None = None
) -> rows.Page:
    """Return entries, newest first; `after` is the id of the last one seen."""
    wanted = wanted or Filter()
    size = rows.page_size(limit)
    before = min(after or _NEWEST, _first_from(reading, wanted.until_ms) if wanted.until_ms else _NEWEST)
    found: list[AuditEntry] = []
    looked = 0
    while looked < _LOOKED_AT:
        seen = _stretch(reading, wanted, before)
        found += [entry for entry in seen if _fits(entry, wanted)]
        looked += len(seen)
        if len(found) > size:
            return rows.Page(found[:size], found[size - 1].id)
        if len(seen) < rows.MAX_PAGE or _too_old(seen[-1], wanted):
            return rows.Page(found)
        before = seen[-1].id
    return rows.Page(found, before)


def actions(reading: Reading) -> list[str]:
    """Return every action the log knows, by skipping from one to the next in the index."""
    found: list[str] = []
    sql = "SELECT action FROM audit WHERE action > ? ORDER BY action LIMIT 1"
    while following := list(reading.execute(sql, (found[-1] if found else "",))):
        found.append(str(following[0][0]))
    return found


def _stretch(reading: Reading, wanted: Filter, before: int) -> list[AuditEntry]:
    """Read a stretch over the index that narrows most."""
    where, values = "id < ?", [before]
    for column, value in (("action", wanted.action), ("user_id", wanted.user_id), ("project_id", wanted.project_id)):
        if value is not None:
            where, values = f"{column} = ? AND id < ?", [value, before]  # type: ignore[list-item]
    sql = f"SELECT {_COLUMNS} FROM audit WHERE {where} ORDER BY id DESC LIMIT ?"
    return rows.made(AuditEntry, reading.execute(sql, (*values, rows.MAX_PAGE)))


def _fits(entry: AuditEntry, wanted: Filter) -> bool:
    return (
        wanted.project_id in (None, entry.project_id)
        and wanted.user_id in (None, entry.user_id)
        and wanted.action in (None, entry.action)
        and not _too_old(entry, wanted)
        and (not wanted.text or wanted.text.casefold() in _text(entry))
    )


def _too_old(entry: AuditEntry, wanted: Filter) -> bool:
    return wanted.since_ms is not None and entry.at_ms < wanted.since_ms


def _text(entry: AuditEntry) -> str:
    details = msgspec.json.encode(entry.details).decode()
    return f"{entry.action} {entry.subject} {details}".casefold()


def _first_from(reading: Reading, at_ms: int) -> int:
    """Return the lowest id whose line was written at `at_ms` or later, by halving."""
    newest: list[Any] = list(reading.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'"))
    low, high = 0, (int(newest[0][0]) if newest else 0) + 1
    while low < high:
        middle = (low + high) // 2
        sql = "SELECT id, at_ms FROM audit WHERE id >= ? ORDER BY id LIMIT 1"
        found: list[Any] = list(reading.execute(sql, (middle,)))
        if found and found[0][1] < at_ms:
            low = int(found[0][0]) + 1
        else:
            high = middle
    return low
