"""Tasks: one person's work on one image in one round."""

from typing import Any

from appliance.errors import Conflict, StaleRevision
from appliance.records import Image, Task, TaskState
from appliance.store import annotations, history, images, insights, projects, rows
from appliance.store.history import Changes
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "EDITABLE", "change", "get", "listed", "next_to_annotate", "next_to_review", "of_image", "opened_by_edit", "skip",
    "submit", "submit_by_machine", "take", "write",
]  # fmt: skip

EDITABLE: tuple[TaskState, ...] = ("open", "in_progress", "returned", "skipped", "done")
"""States in which an annotator's diff is taken; a done image is reopened by it."""

_COLUMNS = rows.columns(Task)
_APPROVAL = "submit:{}:{}:{}"


def get(reading: Reading, project_id: int, task_id: int) -> Task:
    """Return one task of the project.

    Raises:
        NotFound: There is none.
    """
    sql = f"SELECT {_COLUMNS} FROM tasks WHERE id = ? AND project_id = ?"
    return rows.found(rows.first(Task, reading.execute(sql, (task_id, project_id))), "task")


def of_image(reading: Reading, image_id: int) -> Task:
    """Return the image's task."""
    sql = f"SELECT {_COLUMNS} FROM tasks WHERE image_id = ?"
    return rows.found(rows.first(Task, reading.execute(sql, (image_id,))), "task")


def listed(
    reading: Reading,
    project_id: int,
    *,
    state: TaskState,
    assignee_id: int | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> rows.Page:
    """Return the tasks in one state by id, of everybody or of one person."""
    size = rows.page_size(limit)
    if assignee_id is None:
        sql = f"SELECT {_COLUMNS} FROM tasks INDEXED BY tasks_state WHERE project_id = ? AND state = ? AND id > ? "
        parameters: list[Any] = [project_id, state, after or 0]
    else:
        sql = f"SELECT {_COLUMNS} FROM tasks WHERE assignee_id = ? AND state = ? AND id > ? AND project_id = ? "
        parameters = [assignee_id, state, after or 0, project_id]
    found = rows.made(Task, reading.execute(sql + "ORDER BY id LIMIT ?", [*parameters, size + 1]))
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)


def next_to_annotate(tx: Transaction, project_id: int, user_id: int, lease_ms: int) -> Task | None:
    """Lease the next task to an annotator, or return None when there is none.

    First what was returned to them, then what they have begun, then what was returned to nobody
    (a model's work, say), then open work that is theirs or nobody's by priority and age, then
    what somebody abandoned: a lease that ran out.
    """
    own = "SELECT id FROM tasks WHERE assignee_id = ? AND state = ? AND project_id = ? ORDER BY id LIMIT 1"
    waiting = "SELECT id FROM tasks WHERE project_id = ? AND state = ? AND {} ORDER BY priority DESC, id LIMIT 1"
    unclaimed = waiting.format("(assignee_id IS NULL OR assignee_id = ?)")
    abandoned = waiting.format("lease_until_ms < ?")
    for sql, parameters in (
        (own, (user_id, "returned", project_id)),
        (own, (user_id, "in_progress", project_id)),
        (unclaimed, (project_id, "returned", user_id)),
        (unclaimed, (project_id, "open", user_id)),
        (abandoned, (project_id, "in_progress", tx.now_ms)),
    ):
        for (task_id,) in tx.execute(sql, parameters).fetchall():
            return take(tx, project_id, task_id, user_id, lease_ms)
    return None


def next_to_review(tx: Transaction, project_id: int, user_id: int, lease_ms: int) -> Task | None:
    """Lease the next task in review that no other reviewer has open, or return None."""
    sql = (
        "SELECT id FROM tasks WHERE project_id = ? AND state = 'in_review' AND (reviewer_id IS NULL OR "
        "reviewer_id = ? OR lease_until_ms IS NULL OR lease_until_ms < ?) ORDER BY priority DESC, id LIMIT 1"
    )
    for (task_id,) in tx.execute(sql, (project_id, user_id, tx.now_ms)).fetchall():
        return change(tx, get(tx, project_id, task_id), reviewer_id=user_id, lease_until_ms=tx.now_ms + lease_ms)
    return None


def take(tx: Transaction, project_id: int, task_id: int, user_id: int, lease_ms: int) -> Task:
    """Put a task into the user's hands.

    Raises:
        Conflict: Somebody else has it open, or it is not to be annotated.
    """
    task = get(tx, project_id, task_id)
    if task.state not in ("open", "in_progress", "returned", "skipped"):
        raise Conflict(f"the task is {task.state.replace('_', ' ')}: it cannot be taken", field="task_id")
    held = task.assignee_id not in (None, user_id) and (task.lease_until_ms or 0) >= tx.now_ms
    if task.state == "in_progress" and held:
        raise Conflict("somebody else is working on this image", field="task_id")
    return change(tx, task, state="in_progress", assignee_id=user_id, lease_until_ms=tx.now_ms + lease_ms)


def take_to_review(tx: Transaction, project_id: int, task_id: int, user_id: int, lease_ms: int) -> Task:
    """Open a task for review by hand.

    Raises:
        Conflict: Another reviewer has it open, or it is not in review.
    """
    task = get(tx, project_id, task_id)
    if task.state != "in_review":
        raise Conflict(f"the task is {task.state.replace('_', ' ')}, not in review", field="task_id")
    if task.reviewer_id not in (None, user_id) and (task.lease_until_ms or 0) >= tx.now_ms:
        raise Conflict("another reviewer has this image open", field="task_id")
    return change(tx, task, reviewer_id=user_id, lease_until_ms=tx.now_ms + lease_ms)


