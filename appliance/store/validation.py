"""What keeps approved work out of ground truth, and the list of it that people work off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from appliance.geometry.validity import fault_of
from appliance.records import Annotation, AttributeSpec, DatasetImage, Label, Validation, ValidationProblem
from appliance.store import labels, rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["MOST_KEPT", "Problem", "add", "begin", "clear", "find", "problems", "problems_of"]

MOST_KEPT = 10_000
"""Problems that are listed; nobody works off more before looking again."""

_VALIDATION = rows.columns(Validation)


class Problem(msgspec.Struct, frozen=True, array_like=True):
    """One thing that is wrong with an image, as the child that reads the project tells it."""

    image_id: int
    annotation_id: str | None
    code: str
    words: str


def problems_of(image_id: int, image: DatasetImage, known: Mapping[int, Label]) -> Iterator[Problem]:
    """Yield what is wrong with an image's annotations: at most one problem for each."""
    for annotation in image.annotations:
        found = _problem(annotation, known.get(annotation.label_id), image)
        if found is not None:
            yield Problem(image_id, annotation.id, *found)


def begin(tx: Transaction, project_id: int, *, job_id: int, name: str, images: int, counts: Counter[str]) -> None:
    """Note that a snapshot was refused, in place of what was noted before; its problems are added then."""
    clear(tx, project_id)
    tx.execute(
        "INSERT INTO validations (project_id, job_id, name, images, problems, counts, at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (project_id, job_id, name, images, counts.total(), rows.encode(counts), tx.now_ms),
    )
    tx.event("validation.changed", {"job_id": job_id, "problems": counts.total()}, project_id=project_id)


def add(tx: Transaction, project_id: int, first: int, found: Sequence[Problem]) -> None:
    """Add a slice of the problems, numbered from `first` on; images deleted meanwhile are left out."""
    sql = (
        "INSERT INTO validation_problems (project_id, number, image_id, annotation_id, code, words) "
        "SELECT ?, ?, id, ?, ?, ? FROM images WHERE id = ?"
    )
    lines = enumerate(found, start=first)
    tx.executemany(sql, [(project_id, n, p.annotation_id, p.code, p.words, p.image_id) for n, p in lines])


def clear(tx: Transaction, project_id: int) -> None:
    """Forget why the last snapshot was refused: one was made."""
    tx.execute("DELETE FROM validations WHERE project_id = ?", (project_id,))
    if tx.changes():
        tx.event("validation.changed", {"problems": 0}, project_id=project_id)


def find(reading: Reading, project_id: int) -> Validation | None:
    """Return why the project's last snapshot of approved work was refused, or None if it was not."""
    return rows.first(
        Validation, reading.execute(f"SELECT {_VALIDATION} FROM validations WHERE project_id = ?", (project_id,))
    )


def problems(reading: Reading, project_id: int, *, after: int | None = None, limit: int | None = None) -> rows.Page:
    """Return the problems in the order of the images, each with its image's name."""
    size = rows.page_size(limit)
    sql = (
        "SELECT p.number, p.image_id, i.name, p.annotation_id, p.code, p.words FROM validation_problems AS p "
        "CROSS JOIN images AS i ON i.id = p.image_id WHERE p.project_id = ? AND p.number > ? "
        "ORDER BY p.number LIMIT ?"
    )
    found = rows.made(ValidationProblem, reading.execute(sql, (project_id, after or 0, size + 1)))
    return rows.Page(found[:size], found[size - 1].number if len(found) > size else None)


def _problem(annotation: Annotation, label: Label | None, image: DatasetImage) -> tuple[str, str] | None:
    if label is None:
        return "unknown-label", "its label is none of the project's: give it another"
    fault = fault_of(annotation.geometry, image.width, image.height)
    if fault is not None:
        return fault.code, f"{label.name}: {fault.words}"
    for spec in label.attributes:
        found = _attribute_problem(spec, annotation.attributes)
        if found is not None:
            return found[0], f"{label.name}: {found[1]}"
    return None


def _attribute_problem(spec: AttributeSpec, values: Mapping[str, Any]) -> tuple[str, str] | None:
    value = values.get(spec.name, spec.default)
    if value is None or value == "":
        return ("missing-attribute", f"“{spec.name}” is not filled in") if spec.required else None
    if not labels.fits(spec, value):
        return "wrong-attribute", f"{value!r} is no value of “{spec.name}”"
    return None
