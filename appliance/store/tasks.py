"""Tasks: one person's work on one image in one round."""

from typing import Any

import msgspec

from appliance.errors import Conflict, StaleRevision
from appliance.records import Image, ProjectRole, Task, TaskState
from appliance.store import annotations, history, images, insights, policies, rows
from appliance.store.history import Changes
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "approve_drawn", "change", "get", "listed", "of_image", "opened_by_edit", "refuse_edit", "release",
    "require_revision", "settle", "skip", "submit", "submit_by_machine", "take_back", "write",
]  # fmt: skip

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
        sql = f"SELECT {_COLUMNS} FROM tasks INDEXED BY tasks_holder WHERE assignee_id = ? AND project_id = ? "
        sql += "AND state = ? AND id > ? "
        parameters = [assignee_id, project_id, state, after or 0]
    found = rows.made(Task, reading.execute(sql + "ORDER BY id LIMIT ?", [*parameters, size + 1]))
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)


def submit(
    tx: Transaction, project_id: int, task_id: int, user_id: int, revision: int, active_ms: int | None = None
) -> Task:
    """Hand the image in at a revision: to review, or straight to done where the policy asks for none.

    `active_ms` is what the person's browser measured that they worked on it since they last handed it in.

    Raises:
        StaleRevision: The image has changed since.
        Conflict: It is in review or done already.
    """
    task = get(tx, project_id, task_id)
    if task.state in ("in_review", "done"):
        raise Conflict(f"the task is {task.state.replace('_', ' ')} already", field="task_id")
    image = images.get(tx, project_id, task.image_id)
    require_revision(image, revision)
    insights.submitted(tx, task, user_id, active_ms)
    handed: dict[str, Any] = {"assignee_id": user_id, "approvals": 0, "lease_until_ms": None, "reason": None}
    if task.assignee_id != user_id:
        handed["assigned"] = 0
    if policies.needed(tx, msgspec.structs.replace(task, assignee_id=user_id)):
        return change(tx, task, state="in_review", reviewer_id=None, revision=revision, **handed)
    revision = approve_drawn(tx, image, user_id, _APPROVAL.format(task.id, task.round, revision))
    insights.judged(tx, project_id, image.id)
    return change(tx, task, state="done", revision=revision, **handed)


def take_back(tx: Transaction, project_id: int, task_id: int, user_id: int, lease_ms: int) -> Task:
    """Take one's own submission back: the image is in progress again as it was handed in.

    Raises:
        Conflict: It is not theirs, a reviewer has opened it, or somebody went on working since.
    """
    task = get(tx, project_id, task_id)
    unreviewed = task.reviewer_id is None and not task.approvals and task.state in ("in_review", "done")
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
    reviewed = policies.asks(policies.of_project(tx, image.project_id))
    if reviewed and task.state == "open" and task.assignee_id is None:
        revision = images.get(tx, image.project_id, image.id).revision
        change(tx, task, state="in_review", revision=revision, approvals=0)
        return True
    return False


def skip(tx: Transaction, project_id: int, task_id: int, user_id: int, reason: str) -> Task:
    """Put a task aside with a reason."""
    task = get(tx, project_id, task_id)
    if task.state in ("in_review", "done"):
        raise Conflict(f"the task is {task.state.replace('_', ' ')}: it cannot be skipped", field="task_id")
    return change(tx, task, state="skipped", assignee_id=user_id, reason=reason, lease_until_ms=None)


def refuse_edit(reading: Reading, task: Task, user_id: int, role: ProjectRole | None, revision: int) -> None:
    """Say who may change what is on an image in the state it is in.

    Reviewers and admins may in every state; whatever they change has to be approved anew.
    Annotators may change what waits to be annotated and is nobody else's. What is in review is
    frozen for them. What is done they may reopen only where it came to be done without a
    review, and only their own.

    Raises:
        Conflict: Not this person, or not now. The work is not lost: hand it in as late.
    """
    if role in ("reviewer", "admin"):
        return
    if task.state == "in_review":
        raise Conflict("the image is in review: it can be edited when the reviewer has returned it")
    if task.state == "done":
        if task.approvals or policies.needed(reading, task):
            raise Conflict("the image is approved: a reviewer or an admin can open it again")
        if task.assignee_id != user_id:
            raise Conflict("somebody else finished this image: its author, a reviewer or an admin can open it again")
        if revision < task.revision:
            raise Conflict("this image was finished meanwhile: look at it again")
    if task.assignee_id not in (None, user_id) and (task.assigned or task.state == "returned"):
        raise Conflict("this image is somebody else's to annotate: ask an admin to give it to you")