def submit(tx: Transaction, project_id: int, task_id: int, user_id: int, revision: int) -> Task:
    """Hand the image in at a revision: to review, or straight to done where nobody reviews.

    Raises:
        StaleRevision: The image has changed since.
        Conflict: It is in review or done already.
    """
    task = get(tx, project_id, task_id)
    if task.state in ("in_review", "done"):
        raise Conflict(f"the task is {task.state.replace('_', ' ')} already", field="task_id")
    image = images.get(tx, project_id, task.image_id)
    require_revision(image, revision)
    insights.submitted(tx, task, user_id)
    if projects.get(tx, project_id).review_policy == "none":
        revision = approve_drawn(tx, image, user_id, _APPROVAL.format(task.id, task.round, revision))
        insights.judged(tx, project_id, image.id)
        return change(
            tx, task, state="done", assignee_id=user_id, revision=revision, lease_until_ms=None, reason=None
        )
    return change(
        tx, task, state="in_review", assignee_id=user_id, reviewer_id=None, revision=revision,
        lease_until_ms=None, reason=None,
    )  # fmt: skip


def take_back(tx: Transaction, project_id: int, task_id: int, user_id: int, lease_ms: int) -> Task:
    """Take one's own submission back: the image is in progress again as it was handed in.

    Raises:
        Conflict: It is not theirs, a reviewer has opened it, or somebody went on working since.
    """
    task = get(tx, project_id, task_id)
    unreviewed = task.reviewer_id is None and task.state in ("in_review", "done")
    if not unreviewed or task.assignee_id != user_id:
        raise Conflict("there is no submission of yours to take back: a reviewer may have opened it", field="task_id")
    image = images.get(tx, project_id, task.image_id)
    if image.revision != task.revision:
        raise Conflict("somebody changed the image since you submitted it", field="task_id")
    approval = _APPROVAL.format(task.id, task.round, image.revision - 1)
    if task.state == "done" and history.revision_of(tx, image.id, approval) == image.revision:
        back = history.inverse(history.changes_at(tx, image.id, image.revision))
        annotations.apply(tx, image, back, diff_id=f"take-back:{approval}", kind="take-back", author_id=user_id)
    insights.taken_back(tx, task, user_id)
    return change(tx, task, state="in_progress", lease_until_ms=tx.now_ms + lease_ms)


def submit_by_machine(tx: Transaction, image: Image) -> bool:
    """Send an image that nobody has begun to review, predictions and all; tell whether it went."""
    task = of_image(tx, image.id)
    reviewed = projects.get(tx, image.project_id).review_policy != "none"
    if reviewed and task.state == "open" and task.assignee_id is None:
        revision = images.get(tx, image.project_id, image.id).revision
        change(tx, task, state="in_review", revision=revision)
        return True
    return False


def skip(tx: Transaction, project_id: int, task_id: int, user_id: int, reason: str) -> Task:
    """Put a task aside with a reason."""
    task = get(tx, project_id, task_id)
    if task.state in ("in_review", "done"):
        raise Conflict(f"the task is {task.state.replace('_', ' ')}: it cannot be skipped", field="task_id")
    return change(tx, task, state="skipped", assignee_id=user_id, reason=reason, lease_until_ms=None)


def opened_by_edit(tx: Transaction, task: Task, user_id: int, lease_ms: int) -> None:
    """Bring the task into the state that an annotator's edit of its image means."""
    lease = tx.now_ms + lease_ms
    if task.state == "done":
        change(tx, task, state="in_progress", round=task.round + 1, assignee_id=user_id, lease_until_ms=lease)
    elif task.state != "in_progress":
        change(tx, task, state="in_progress", assignee_id=user_id, lease_until_ms=lease)
    elif task.assignee_id == user_id:
        tx.execute("UPDATE tasks SET lease_until_ms = ? WHERE id = ?", (lease, task.id))
    elif (task.lease_until_ms or 0) < tx.now_ms:
        change(tx, task, assignee_id=user_id, lease_until_ms=lease)


def change(tx: Transaction, task: Task, **fields: Any) -> Task:
    """Write fields of a task and tell who watches the project."""
    write(tx, task.id, **fields)
    changed = get(tx, task.project_id, task.id)
    data = {"task_id": task.id, "image_id": task.image_id, "state": changed.state}
    tx.event("task.changed", data, project_id=task.project_id)
    return changed


def write(tx: Transaction, task_id: int, **fields: Any) -> None:
    """Write fields of a task; the caller tells who watches."""
    assignments = ", ".join(f"{name} = ?" for name in fields)
    tx.execute(
        f"UPDATE tasks SET {assignments}, updated_at_ms = ? WHERE id = ?", [*fields.values(), tx.now_ms, task_id]
    )


def require_revision(image: Image, revision: int) -> None:
    """Raise `StaleRevision` unless the image stands at this revision."""
    if image.revision != revision:
        raise StaleRevision(
            f"the image is at revision {image.revision}, not {revision}: look at it again",
            details={"revision": image.revision},
        )


def approve_drawn(tx: Transaction, image: Image, user_id: int, diff_id: str) -> int:
    """Approve all that is neither rejected nor an untouched prediction; return the revision."""
    present = annotations.of_image(tx, image.project_id, image.id).annotations
    put = [
        (a, annotations.with_status(a, "approved")) for a in present if a.status == "draft" and not a.is_prediction
    ]
    return annotations.apply(tx, image, Changes(put=list(put)), diff_id=diff_id, kind="submit", author_id=user_id)
