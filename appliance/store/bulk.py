"""One change to many images, a few at a time; the audit log gets one line for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appliance.errors import InvalidInput
from appliance.records import Task, TaskState
from appliance.store import filters, images, members, rows, task_changes, tasks
from appliance.store.filters import ImageFilter
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["Change", "Changed", "Selection", "check", "number", "prepared", "step", "told"]

_IMAGES_AT_ONCE = 8
"""About as many as fit into the writer's slice of 5 ms."""

Action = Literal["delete", "reopen", "assign", "share", "prioritise", "due", "move", "settle"]
_REOPENED: tuple[TaskState, ...] = ("in_review", "done", "skipped")
_ASSIGNED: tuple[TaskState, ...] = ("open", "in_progress", "returned", "skipped")


class Selection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Either the images of these ids, or all that match."""

    ids: Annotated[list[int], Meta(min_length=1, max_length=100_000)] | None = None
    filter: ImageFilter | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happens to the images; `assignee_id` None takes them from whoever has them.

    ``share`` deals them out to the `people` in turn; ``due`` with None takes the date away;
    ``move`` puts them `to` the front or the end of the order made by hand, as they stand;
    ``settle`` brings what is in review or done to where the present review policy has it.
    """

    action: Action
    selection: Selection
    assignee_id: int | None = None
    people: list[int] = msgspec.field(default_factory=list)
    priority: int = 0
    due_at_ms: int | None = None
    to: Literal["front", "end"] = "end"
    place: int = 0


class Changed(msgspec.Struct):
    """How far a change came: `after` is the last image it looked at."""

    after: int = 0
    images: int = 0
    changed: int = 0


def check(reading: Reading, project_id: int, change: Change) -> None:
    """Refuse what no image could take.

    Raises:
        InvalidInput: Neither ids nor a filter, or both; an assignee who does not work in the project.
    """
    if (change.selection.ids is None) == (change.selection.filter is None):
        raise InvalidInput("name either the ids of the images or a filter", field="ids")
    given = [change.assignee_id] if change.assignee_id is not None else []
    for field, people in (("assignee_id", given), ("people", change.people)):
        for user_id in people:
            if not members.works_in(reading, project_id, user_id):
                raise InvalidInput(f"user {user_id} is no member of this project: add them first", field=field)
    if change.action == "share" and not change.people:
        raise InvalidInput("name the people to deal the images out to", field="people")


def prepared(reading: Reading, project_id: int, change: Change) -> Change:
    """Return the change with what has to be the same for all of its images."""
    if change.action != "move":
        return change
    end = "ORDER BY place LIMIT 1" if change.to == "front" else "ORDER BY place DESC LIMIT 1"
    sql = f"SELECT place FROM tasks INDEXED BY tasks_place WHERE project_id = ? AND place <> 0 {end}"
    place = next((row[0] for row in list(reading.execute(sql, (project_id,)))), 0)
    moved = min(place, 0) - 1 if change.to == "front" else max(place, 0) + 1
    return msgspec.structs.replace(change, place=moved)


def number(reading: Reading, project_id: int, selection: Selection) -> int:
    """Return how many images are meant."""
    if selection.ids is not None:
        return len(set(selection.ids))
    return filters.count(reading, project_id, selection.filter or filters.EVERYTHING)


def step(tx: Transaction, project_id: int, change: Change, so_far: Changed, job_id: int | None = None) -> Changed:
    """Change the next few images, in the order of their ids; the same object when none is left.

    On record, as the job that does it or stands for it, is how the tasks were, so that it can be taken back.
    """
    found = _next(tx, project_id, change.selection, so_far.after)
    if not found:
        return so_far
    before = task_changes.facts(tx, found) if job_id is not None else {}
    changed = _ACTIONS[change.action](tx, project_id, change, found, so_far.images)
    if job_id is not None:
        task_changes.keep(tx, job_id, before)
    return Changed(
        after=found[-1],
        images=so_far.images + len(found),
        changed=so_far.changed + changed,
    )


def told(tx: Transaction, project_id: int, change: Change, many: int) -> None:
    """Write what is being done to how many images into the audit log."""
    facts = {"images": many, "filter": msgspec.to_builtins(change.selection.filter)}
    subject = f"project {project_id}"
    action, details = _TOLD[change.action]
    tx.audit(action, subject, project_id=project_id, **facts, **{name: getattr(change, name) for name in details})


def _next(reading: Reading, project_id: int, selection: Selection, after: int) -> list[int]:
    if selection.ids is not None:
        rest = sorted({image_id for image_id in selection.ids if image_id > after})
        return rest[:_IMAGES_AT_ONCE]
    return filters.ids(
        reading, project_id, selection.filter or filters.EVERYTHING, after=after, limit=_IMAGES_AT_ONCE
    )


