"""Uploads: files on their way in, each of one person into one project."""

from __future__ import annotations

from typing import Any

import msgspec

from appliance.errors import TooManyRequests
from appliance.records import Upload
from appliance.store import rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "NewUpload", "admitted", "create", "delete", "expired", "failed", "get", "imported", "in_batch", "known",
    "progressed", "ready", "refused", "settled", "whole",
]  # fmt: skip

_COLUMNS = rows.columns(Upload)
_RETRY_AFTER_S = 60.0


class NewUpload(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an upload when it begins."""

    project_id: int
    user_id: int
    name: str
    kind: str
    length_bytes: int
    metadata: str
    batch_id: int | None
    keep_s: int


def create(tx: Transaction, new: NewUpload, *, unfinished_limit: int) -> Upload:
    """Begin an upload, with nothing of it there yet.

    Raises:
        TooManyRequests: The person has begun too many already.
    """
    sql = "SELECT count(*) FROM (SELECT 1 FROM uploads WHERE user_id = ? AND state = 'receiving' LIMIT ?)"
    for (begun,) in list(tx.execute(sql, (new.user_id, unfinished_limit))):
        if begun >= unfinished_limit:
            raise TooManyRequests(
                f"you have begun {begun} uploads and not finished them: finish or cancel some first",
                retry_after_s=_RETRY_AFTER_S,
            )
    return _insert(tx, new, state="receiving")


def admitted(tx: Transaction, new: NewUpload, image_id: int, *, duplicate: bool) -> Upload:
    """Write down a picture that came in one piece and is an image now."""
    return _insert(tx, new, state="done", image_id=image_id, duplicate=int(duplicate), offset_bytes=new.length_bytes)


def refused(tx: Transaction, new: NewUpload, problem: dict[str, Any]) -> Upload:
    """Write down a file that came in one piece and is none we take."""
    return _insert(tx, new, state="failed", problem=rows.encode(problem), offset_bytes=new.length_bytes)


def get(reading: Reading, project_id: int, upload_id: int, user_id: int) -> Upload:
    """Return an upload of this person into this project.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    sql = f"SELECT {_COLUMNS} FROM uploads WHERE id = ? AND project_id = ? AND user_id = ?"
    return rows.found(rows.first(Upload, reading.execute(sql, (upload_id, project_id, user_id))), "upload")


def known(reading: Reading, upload_id: int) -> bool:
    """Tell whether there is an upload of this id."""
    return bool(list(reading.execute("SELECT 1 FROM uploads WHERE id = ?", (upload_id,))))


def progressed(tx: Transaction, upload: Upload, offset_bytes: int, keep_s: int) -> Upload:
    """Move the durable offset; the upload and its batch are kept for another while."""
    expires_at_ms = tx.now_ms + keep_s * 1000
    tx.execute("UPDATE uploads SET expires_at_ms = ? WHERE id = ?", (expires_at_ms, upload.batch_id))
    return _changed(tx, upload, offset_bytes=offset_bytes, expires_at_ms=expires_at_ms)


def ready(tx: Transaction, upload: Upload) -> Upload:
    """Let a dataset that came whole wait for what its sender decides."""
    return _changed(tx, upload, state="ready")


def settled(tx: Transaction, upload: Upload, image_id: int, *, duplicate: bool) -> Upload:
    """Write down which image an upload became."""
    return _changed(tx, upload, state="done", image_id=image_id, duplicate=int(duplicate))


def failed(tx: Transaction, upload: Upload, problem: dict[str, Any]) -> Upload:
    """Write down why the file of an upload is none we take."""
    return _changed(tx, upload, state="failed", problem=rows.encode(problem))


def imported(tx: Transaction, upload: Upload, job_id: int) -> Upload:
    """Write down the job that imports a dataset."""
    return _changed(tx, upload, state="done", job_id=job_id)


def delete(tx: Transaction, upload: Upload) -> None:
    """Forget an upload."""
    tx.execute("DELETE FROM uploads WHERE id = ?", (upload.id,))


def expired(reading: Reading, now_ms: int, limit: int) -> list[Upload]:
    """Return uploads that have been kept long enough, oldest first."""
    sql = f"SELECT {_COLUMNS} FROM uploads WHERE expires_at_ms < ? ORDER BY expires_at_ms LIMIT ?"
    return rows.made(Upload, reading.execute(sql, (now_ms, limit)))


def whole(reading: Reading, limit: int) -> list[Upload]:
    """Return uploads whose bytes are all there and that nobody has dealt with yet."""
    sql = (
        f"SELECT {_COLUMNS} FROM uploads WHERE state = 'receiving' AND offset_bytes = length_bytes AND id > 0 "
        "ORDER BY id LIMIT ?"
    )
    return rows.made(Upload, reading.execute(sql, (limit,)))


def in_batch(reading: Reading, batch_id: int) -> list[tuple[str, str]]:
    """Return name and content hash of each picture that came with a dataset."""
    sql = (
        "SELECT u.name, lower(hex(i.sha256)) FROM uploads AS u JOIN images AS i ON i.id = u.image_id "
        "WHERE u.batch_id = ? ORDER BY u.id"
    )
    return [(name, sha256) for name, sha256 in reading.execute(sql, (batch_id,))]


def _insert(tx: Transaction, new: NewUpload, **more: Any) -> Upload:
    facts: dict[str, Any] = {
        **{name: getattr(new, name) for name in new.__struct_fields__ if name != "keep_s"},
        "offset_bytes": 0,
        "image_id": None,
        "duplicate": 0,
        "problem": None,
        "job_id": None,
        "created_at_ms": tx.now_ms,
        "expires_at_ms": tx.now_ms + new.keep_s * 1000,
        **more,
    }
    upload_id = tx.insert(
        f"INSERT INTO uploads ({', '.join(facts)}) VALUES ({', '.join('?' * len(facts))})", tuple(facts.values())
    )
    facts["problem"] = rows.decode(facts["problem"])
    return msgspec.convert({"id": upload_id, **facts}, Upload, strict=False)


def _changed(tx: Transaction, upload: Upload, **facts: Any) -> Upload:
    assignments = ", ".join(f"{name} = ?" for name in facts)
    tx.execute(f"UPDATE uploads SET {assignments} WHERE id = ?", (*facts.values(), upload.id))
    return get(tx, upload.project_id, upload.id, upload.user_id)
