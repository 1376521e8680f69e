"""Labels: the classes of a project. Class indices only ever append."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.records import AttributeSpec, Label, Skeleton
from appliance.store import rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["PALETTE", "NewLabel", "change", "create", "delete", "ensure", "get", "listed", "uses"]

PALETTE = (
    "#FFE600", "#8844FF", "#CC2222", "#008866", "#88AAFF", "#AA4488", "#FF66AA", "#E6E6E6", "#AAE6AA", "#88AA00",
)  # fmt: skip
"""Safe under colour blindness (smallest simulated ΔE2000 14.5) and at least 3.8:1 on black."""

_COLUMNS = rows.columns(Label)


class NewLabel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A label before it has an id; without a colour it gets the palette's next."""

    name: str
    color: str | None = None
    hotkey: str | None = None
    attributes: list[AttributeSpec] = msgspec.field(default_factory=list)
    skeleton: Skeleton | None = None


def create(tx: Transaction, project_id: int, new: NewLabel) -> Label:
    """Append a label to the project.

    Raises:
        NotFound: There is no such project.
        InvalidInput: The name is empty, or the colour is none.
        Conflict: The project has a label of that name.
    """
    name = _name(new.name)
    if tx.execute("SELECT 1 FROM labels WHERE project_id = ? AND name = ?", (project_id, name)).fetchall():
        raise Conflict(f"the project has a label {name!r} already", field="name")
    given: list[tuple[int]] = tx.execute(
        "UPDATE projects SET next_class_index = next_class_index + 1 WHERE id = ? RETURNING next_class_index - 1",
        (project_id,),
    ).fetchall()
    if not given:
        raise NotFound(f"there is no project {project_id}", field="project_id")
    index = given[0][0]
    color = _color(new.color) if new.color else PALETTE[index % len(PALETTE)]
    label_id = tx.insert(
        "INSERT INTO labels (project_id, class_index, name, color, hotkey, attributes, skeleton) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (project_id, index, name, color, new.hotkey, rows.encode(new.attributes), _skeleton(new.skeleton)),
    )
    _told(tx, "label.create", project_id, label_id, name=name)
    return get(tx, project_id, label_id)


def ensure(tx: Transaction, project_id: int, names: Sequence[str]) -> list[Label]:
    """Return the labels of these names in their order, making those that are missing."""
    present = {label.name: label for label in listed(tx, project_id)}
    made: list[Label] = []
    for name in names:
        label = present.get(_name(name)) or create(tx, project_id, NewLabel(name=name))
        present[label.name] = label
        made.append(label)
    return made


def get(reading: Reading, project_id: int, label_id: int) -> Label:
    """Return one label of the project.

    Raises:
        NotFound: There is none.
    """
    sql = f"SELECT {_COLUMNS} FROM labels WHERE id = ? AND project_id = ?"
    return rows.found(rows.first(Label, reading.execute(sql, (label_id, project_id))), "label")


def listed(reading: Reading, project_id: int) -> list[Label]:
    """Return the project's labels by class index."""
    sql = f"SELECT {_COLUMNS} FROM labels WHERE project_id = ? ORDER BY class_index"
    return rows.made(Label, reading.execute(sql, (project_id,)))


def uses(reading: Reading, label_id: int) -> int:
    """Return how many annotations have the label."""
    ((count,),) = reading.execute("SELECT COUNT(*) FROM annotations WHERE label_id = ?", (label_id,)).fetchall()
    return int(count)


def change(tx: Transaction, project_id: int, label_id: int, **fields: Any) -> Label:
    """Change name, color, hotkey, attributes or skeleton.

    Raises:
        Conflict: Another label has the name.
    """
    get(tx, project_id, label_id)
    columns: dict[str, Callable[[Any], Any]] = {
        "name": _name, "color": _color, "hotkey": lambda v: v, "attributes": rows.encode, "skeleton": _skeleton,
    }  # fmt: skip
    if not fields.keys() <= columns.keys():
        raise InvalidInput(f"a label has no {', '.join(sorted(fields.keys() - columns.keys()))} to change")
    other = "SELECT 1 FROM labels WHERE project_id = ? AND name = ? AND id != ?"
    if "name" in fields and tx.execute(other, (project_id, _name(fields["name"]), label_id)).fetchall():
        raise Conflict(f"the project has a label {fields['name']!r} already", field="name")
    for name, value in fields.items():
        tx.execute(f"UPDATE labels SET {name} = ? WHERE id = ?", (columns[name](value), label_id))
    _told(tx, "label.change", project_id, label_id, fields=sorted(fields))
    return get(tx, project_id, label_id)


def delete(tx: Transaction, project_id: int, label_id: int) -> None:
    """Delete a label nothing uses; merging or deleting its annotations comes first.

    Raises:
        Conflict: Annotations still have it; `details` says how many.
    """
    label = get(tx, project_id, label_id)
    used = uses(tx, label_id)
    if used:
        raise Conflict(
            f"{used} annotations have the label {label.name!r}: merge it into another or delete them",
            details={"annotations": used},
        )
    tx.execute("DELETE FROM labels WHERE id = ?", (label_id,))
    _told(tx, "label.delete", project_id, label_id, name=label.name)


def _told(tx: Transaction, action: str, project_id: int, label_id: int, **details: Any) -> None:
    tx.audit(action, f"label {label_id}", project_id=project_id, **details)
    tx.event("label.changed", {"project_id": project_id, "label_id": label_id}, project_id=project_id)


def _name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 200:
        raise InvalidInput("a label's name has 1 to 200 characters", field="name")
    return name


def _color(color: str) -> str:
    if len(color) != 7 or color[0] != "#" or any(c not in "0123456789abcdefABCDEF" for c in color[1:]):
        raise InvalidInput(f"a colour is # and six hex digits, got {color!r}", field="color")
    return color.upper()


def _skeleton(skeleton: Skeleton | None) -> str | None:
    if skeleton is None:
        return None
    if any(not 0 <= i < len(skeleton.points) for edge in skeleton.edges for i in edge):
        raise InvalidInput("an edge of the skeleton joins a point that does not exist", field="skeleton.edges")
    return rows.encode(skeleton)