def _delete(tx: Transaction, project_id: int, _change: Change, image_ids: Sequence[int], _from: int) -> int:
    present = [image.id for image in images.of_ids(tx, project_id, image_ids)]
    tx.executemany("DELETE FROM images WHERE id = ?", [(image_id,) for image_id in present])
    if present:
        tx.event("image.deleted", {"image_ids": present}, project_id=project_id)
    return len(present)


def _reopen(tx: Transaction, project_id: int, _change: Change, image_ids: Sequence[int], _from: int) -> int:
    closed = [task for task in _tasks(tx, project_id, image_ids) if task.state in _REOPENED]
    for task in closed:
        held = task.assignee_id if task.assigned else None
        rounds = task.round + (task.state == "done")
        _write(tx, task, state="open", round=rounds, assignee_id=held, reviewer_id=None, reason=None, approvals=0)
    return _tell(tx, project_id, closed)


def _assign(tx: Transaction, project_id: int, change: Change, image_ids: Sequence[int], _from: int) -> int:
    found = [task for task in _tasks(tx, project_id, image_ids) if task.state in _ASSIGNED]
    return _give(tx, project_id, [(task, change.assignee_id) for task in found])


def _share(tx: Transaction, project_id: int, change: Change, image_ids: Sequence[int], begin: int) -> int:
    turn = {image_id: begin + number for number, image_id in enumerate(image_ids)}
    found = [task for task in _tasks(tx, project_id, image_ids) if task.state in _ASSIGNED]
    people = change.people
    return _give(tx, project_id, [(task, people[turn[task.image_id] % len(people)]) for task in found])


def _give(tx: Transaction, project_id: int, given: Sequence[tuple[Task, int | None]]) -> int:
    """Give tasks to people; what somebody else has begun is open again, what is theirs already stays begun."""
    moved = []
    for task, user_id in given:
        if (task.assignee_id, task.assigned) == (user_id, user_id is not None):
            continue
        if task.assignee_id == user_id:
            tasks.write(tx, task.id, assigned=int(user_id is not None))
        else:
            state = "open" if task.state == "in_progress" else task.state
            _write(tx, task, state=state, assignee_id=user_id, assigned=int(user_id is not None))
        moved.append(task)
    return _tell(tx, project_id, moved)


def _set(tx: Transaction, project_id: int, image_ids: Sequence[int], **fields: int | None) -> int:
    """Write fields of tasks that do not have these values yet, whatever their state."""
    moved = []
    for task in _tasks(tx, project_id, image_ids):
        if any(getattr(task, name, None) != value for name, value in fields.items()):
            tasks.write(tx, task.id, **fields)
            moved.append(task)
    return _tell(tx, project_id, moved)


def _prioritise(tx: Transaction, project_id: int, change: Change, image_ids: Sequence[int], _from: int) -> int:
    return _set(tx, project_id, image_ids, priority=change.priority)


def _due(tx: Transaction, project_id: int, change: Change, image_ids: Sequence[int], _from: int) -> int:
    return _set(tx, project_id, image_ids, due_at_ms=change.due_at_ms)


def _move(tx: Transaction, project_id: int, change: Change, image_ids: Sequence[int], _from: int) -> int:
    return _set(tx, project_id, image_ids, place=change.place)


def _settle(tx: Transaction, project_id: int, _change: Change, image_ids: Sequence[int], _from: int) -> int:
    return sum(tasks.settle(tx, task) for task in _tasks(tx, project_id, image_ids))


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


_Action = Callable[[Transaction, int, Change, Sequence[int], int], int]
"""Changes these images, the first of which is so-manieth of all, and returns how many are not as they were."""

_ACTIONS: dict[str, _Action] = {
    "delete": _delete, "reopen": _reopen, "assign": _assign, "share": _share, "prioritise": _prioritise,
    "due": _due, "move": _move, "settle": _settle,
}  # fmt: skip
_TOLD: dict[str, tuple[str, tuple[str, ...]]] = {
    "delete": ("image.delete", ()),
    "reopen": ("image.reopen", ()),
    "assign": ("image.assign", ("assignee_id",)),
    "share": ("image.share", ("people",)),
    "prioritise": ("image.prioritise", ("priority",)),
    "due": ("image.due", ("due_at_ms",)),
    "move": ("image.move", ("to",)),
    "settle": ("image.settle", ()),
}
"""What the audit log calls an action, and what of it stands there."""
