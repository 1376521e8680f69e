"""Queues: what somebody is to annotate or to review next, and taking it into their hands.

Whatever is next stands first in an index, so a request costs the same with a million images.
Urgent work goes first in every order, then what is due first; the project's order decides
between equals.
"""

from typing import Any

from appliance.errors import Conflict
from appliance.records import QueueOrder, Task
from appliance.store import reviews, rows, tasks
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "next_to_annotate",
    "next_to_review",
    "refuse_others",
    "take",
    "take_to_review",
    "to_annotate",
    "to_review",
]

_COLUMNS = rows.columns(Task)
_URGENT = "ORDER BY priority DESC, due_ms"
_OWN = (
    "SELECT {} FROM tasks INDEXED BY tasks_person WHERE assignee_id = ? AND project_id = ? AND state = ? "
    f"{_URGENT}, id LIMIT ?"
)
_RETURNED = (
    "SELECT {} FROM tasks INDEXED BY tasks_returned WHERE project_id = ? AND state = 'returned' "
    f"AND assignee_id IS NULL {_URGENT}, id LIMIT ?"
)
_ABANDONED = (
    "SELECT {} FROM tasks INDEXED BY tasks_abandoned WHERE project_id = ? AND state = 'in_progress' "
    "AND assigned = 0 AND lease_until_ms < ? ORDER BY lease_until_ms LIMIT ?"
)
_OPEN = (
    "SELECT {{}} FROM tasks INDEXED BY tasks_{} WHERE project_id = ? AND state = 'open' "
    f"AND assignee_id IS NULL {_URGENT}, {{}}id LIMIT ?"
)
_REVIEW = (
    "SELECT {} FROM tasks INDEXED BY tasks_review WHERE project_id = ? AND state = 'in_review' AND "
    "(reviewer_id IS NULL OR reviewer_id = ? OR lease_until_ms IS NULL OR lease_until_ms < ?) "
    f"{_URGENT}, id"
)
_KEYS: dict[QueueOrder, str] = {
    "manual": "place, ",
    "oldest": "",
    "random": "shuffle, ",
    "uncertain": "uncertainty DESC, ",
}


def next_to_annotate(tx: Transaction, project_id: int, user_id: int, lease_ms: int) -> Task | None:
    """Lease the next task to an annotator, or return None when there is none.

    First what was returned to them, then what they have begun, then what was assigned to them,
    then what was returned to nobody (a model's work, say), then what somebody abandoned (a lease
    that ran out), then open work in the project's order.
    """
    for sql, parameters in _stretches(tx, project_id, user_id, tx.now_ms):
        for (task_id,) in tx.execute(sql.format("id"), (*parameters, 1)).fetchall():
            return take(tx, project_id, task_id, user_id, lease_ms)
    return None


def next_to_review(tx: Transaction, project_id: int, user_id: int, lease_ms: int) -> Task | None:
    """Lease the next task in review that this reviewer may approve and no other has open, or return None."""
    for task in to_review(tx, project_id, user_id, now_ms=tx.now_ms, limit=1):
        return tasks.change(tx, task, reviewer_id=user_id, lease_until_ms=tx.now_ms + lease_ms)
    return None


def to_annotate(reading: Reading, project_id: int, user_id: int, *, now_ms: int, limit: int) -> list[Task]:
    """Return what an annotator would be given next, in that order; nothing is leased."""
    found: list[Task] = []
    for sql, parameters in _stretches(reading, project_id, user_id, now_ms):
        if len(found) < limit:
            asked = (*parameters, limit - len(found))
            found += rows.made(Task, reading.execute(sql.format(_COLUMNS), asked))
    return list({task.id: task for task in found}.values())


def to_review(reading: Reading, project_id: int, user_id: int, *, now_ms: int, limit: int) -> list[Task]:
    """Return what a reviewer would be given next, in that order: what they may approve; nothing is leased."""
    found: list[Task] = []
    waiting = reading.execute(_REVIEW.format("id"), (project_id, user_id, now_ms))
    try:
        for (task_id,) in waiting:
            task = tasks.get(reading, project_id, task_id)
            if reviews.may_approve(reading, task, user_id):
                found.append(task)
            if len(found) == limit:
                break
    finally:
        waiting.close()
    return found


def _stretches(reading: Reading, project_id: int, user_id: int, now_ms: int) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the parts of an annotator's queue, each with its parameters but for the limit."""
    order = _order(reading, project_id)
    mine = (user_id, project_id)
    return [
        (_OWN, (*mine, "returned")),
        (_OWN, (*mine, "in_progress")),
        (_OWN, (*mine, "open")),
        (_RETURNED, (project_id,)),
        (_ABANDONED, (project_id, now_ms)),
        (_OPEN.format(order, _KEYS[order]), (project_id,)),
    ]


def take(tx: Transaction, project_id: int, task_id: int, user_id: int, lease_ms: int) -> Task:
    """Put a task into the user's hands.

    Raises:
        Conflict: Somebody else has it open or was given it, or it is not to be annotated.
    """
    task = tasks.get(tx, project_id, task_id)
    if task.state not in ("open", "in_progress", "returned", "skipped"):
        raise Conflict(f"the task is {task.state.replace('_', ' ')}: it cannot be taken", field="task_id")
    refuse_others(task, user_id, tx.now_ms)
    assigned = task.assigned and task.assignee_id == user_id
    lease = tx.now_ms + lease_ms
    return tasks.change(
        tx, task, state="in_progress", assignee_id=user_id, assigned=int(assigned), lease_until_ms=lease
    )


def take_to_review(tx: Transaction, project_id: int, task_id: int, user_id: int, lease_ms: int) -> Task:
    """Open a task for review by hand.

    Raises:
        Conflict: Another reviewer has it open, or it is not in review.
    """
    task = tasks.get(tx, project_id, task_id)
    if task.state != "in_review":
        raise Conflict(f"the task is {task.state.replace('_', ' ')}, not in review", field="task_id")
    if task.reviewer_id not in (None, user_id) and (task.lease_until_ms or 0) >= tx.now_ms:
        raise Conflict("another reviewer has this image open", field="task_id")
    return tasks.change(tx, task, reviewer_id=user_id, lease_until_ms=tx.now_ms + lease_ms)


def refuse_others(task: Task, user_id: int, now_ms: int) -> None:
    """Keep people out of what is somebody else's.

    Raises:
        Conflict: It was assigned or returned to somebody else, or their lease runs.
    """
    if task.assignee_id in (None, user_id):
        return
    if task.state == "in_progress" and (task.lease_until_ms or 0) >= now_ms:
        raise Conflict("somebody else is working on this image", field="task_id")
    if task.assigned and task.state != "in_review":
        raise Conflict("this image is assigned to somebody else", field="task_id")
    if task.state == "returned":
        raise Conflict("this image was returned to somebody else", field="task_id")


def _order(reading: Reading, project_id: int) -> QueueOrder:
    found: list[Any] = list(reading.execute("SELECT queue_order FROM projects WHERE id = ?", (project_id,)))
    return found[0][0] if found else "oldest"
