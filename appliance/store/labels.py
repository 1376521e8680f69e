"""Labels: the classes of a project. Class indices only ever append."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.records import AttributeSpec, AttributeValue, Label, Skeleton
from appliance.store import rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "PALETTE",
    "NewLabel",
    "bring_back",
    "change",
    "create",
    "delete",
    "ensure",
    "fits",
    "get",
    "ids",
    "listed",
    "of_ids",
    "uses",
]

PALETTE = (
    "#FFE600", "#8844FF", "#CC2222", "#008866", "#88AAFF", "#AA4488", "#FF66AA", "#E6E6E6", "#AAE6AA", "#88AA00",
)  # fmt: skip
"""Safe under colour blindness (smallest simulated ΔE2000 14.5) and at least 3.8:1 on black."""

_COLUMNS = rows.columns(Label)
_MOST_POINTS = 1_000
_LONGEST_TEXT = 10_000


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
        (project_id, index, name, color, new.hotkey, _attributes(new.attributes), _skeleton(new.skeleton)),
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


def ids(reading: Reading, project_id: int) -> set[int]:
    """Return the ids of the project's labels."""
    return {key for (key,) in reading.execute("SELECT id FROM labels WHERE project_id = ?", (project_id,))}


def of_ids(reading: Reading, project_id: int, label_ids: Iterable[int]) -> dict[int, Label]:
    """Return those of the labels that the project has, by id; the others are not read."""
    sql = f"SELECT {_COLUMNS} FROM labels WHERE id = ? AND project_id = ?"
    found = (rows.first(Label, reading.execute(sql, (label_id, project_id))) for label_id in label_ids)
    return {label.id: label for label in found if label is not None}


def uses(reading: Reading, label_id: int) -> int:
    """Return how many annotations have the label."""
    ((count,),) = reading.execute("SELECT COUNT(*) FROM annotations WHERE label_id = ?", (label_id,)).fetchall()
    return int(count)


def change(tx: Transaction, project_id: int, label_id: int, **fields: Any) -> Label:
    """Change name, color, hotkey, attributes or skeleton.

    Raises:
        InvalidInput: A name, colour, attribute or skeleton breaks its own rules.
        Conflict: Another label has the name, or the skeleton would lose points that annotations have.
    """
    before = get(tx, project_id, label_id)
    columns: dict[str, Callable[[Any], Any]] = {
        "name": _name, "color": _color, "hotkey": lambda v: v, "attributes": _attributes, "skeleton": _skeleton,
    }  # fmt: skip
    if not fields.keys() <= columns.keys():
        raise InvalidInput(f"a label has no {', '.join(sorted(fields.keys() - columns.keys()))} to change")
    other = "SELECT 1 FROM labels WHERE project_id = ? AND name = ? AND id != ?"
    if "name" in fields and tx.execute(other, (project_id, _name(fields["name"]), label_id)).fetchall():
        raise Conflict(f"the project has a label {fields['name']!r} already", field="name")
    if "skeleton" in fields:
        _require_points(tx, before, fields["skeleton"])
    for name, value in fields.items():
        tx.execute(f"UPDATE labels SET {name} = ? WHERE id = ?", (columns[name](value), label_id))
    _told(tx, "label.change", project_id, label_id, fields=sorted(fields))
    return get(tx, project_id, label_id)


def fits(spec: AttributeSpec, value: AttributeValue) -> bool:
    """Tell whether a value is one of the attribute's."""
    if spec.kind == "choice":
        return value in spec.choices
    if spec.kind == "switch":
        return isinstance(value, bool)
    if spec.kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT


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


def bring_back(tx: Transaction, label: Label) -> Label:
    """Add a deleted label again with its id and class index; a name that is taken by now gets a number."""
    taken = {one.name for one in listed(tx, label.project_id)}
    names = (label.name, *(f"{label.name} ({number})" for number in range(2, len(taken) + 3)))
    name = next(one for one in names if one not in taken)
    tx.execute(
        "INSERT INTO labels (id, project_id, class_index, name, color, hotkey, attributes, skeleton) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            label.id, label.project_id, label.class_index, name, label.color, label.hotkey,
            rows.encode(label.attributes), rows.encode(label.skeleton) if label.skeleton else None,
        ),
    )  # fmt: skip
    _told(tx, "label.create", label.project_id, label.id, name=name)
    return get(tx, label.project_id, label.id)


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


def _attributes(specs: Sequence[AttributeSpec]) -> str:
    names = [spec.name for spec in specs]
    for i, spec in enumerate(specs):
        if spec.name in names[:i]:
            raise InvalidInput(f"two attributes are called {spec.name!r}", field=f"attributes.{i}.name")
        if (problem := _fault(spec)) is not None:
            raise InvalidInput(f"the attribute {spec.name!r} {problem}", field=f"attributes.{i}")
    return rows.encode(specs)


def _fault(spec: AttributeSpec) -> str | None:
    """Say what is wrong with an attribute, or None."""
    if spec.kind == "choice":
        if not spec.choices or any(not choice.strip() for choice in spec.choices):
            return "needs choices, none of them empty"
        if len(set(spec.choices)) < len(spec.choices):
            return "has the same choice twice"
        return None if spec.default in (None, *spec.choices) else "has a default that is none of its choices"
    kinds: dict[str, tuple[type, ...]] = {"text": (str,), "number": (int, float), "switch": (bool,)}
    fits = spec.default is None or (
        isinstance(spec.default, kinds[spec.kind]) and isinstance(spec.default, bool) == (spec.kind == "switch")
    )
    return None if fits else f"has a default that is no {spec.kind}"


def _require_points(tx: Transaction, before: Label, skeleton: Skeleton | None) -> None:
    """Refuse to take points away that keypoints on images have: what is annotated would be lost."""
    lost = len(before.skeleton.points if before.skeleton else []) - len(skeleton.points if skeleton else [])
    used = "SELECT 1 FROM annotations WHERE label_id = ? AND type = 'keypoints' LIMIT 1"
    if lost > 0 and tx.execute(used, (before.id,)).fetchall():
        raise Conflict(
            f"keypoints of {before.name!r} are on images: points can be renamed and added, not taken away",
            field="skeleton.points",
        )


def _skeleton(skeleton: Skeleton | None) -> str | None:
    if skeleton is None:
        return None
    points = skeleton.points
    if not 1 <= len(points) <= _MOST_POINTS or any(not name.strip() for name in points):
        raise InvalidInput(f"a skeleton has 1 to {_MOST_POINTS} points, each with a name", field="skeleton.points")
    if len(set(points)) < len(points):
        raise InvalidInput("two points of the skeleton have the same name", field="skeleton.points")
    if any(not 0 <= i < len(points) for edge in skeleton.edges for i in edge):
        raise InvalidInput("an edge of the skeleton joins a point that does not exist", field="skeleton.edges")
    if len(skeleton.layout) not in (0, 2 * len(points)) or any(not 0 <= at <= 1 for at in skeleton.layout):
        raise InvalidInput("a skeleton's layout is x and y of each point, from 0 to 1", field="skeleton.layout")
    return rows.encode(skeleton)
