"""Projects."""

from __future__ import annotations

from typing import Any

import msgspec

from appliance.errors import InvalidInput
from appliance.records import Project, ReviewPolicy, TaskState
from appliance.store import activations, members, rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["Summary", "change", "create", "delete", "empty", "get", "listed", "summary"]

_COLUMNS = rows.columns(Project)
_THUMBNAILS = 5


class Summary(msgspec.Struct, frozen=True):
    """What a row of the project list shows besides the project."""

    images: int
    states: dict[TaskState, int]
    members: int
    labels: int
    thumbnails: list[int]
    active_at_ms: int


def create(
    tx: Transaction,
    *,
    name: str,
    guideline: str = "",
    review_policy: ReviewPolicy | None = None,
    created_by: int | None,
) -> Project:
    """Create a project; its creator becomes its admin. Nobody reviews unless a policy says so."""
    project_id = tx.insert(
        "INSERT INTO projects (name, guideline, review_policy, created_by, created_at_ms) VALUES (?, ?, ?, ?, ?)",
        (_name(name), guideline, rows.encode(review_policy or ReviewPolicy()), created_by, tx.now_ms),
    )
    if created_by is not None:
        members.put(tx, project_id, created_by, "admin")
    tx.audit("project.create", f"project {project_id}", project_id=project_id, name=name)
    tx.event("project.changed", {"project_id": project_id}, project_id=project_id)
    return get(tx, project_id)


def get(reading: Reading, project_id: int) -> Project:
    """Return one project.

    Raises:
        NotFound: There is none.
    """
    row = reading.execute(f"SELECT {_COLUMNS} FROM projects WHERE id = ?", (project_id,))
    return rows.found(rows.first(Project, row), "project")


def listed(
    reading: Reading, *, member_id: int | None, after: int | None = None, limit: int | None = None
) -> rows.Page:
    """Return projects in the order they were made; with `member_id` only those of that member."""
    size = rows.page_size(limit)
    if member_id is None:
        sql = f"SELECT {_COLUMNS} FROM projects WHERE id > ? ORDER BY id LIMIT ?"
        found = rows.made(Project, reading.execute(sql, (after or 0, size + 1)))
    else:
        listed_columns = ", ".join(f"p.{name}" for name in Project.__struct_fields__)
        sql = (
            f"SELECT {listed_columns} FROM members AS m JOIN projects AS p ON p.id = m.project_id "
            "WHERE m.user_id = ? AND m.project_id > ? ORDER BY m.project_id LIMIT ?"
        )
        found = rows.made(Project, reading.execute(sql, (member_id, after or 0, size + 1)))
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)


def summary(reading: Reading, project_id: int) -> Summary:
    """Return counts and the newest pictures of a project."""
    counts = dict(
        reading.execute("SELECT state, images FROM image_counts WHERE project_id = ?", (project_id,)).fetchall()
    )
    newest = reading.execute(
        "SELECT id FROM images WHERE project_id = ? ORDER BY id DESC LIMIT ?", (project_id, _THUMBNAILS)
    )
    thumbnails = [row[0] for row in newest]
    people = _number(reading, "SELECT COUNT(*) FROM members WHERE project_id = ?", project_id)
    labels = _number(reading, "SELECT COUNT(*) FROM labels WHERE project_id = ?", project_id)
    active_at_ms = _number(reading, "SELECT coalesce(max(active_at_ms), 0) FROM projects WHERE id = ?", project_id)
    return Summary(sum(counts.values()), counts, people, labels, thumbnails, active_at_ms)


def _number(reading: Reading, sql: str, project_id: int) -> int:
    ((number,),) = reading.execute(sql, (project_id,)).fetchall()
    return int(number)


def change(tx: Transaction, project_id: int, **fields: Any) -> Project:
    """Change name, guideline, review_policy, queue_order or model_id.

    Nothing moves by it: images in review get their verdicts under the new policy, and images that
    are done stay done, though `policies.unfinished` names those it asks more of; `tasks.settle`
    brings either to where the new policy has them.
    """
    allowed = {"name", "guideline", "review_policy", "queue_order", "model_id"}
    if not fields.keys() <= allowed:
        raise InvalidInput(f"a project has no {', '.join(sorted(fields.keys() - allowed))} to change")
    before = get(tx, project_id)
    if "name" in fields:
        fields["name"] = _name(fields["name"])
    columns = dict(fields)
    if "model_id" in columns:
        activations.activate(tx, project_id, columns.pop("model_id"))
    for name, value in columns.items():
        stored = rows.encode(value) if isinstance(value, ReviewPolicy) else value
        tx.execute(f"UPDATE projects SET {name} = ? WHERE id = ?", (stored, project_id))
    facts = msgspec.to_builtins(fields)
    if "review_policy" in fields:
        facts["review_policy_before"] = msgspec.to_builtins(before.review_policy)
    tx.audit("project.change", f"project {project_id}", project_id=project_id, **facts)
    tx.event("project.changed", {"project_id": project_id}, project_id=project_id)
    return get(tx, project_id)


def empty(tx: Transaction, project_id: int, at_most: int) -> int:
    """Delete some of a project's images with all that hangs on them; return how many there were.

    A large project is emptied in slices before `delete`, so that nobody waits for the writer.
    """
    ids = tx.execute(
        "SELECT id FROM images WHERE project_id = ? ORDER BY id LIMIT ?", (project_id, at_most)
    ).fetchall()
    tx.executemany("DELETE FROM images WHERE id = ?", ids)
    return len(ids)


def delete(tx: Transaction, project_id: int) -> None:
    """Delete a project with all that belongs to it; its blobs go when their grace is over."""
    project = get(tx, project_id)
    tx.event("project.changed", {"project_id": project_id, "deleted": True}, project_id=project_id)
    tx.execute(
        "DELETE FROM annotations WHERE image_id IN (SELECT id FROM images WHERE project_id = ?)", (project_id,)
    )
    tx.execute("DELETE FROM projects WHERE id = ?", (project_id,))
    tx.audit("project.delete", f"project {project_id}", project_id=project_id, name=project.name)


def _name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 200:
        raise InvalidInput("a project's name has 1 to 200 characters", field="name")
    return name
