"""Exports: snapshots written in a format."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.records import Export, Note
from appliance.store import rows
from appliance.store.blobs import Blobs, Staged
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["create", "delete", "finish", "get", "listed", "of_job"]

_COLUMNS = rows.columns(Export, sha256="iif(sha256 IS NULL, NULL, lower(hex(sha256)))")


def create(
    tx: Transaction, *, project_id: int, snapshot_id: int, format_name: str, job_id: int, created_by: int | None
) -> Export:
    """Add the export of a job once its snapshot is known; a second call returns the first one's."""
    present = of_job(tx, job_id)
    if present is not None:
        return present
    tx.execute(
        "INSERT INTO exports (project_id, snapshot_id, format, job_id, created_by, created_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (project_id, snapshot_id, format_name, job_id, created_by, tx.now_ms),
    )
    return rows.found(of_job(tx, job_id), "export")


def finish(tx: Transaction, blobs: Blobs, export: Export, archive: Staged | None, notes: Sequence[Note]) -> Export:
    """Keep the finished archive (None when it was written to a folder) and what it could not hold."""
    if archive is not None:
        blobs.register(tx, archive)
        tx.execute(
            "UPDATE exports SET sha256 = ?, size_bytes = ? WHERE id = ?",
            (bytes.fromhex(archive.sha256), archive.size_bytes, export.id),
        )
    tx.execute("UPDATE exports SET notes = ? WHERE id = ?", (rows.encode(list(notes)), export.id))
    data = {"export_id": export.id, "format": export.format}
    tx.audit("export.finish", f"export {export.id}", project_id=export.project_id, format=export.format)
    tx.event("export.made", data, project_id=export.project_id)
    return get(tx, export.project_id, export.id)


def get(reading: Reading, project_id: int, export_id: int) -> Export:
    """Return one export of the project.

    Raises:
        NotFound: There is none.
    """
    sql = f"SELECT {_COLUMNS} FROM exports WHERE id = ? AND project_id = ?"
    return rows.found(rows.first(Export, reading.execute(sql, (export_id, project_id))), "export")


def delete(tx: Transaction, project_id: int, export_id: int) -> None:
    """Delete an export; its archive goes when the collector's grace is over.

    Raises:
        NotFound: There is none.
    """
    export = get(tx, project_id, export_id)
    tx.execute("DELETE FROM exports WHERE id = ?", (export_id,))
    tx.audit("export.delete", f"export {export_id}", project_id=project_id, format=export.format)
    tx.event("export.deleted", {"export_id": export_id}, project_id=project_id)


def of_job(reading: Reading, job_id: int) -> Export | None:
    """Return the export a job makes, or None."""
    return rows.first(Export, reading.execute(f"SELECT {_COLUMNS} FROM exports WHERE job_id = ?", (job_id,)))


def listed(reading: Reading, project_id: int, *, before: int | None = None, limit: int | None = None) -> rows.Page:
    """Return the project's exports, newest first; `next` goes into `before`."""
    size = rows.page_size(limit)
    sql = f"SELECT {_COLUMNS} FROM exports WHERE project_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
    top = before if before is not None else (1 << 62)
    found = rows.made(Export, reading.execute(sql, (project_id, top, size + 1)))
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)
