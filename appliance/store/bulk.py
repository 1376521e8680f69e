"""One change to many images, a few at a time; the audit log gets one line for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appliance.errors import InvalidInput
from appliance.records import Record, Task, TaskState
from appliance.store import filters, images, members, rows, task_changes, tasks
from appliance.store.filters import ImageFilter
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["Before", "Change", "Changed", "Selection", "check", "number", "step", "told"]

_IMAGES_AT_ONCE = 8
"""About as many as fit into the writer's slice of 5 ms."""

Action = Literal["delete", "reopen", "assign"]
_REOPENED: tuple[TaskState, ...] = ("in_review", "done", "skipped")
_ASSIGNED: tuple[TaskState, ...] = ("open", "in_progress", "returned", "skipped")


class Selection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Either the images of these ids, or all that match."""

    ids: Annotated[list[int], Meta(min_length=1, max_length=100_000)] | None = None
    filter: ImageFilter | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happens to the images; `assignee_id` None takes them from whoever has them."""

    action: Action
    selection: Selection
    assignee_id: int | None = None


class Before(Record, frozen=True):
    """Whose these images were."""

    assignee_id: int | None
    ids: list[int]


class Changed(msgspec.Struct):
    """How far a change came: `after` is the last image it looked at."""

    after: int = 0
    images: int = 0
    changed: int = 0
    before: list[Before] = msgspec.field(default_factory=list)


def check(reading: Reading, project_id: int, change: Change) -> None:
    """Refuse what no image could take.

    Raises:
        InvalidInput: Neither ids nor a filter, or both; an assignee who is no member.
    """
    if (change.selection.ids is None) == (change.selection.filter is None):
        raise InvalidInput("name either the ids of the images or a filter", field="ids")
    assignee_id = change.assignee_id
    if assignee_id is not None and members.role_of(reading, project_id, assignee_id) is None:
        raise InvalidInput(f"user {assignee_id} is no member of this project: add them first", field="assignee_id")


def number(reading: Reading, project_id: int, selection: Selection) -> int:
    """Return how many images are meant."""
    if selection.ids is not None:
        return len(set(selection.ids))
    return filters.count(reading, project_id, selection.filter or filters.EVERYTHING)


def step(tx: Transaction, project_id: int, change: Change, so_far: Changed, job_id: int | None = None) -> Changed:
    """Change the next few images, in the order of their ids; the same object when none is left.

    A job leaves on record how the tasks were, so that it can be taken back.
    """
    found = _next(tx, project_id, change.selection, so_far.after)
    if not found:
        return so_far
    before: dict[int | None, list[int]] = {}
    tasks_before = _tasks(tx, project_id, found) if job_id is not None else []
    changed = _ACTIONS[change.action](tx, project_id, change, found, before)
    if job_id is not None:
        task_changes.keep(tx, job_id, tasks_before)
    return Changed(
        after=found[-1],
        images=so_far.images + len(found),
        changed=so_far.changed + changed,
        before=[*so_far.before, *(Before(assignee_id=key, ids=ids) for key, ids in before.items())],
    )


def told(tx: Transaction, project_id: int, change: Change, many: int) -> None:
    """Write what is being done to how many images into the audit log."""
    facts = {"images": many, "filter": msgspec.to_builtins(change.selection.filter)}
    subject = f"project {project_id}"
    if change.action == "delete":
        tx.audit("image.delete", subject, project_id=project_id, **facts)
    elif change.action == "reopen":
        tx.audit("image.reopen", subject, project_id=project_id, **facts)
    else:
        tx.audit("image.assign", subject, project_id=project_id, assignee_id=change.assignee_id, **facts)


def _next(reading: Reading, project_id: int, selection: Selection, after: int) -> list[int]:
    if selection.ids is not None:
        rest = sorted({image_id for image_id in selection.ids if image_id > after})
        return rest[:_IMAGES_AT_ONCE]
    return filters.ids(
        reading, project_id, selection.filter or filters.EVERYTHING, after=after, limit=_IMAGES_AT_ONCE
    )


def _delete(
    tx: Transaction, project_id: int, _change: Change, image_ids: Sequence[int], _before: dict[int | None, list[int]]
) -> int:
    present = [image.id for image in images.of_ids(tx, project_id, image_ids)]
    tx.executemany("DELETE FROM images WHERE id = ?", [(image_id,) for image_id in present])
    if present:
        tx.event("image.deleted", {"image_ids": present}, project_id=project_id)
    return len(present)


def _reopen(
    tx: Transaction, project_id: int, _change: Change, image_ids: Sequence[int], _before: dict[int | None, list[int]]
) -> int:
    closed = [task for task in _tasks(tx, project_id, image_ids) if task.state in _REOPENED]
    for task in closed:
        _write(tx, task, state="open", round=task.round + (task.state == "done"), reviewer_id=None, reason=None)
    return _tell(tx, project_id, closed)


def _assign(
    tx: Transaction, project_id: int, change: Change, image_ids: Sequence[int], before: dict[int | None, list[int]]
) -> int:
    moved = [
        task
        for task in _tasks(tx, project_id, image_ids)
        if task.state in _ASSIGNED and task.assignee_id != change.assignee_id
    ]
    for task in moved:
        state = "open" if task.state == "in_progress" else task.state
        _write(tx, task, state=state, assignee_id=change.assignee_id)
        before.setdefault(task.assignee_id, []).append(task.image_id)
    return _tell(tx, project_id, moved)


def _tasks(reading: Reading, project_id: int, image_ids: Sequence[int]) -> list[Task]:
    marks = ", ".join("?" * len(image_ids))
    sql = f"SELECT {rows.columns(Task)} FROM tasks WHERE image_id IN ({marks}) AND project_id = ?"
    return rows.made(Task, reading.execute(sql, (*image_ids, project_id)))


def _write(tx: Transaction, task: Task, **fields: Any) -> None:
    tasks.write(tx, task.id, lease_until_ms=None, **fields)


def _tell(tx: Transaction, project_id: int, changed: Sequence[Task]) -> int:
    if changed:
        tx.event("task.changed", {"image_ids": [task.image_id for task in changed]}, project_id=project_id)
    return len(changed)


_Action = Callable[[Transaction, int, Change, Sequence[int], dict[int | None, list[int]]], int]
_ACTIONS: dict[str, _Action] = {"delete": _delete, "reopen": _reopen, "assign": _assign}