def opened_by_edit(tx: Transaction, task: Task, user_id: int, lease_ms: int) -> None:
    """Bring the task into the state that an edit of its image means."""
    lease = tx.now_ms + lease_ms
    others = task.assignee_id not in (None, user_id)
    if task.state == "done":
        change(
            tx, task, state="in_progress", round=task.round + 1, assignee_id=user_id, assigned=0, reviewer_id=None,
            approvals=0, lease_until_ms=lease,
        )  # fmt: skip
    elif task.state == "in_review" or (task.assigned and others):
        return
    elif task.state != "in_progress":
        change(tx, task, state="in_progress", assignee_id=user_id, lease_until_ms=lease)
    elif not others:
        tx.execute("UPDATE tasks SET lease_until_ms = ? WHERE id = ?", (lease, task.id))
    elif (task.lease_until_ms or 0) < tx.now_ms:
        change(tx, task, assignee_id=user_id, lease_until_ms=lease)


def settle(tx: Transaction, task: Task) -> bool:
    """Bring an image in review or done to where the present policy has it; return whether it moved.

    What has fewer approvals than the policy asks for goes to review, what a person handed in and
    needs no more of them is done.
    """
    missing = policies.lacking(tx, task)
    image = images.get(tx, task.project_id, task.image_id)
    if task.state == "done" and missing:
        change(tx, task, state="in_review", reviewer_id=None, revision=image.revision, lease_until_ms=None)
        return True
    if task.state != "in_review" or missing or task.assignee_id is None:
        return False
    approvals = task.approvals
    diff_id = _APPROVAL.format(task.id, task.round, image.revision)
    revision = approve_drawn(tx, image, tx.user_id, diff_id)
    insights.judged(tx, task.project_id, image.id)
    change(tx, task, state="done", approvals=approvals, revision=revision, reason=None, lease_until_ms=None)
    return True


def release(tx: Transaction, user_id: int, project_id: int | None = None) -> None:
    """Give back to everybody what waits for somebody who is gone, or lies unfinished with them.

    Of one project, or of all.
    """
    everywhere = "SELECT DISTINCT project_id FROM tasks WHERE assignee_id = ?"
    projects = [row[0] for row in tx.execute(everywhere, (user_id,))] if project_id is None else [project_id]
    for one in projects:
        where = "WHERE assignee_id = ? AND project_id = ? AND state"
        tx.execute(
            f"UPDATE tasks SET assignee_id = NULL, assigned = 0 {where} IN ('open', 'returned')", (user_id, one)
        )
        freed = tx.changes()
        tx.execute(f"UPDATE tasks SET assigned = 0, lease_until_ms = 0 {where} = 'in_progress'", (user_id, one))
        if freed or tx.changes():
            tx.event("task.changed", {"assignee_id": user_id}, project_id=one)


def change(tx: Transaction, task: Task, **fields: Any) -> Task:
    """Write fields of a task and tell who watches the project."""
    write(tx, task.id, **fields)
    changed = get(tx, task.project_id, task.id)
    data = {"task_id": task.id, "image_id": task.image_id, "state": changed.state}
    tx.event("task.changed", data, project_id=task.project_id)
    return changed


def write(tx: Transaction, task_id: int, **fields: Any) -> None:
    """Write fields of a task; the caller tells who watches.

    All that changes a task comes by here, so nothing becomes done against the project's policy.

    Raises:
        Conflict: It would be done without the approvals that the policy asks for, or not as approved.
    """
    if fields.get("state") == "done":
        _refuse_unapproved(tx, task_id, fields)
    assignments = ", ".join(f"{name} = ?" for name in fields)
    tx.execute(
        f"UPDATE tasks SET {assignments}, updated_at_ms = ? WHERE id = ?", [*fields.values(), tx.now_ms, task_id]
    )


def _refuse_unapproved(tx: Transaction, task_id: int, fields: dict[str, Any]) -> None:
    sql = f"SELECT {_COLUMNS} FROM tasks WHERE id = ?"
    before = rows.found(rows.first(Task, tx.execute(sql, (task_id,))), "task")
    known = {name: fields[name] for name in ("assignee_id", "approvals", "revision") if name in fields}
    after = msgspec.structs.replace(before, **known)
    if before.state != "done" and images.get(tx, before.project_id, before.image_id).revision != after.revision:
        raise Conflict("the image is not as it was approved: it has to be reviewed anew", field="task_id")
    if policies.lacking(tx, after):
        raise Conflict("the image lacks the approvals that this project's policy asks for", field="task_id")


def require_revision(image: Image, revision: int) -> None:
    """Raise `StaleRevision` unless the image stands at this revision."""
    if image.revision != revision:
        raise StaleRevision(
            f"the image is at revision {image.revision}, not {revision}: look at it again",
            details={"revision": image.revision},
        )


def approve_drawn(tx: Transaction, image: Image, user_id: int | None, diff_id: str) -> int:
    """Approve all that is neither rejected nor an untouched prediction; return the revision."""
    present = annotations.of_image(tx, image.project_id, image.id).annotations
    put = [
        (a, annotations.with_status(a, "approved")) for a in present if a.status == "draft" and not a.is_prediction
    ]
    return annotations.apply(tx, image, Changes(put=list(put)), diff_id=diff_id, kind="submit", author_id=user_id)
