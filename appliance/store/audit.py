"""Read the audit log. Writers add to it through `Transaction.audit`; nothing changes it."""

from __future__ import annotations

from appliance.records import AuditEntry
from appliance.store import rows
from appliance.store.store import Reading

__all__ = ["listed"]

_COLUMNS = rows.columns(AuditEntry)


def listed(
    reading: Reading, *, project_id: int | None = None, after: int | None = None, limit: int | None = None
) -> rows.Page:
    """Return entries, newest first; `after` is the id of the last one seen."""
    size = rows.page_size(limit)
    before = after or 2**63 - 1
    if project_id is None:
        sql = f"SELECT {_COLUMNS} FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?"
        found = rows.made(AuditEntry, reading.execute(sql, (before, size + 1)))
    else:
        sql = f"SELECT {_COLUMNS} FROM audit WHERE project_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
        found = rows.made(AuditEntry, reading.execute(sql, (project_id, before, size + 1)))
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)
