"""What jobs did to tasks, and taking it back where nobody went on since."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from appliance.errors import Conflict
from appliance.store import members, rows, tasks
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["Facts", "count", "facts", "keep", "listed", "take_back"]

_FIELDS = (
    "state", "round", "assignee_id", "assigned", "reviewer_id", "approvals", "priority", "due_at_ms", "reason",
    "revision", "place",
)  # fmt: skip

Facts = dict[str, Any]
"""A task's fields that a job may change, by name."""


def facts(reading: Reading, image_ids: Iterable[int]) -> dict[int, Facts]:
    """Return the tasks of those images that are there, by image."""
    sql = f"SELECT {', '.join(_FIELDS)} FROM tasks WHERE image_id = ?"
    return {
        image_id: dict(zip(_FIELDS, row, strict=True))
        for image_id in image_ids
        for row in list(reading.execute(sql, (image_id,)))
    }


def keep(tx: Transaction, job_id: int, before: dict[int, Facts]) -> None:
    """Put on record how tasks were before a job changed them; call it after the change, in its transaction."""
    for image_id, new in facts(tx, before).items():
        if new != before[image_id]:
            tx.execute(
                "INSERT INTO task_changes (job_id, image_id, before, after) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET after = excluded.after",
                (job_id, image_id, rows.encode(before[image_id]), rows.encode(new)),
            )


def count(reading: Reading, job_id: int) -> int:
    """Return how many tasks a job changed that are still there."""
    ((found,),) = reading.execute("SELECT count(*) FROM task_changes WHERE job_id = ?", (job_id,)).fetchall()
    return int(found)


def listed(reading: Reading, job_id: int, after: int, limit: int) -> list[int]:
    """Return the next images whose tasks a job changed, by id."""
    sql = "SELECT image_id FROM task_changes WHERE job_id = ? AND image_id > ? ORDER BY image_id LIMIT ?"
    return [image_id for (image_id,) in reading.execute(sql, (job_id, after, limit))]


def take_back(tx: Transaction, job_id: int, image_id: int, undo_id: int) -> bool:
    """Make a task what it was before a job; False where it is no longer as the job left it.

    An image that changed meanwhile, or that the project's policy has reviewed by now, does not
    become done by it.
    """
    sql = "SELECT before, after FROM task_changes WHERE job_id = ? AND image_id = ?"
    kept: list[Any] = tx.execute(sql, (job_id, image_id)).fetchall()
    task, standing = tasks.of_image(tx, image_id), facts(tx, [image_id])
    before, after = rows.decode(kept[0][0]), rows.decode(kept[0][1])
    if standing[image_id] != after or not _member(tx, task.project_id, before["assignee_id"]):
        return False
    try:
        tasks.change(tx, task, lease_until_ms=None, **before)
    except Conflict:
        return False
    keep(tx, undo_id, standing)
    return True


def _member(reading: Reading, project_id: int, user_id: int | None) -> bool:
    return user_id is None or members.role_of(reading, project_id, user_id) is not None
