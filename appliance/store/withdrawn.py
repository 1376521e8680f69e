"""Images that an import brought, taken away when it is undone and brought back when that is undone."""

from typing import Any

import msgspec

from appliance.records import Image
from appliance.store import annotations, history, images, labels, restore, rows
from appliance.store.history import Changes
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["brought", "count", "number_brought", "return_one", "waiting", "withdraw"]

_UNTOUCHED = (
    "project_id = ? AND job_id = ? AND state = 'open' AND assignee_id IS NULL "
    "AND NOT EXISTS (SELECT 1 FROM history AS h WHERE h.image_id = images.id AND h.job_id IS NOT images.job_id) "
    "AND NOT EXISTS (SELECT 1 FROM threads WHERE threads.image_id = images.id) "
    "AND NOT EXISTS (SELECT 1 FROM late WHERE late.image_id = images.id) "
    "AND NOT EXISTS (SELECT 1 FROM reviews WHERE reviews.image_id = images.id)"
)


def brought(reading: Reading, project_id: int, job_id: int, after: int, limit: int) -> list[int]:
    """Return the next images that a job brought and nobody has touched since, by id."""
    sql = f"SELECT id FROM images WHERE {_UNTOUCHED} AND id > ? ORDER BY id LIMIT ?"
    return [image_id for (image_id,) in reading.execute(sql, (project_id, job_id, after, limit))]


def number_brought(reading: Reading, project_id: int, job_id: int) -> tuple[int, int]:
    """Return how many images a job brought that are there, and how many of them nobody has touched."""
    key = (project_id, job_id)
    ((untouched,),) = reading.execute(f"SELECT count(*) FROM images WHERE {_UNTOUCHED}", key).fetchall()
    sql = "SELECT count(*) FROM images WHERE project_id = ? AND job_id = ?"
    ((there,),) = reading.execute(sql, key).fetchall()
    return int(there), int(untouched)


def count(reading: Reading, job_id: int) -> int:
    """Return how many images the undoing `job_id` has taken away."""
    ((found,),) = reading.execute("SELECT count(*) FROM withdrawn WHERE job_id = ?", (job_id,)).fetchall()
    return int(found)


def waiting(reading: Reading, job_id: int, after: int, limit: int) -> list[int]:
    """Return the next images that the undoing `job_id` has taken away, by id."""
    sql = "SELECT image_id FROM withdrawn WHERE job_id = ? AND image_id > ? ORDER BY image_id LIMIT ?"
    return [image_id for (image_id,) in reading.execute(sql, (job_id, after, limit))]


def withdraw(tx: Transaction, project_id: int, image_id: int, undo_id: int) -> int:
    """Take an image away with its annotations and keep what brings it back; return how many annotations went."""
    image = images.get(tx, project_id, image_id)
    standing = annotations.of_image(tx, project_id, image_id).annotations
    tx.execute(
        "INSERT INTO withdrawn (job_id, image_id, project_id, sha256, image, changes) VALUES (?, ?, ?, ?, ?, ?)",
        (
            undo_id, image_id, project_id, bytes.fromhex(image.sha256), rows.encode(image),
            history.encoded(Changes(removed=standing)),
        ),
    )  # fmt: skip
    tx.execute("DELETE FROM images WHERE id = ?", (image_id,))
    tx.event("image.deleted", {"image_ids": [image_id]}, project_id=project_id)
    return len(standing)


def return_one(tx: Transaction, project_id: int, image_id: int, job_id: int, undo_id: int) -> int | None:
    """Bring an image back as it was withdrawn; None when the project has its content again.

    Returns:
        How many annotations came with it; those whose label is deleted stay away.
    """
    sql = "SELECT image, changes FROM withdrawn WHERE job_id = ? AND image_id = ?"
    kept: list[Any] = tx.execute(sql, (job_id, image_id)).fetchall()
    image = msgspec.json.decode(kept[0][0], type=Image)
    if images.by_content(tx, project_id, image.sha256) is not None:
        return None
    fresh = images.bring_back(tx, image, undo_id)
    known = labels.ids(tx, project_id)
    standing = [restore.fitting(tx, a) for a in history.decoded(kept[0][1]).removed if a.label_id in known]
    changes = Changes(put=[(None, a) for a in standing])
    diff_id = f"undo:{undo_id}"
    annotations.apply(tx, fresh, changes, diff_id=diff_id, kind="undo", author_id=tx.user_id, job_id=undo_id)
    tx.execute("DELETE FROM withdrawn WHERE job_id = ? AND image_id = ?", (job_id, image_id))
    tx.event("image.added", {"image_ids": [image_id]}, project_id=project_id)
    return len(standing)
