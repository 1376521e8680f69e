"""Annotations of an image: reading them, and the diffs that change them.

Every change of an image's annotations is one revision: the image's counter grows by one,
the rows change, and the history gets the change with what was there before. Conflicts are
judged annotation by annotation: a diff made on an older revision is fine as long as nothing
it touches has changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from appliance.errors import InvalidGeometry, InvalidInput, StaleRevision
from appliance.geometry import Geometry
from appliance.geometry.box import Box
from appliance.records import Annotation, Diff, Draft, Image, ImageAnnotations, Label, Saved
from appliance.store import history, images, labels, rows, threads
from appliance.store.history import Changes, Kind
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["apply", "delete_label", "merge_label", "of_image", "of_images", "save", "with_status"]

_COLUMNS = (
    "id, label_id, type, x1, y1, x2, y2, geometry, attributes, source, status, revision, confidence, "
    "model_id, author_id"
)
_KEEPS_DONE: frozenset[Kind] = frozenset({"submit", "take-back", "review", "withdraw", "relabel", "undo"})
"""Changes that leave a done image done: they judge it, are about a whole label, or take that back."""

_geometry = msgspec.json.Decoder(Geometry)


def of_image(reading: Reading, project_id: int, image_id: int) -> ImageAnnotations:
    """Return the image's annotations at its present revision.

    Raises:
        NotFound: The project has no such image.
    """
    image = images.get(reading, project_id, image_id)
    late = reading.execute("SELECT count(*) FROM late WHERE image_id = ? AND state = 'open'", (image_id,))
    return ImageAnnotations(
        image_id=image_id,
        revision=image.revision,
        annotations=_all(reading, image_id),
        late=next(iter(late))[0],
    )


def of_images(reading: Reading, image_ids: Sequence[int]) -> dict[int, list[Annotation]]:
    """Return the annotations of several images at once, by image id."""
    return {image_id: _all(reading, image_id) for image_id in image_ids}


def save(
    tx: Transaction, project_id: int, image_id: int, diff: Diff, *, author_id: int | None, kind: Kind = "edit"
) -> Saved:
    """Apply a person's diff; the same `diff_id` again gets the answer it got before.

    What a person draws is a draft of source manual, or stays rejected when an undo brings a
    rejected one back. Changing a prediction accepts it: it gets
    an author and keeps its source, model and confidence; taking that back makes it a prediction
    again. Status is never the client's to set, but for refusing a prediction.

    Raises:
        StaleRevision: Something the diff touches changed meanwhile; `details` has the state.
        InvalidInput: A label of another project, a geometry outside the image, a wrong attribute.
    """
    image = images.get(tx, project_id, image_id)
    repeated = history.revision_of(tx, image_id, diff.diff_id)
    if repeated is not None:
        return Saved(image_id=image_id, revision=repeated, repeated=True)
    if diff.revision > image.revision:
        raise InvalidInput(
            f"the image is at revision {image.revision}, the diff claims {diff.revision}", field="revision"
        )
    _refuse_twice(diff)
    before = _present(tx, image_id, [d.id for d in (*diff.added, *diff.changed)] + diff.removed)
    _refuse_collisions(tx, image, diff, before)
    known = labels.of_ids(tx, project_id, {draft.label_id for draft in (*diff.added, *diff.changed)})
    revision = image.revision + 1
    changes = Changes(removed=[before[i] for i in diff.removed if i in before])
    for what, drafts in (("added", diff.added), ("changed", diff.changed)):
        for number, draft in enumerate(drafts):
            old = before.get(draft.id)
            _check(draft, image, known, f"{what}.{number}", old)
            if draft.untouched:
                new = _given_back(tx, draft, image, f"{what}.{number}")
            elif old is None:
                new = _drawn(draft, revision, author_id)
            else:
                new = _edited(draft, old, revision, author_id)
            changes.put.append((old, new))
    revision = apply(tx, image, changes, diff_id=diff.diff_id, kind=kind, author_id=author_id)
    threads.answer(tx, image, before, author_id)
    return Saved(image_id=image_id, revision=revision)


def apply(
    tx: Transaction,
    image: Image,
    changes: Changes,
    *,
    diff_id: str,
    kind: Kind = "edit",
    author_id: int | None = None,
    job_id: int | None = None,
) -> int:
    """Write changes as the image's next revision and return its number.

    An image that is done is open again by it, unless its `kind` is one of judging, or about a
    whole label. The caller has judged conflicts and rights. Revisions
    of the new annotations are set here.
    No change at all makes no revision. The ids the appliance makes itself have a colon, which a
    client's cannot have, so that nobody can block a review or a merge by guessing its id.
    """
    if not changes.put and not changes.removed:
        return image.revision
    revision = image.revision + 1
    changes.put = [(old, msgspec.structs.replace(new, revision=revision)) for old, new in changes.put]
    for gone in changes.removed:
        tx.execute("DELETE FROM annotations WHERE image_id = ? AND id = ?", (image.id, gone.id))
    # Deleted and put anew, because a REPLACE passes by the triggers that count.
    replaced = [(image.id, old.id) for old, _ in changes.put if old is not None]
    tx.executemany("DELETE FROM annotations WHERE image_id = ? AND id = ?", replaced)
    _put(tx, image.id, [new for _, new in changes.put])
    annotations, predictions = _count_difference(changes)
    tx.execute(
        "UPDATE images SET revision = ?, annotations = annotations + ?, predictions = predictions + ? WHERE id = ?",
        (revision, annotations, predictions, image.id),
    )
    history.add(tx, image, revision, changes, diff_id=diff_id, kind=kind, author_id=author_id, job_id=job_id)
    if kind not in _KEEPS_DONE:
        _reopen(tx, image)
    tx.event("annotations.changed", {"image_id": image.id, "revision": revision}, project_id=image.project_id)
    return revision


def _reopen(tx: Transaction, image: Image) -> None:
    tx.execute(
        "UPDATE tasks SET state = 'open', round = round + 1, approvals = 0, reviewer_id = NULL, "
        "lease_until_ms = NULL, assignee_id = CASE assigned WHEN 1 THEN assignee_id END, updated_at_ms = ? "
        "WHERE image_id = ? AND state = 'done'",
        (tx.now_ms, image.id),
    )
    if tx.changes():
        tx.event("task.changed", {"image_id": image.id, "state": "open"}, project_id=image.project_id)


def _put(tx: Transaction, image_id: int, items: Sequence[Annotation]) -> None:
    if items:
        sql = f"INSERT INTO annotations (image_id, {_COLUMNS}) VALUES (?{', ?' * 15})"
        tx.executemany(sql, [(image_id, *_row(a)) for a in items])


def with_status(annotation: Annotation, status: str) -> Annotation:
    """Return the annotation with another status; everything else is as it was."""
    return msgspec.structs.replace(annotation, status=status)


def merge_label(
    tx: Transaction, project_id: int, image_id: int, label_id: int, into_id: int, *, job_id: int | None = None
) -> int:
    """Give the image's annotations of one label another one, as one revision."""
    changed = [a for a in _all(tx, image_id) if a.label_id == label_id]
    changes = Changes(put=[(a, msgspec.structs.replace(a, label_id=into_id)) for a in changed])
    return _relabel(tx, project_id, image_id, changes, f"merge:{label_id}:{into_id}", job_id)


def delete_label(tx: Transaction, project_id: int, image_id: int, label_id: int, *, job_id: int | None = None) -> int:
    """Delete the image's annotations of one label, as one revision."""
    changes = Changes(removed=[a for a in _all(tx, image_id) if a.label_id == label_id])
    return _relabel(tx, project_id, image_id, changes, f"unlabel:{label_id}", job_id)


def _relabel(tx: Transaction, project_id: int, image_id: int, changes: Changes, what: str, job_id: int | None) -> int:
    image = images.get(tx, project_id, image_id)
    diff_id = f"{what}:{image.revision}"
    return apply(tx, image, changes, diff_id=diff_id, kind="relabel", author_id=tx.user_id, job_id=job_id)


def _all(reading: Reading, image_id: int) -> list[Annotation]:
    sql = f"SELECT {_COLUMNS} FROM annotations WHERE image_id = ? ORDER BY id"
    return [_annotation(row) for row in reading.execute(sql, (image_id,))]


def _present(reading: Reading, image_id: int, ids: Iterable[str]) -> dict[str, Annotation]:
    sql = f"SELECT {_COLUMNS} FROM annotations WHERE image_id = ? AND id = ?"
    found: dict[str, Annotation] = {}
    for annotation_id in ids:
        for row in reading.execute(sql, (image_id, annotation_id)):
            found[annotation_id] = _annotation(row)
    return found


def _annotation(row: tuple[Any, ...]) -> Annotation:
    (key, label_id, kind, x1, y1, x2, y2, geometry, attributes, *rest) = row
    source, status, revision, confidence, model_id, author_id = rest
    return Annotation(
        id=key,
        label_id=label_id,
        geometry=Box(x1, y1, x2, y2) if kind == "box" else _geometry.decode(geometry),
        attributes=rows.decode(attributes) or {},
        source=source,
        status=status,
        revision=revision,
        confidence=confidence,
        model_id=model_id,
        author_id=author_id,
    )


def _row(a: Annotation) -> tuple[Any, ...]:
    name = a.geometry.name
    return (
        a.id, a.label_id, name, *a.geometry.bounds(), None if name == "box" else msgspec.json.encode(a.geometry),
        rows.encode(a.attributes) if a.attributes else None, a.source, a.status, a.revision, a.confidence,
        a.model_id, a.author_id,
    )  # fmt: skip


def _refuse_twice(diff: Diff) -> None:
    seen: set[str] = set()
    for kind, ids in (
        ("added", [d.id for d in diff.added]),
        ("changed", [d.id for d in diff.changed]),
        ("removed", diff.removed),
    ):
        for number, annotation_id in enumerate(ids):
            if annotation_id in seen:
                raise InvalidInput(
                    f"the diff names annotation {annotation_id!r} more than once", field=f"{kind}.{number}"
                )
            seen.add(annotation_id)


def _refuse_collisions(tx: Transaction, image: Image, diff: Diff, before: dict[str, Annotation]) -> None:
    collisions = [d.id for d in diff.added if d.id in before]
    collisions += [d.id for d in diff.changed if d.id not in before or before[d.id].revision > diff.revision]
    collisions += [i for i in diff.removed if i in before and before[i].revision > diff.revision]
    if collisions:
        raise StaleRevision(
            f"{len(collisions)} of these annotations changed since revision {diff.revision}: "
            "take the present ones and save again",
            details={
                "revision": image.revision,
                "conflicts": collisions,
                "annotations": msgspec.to_builtins(_all(tx, image.id)),
            },
        )


def _check(draft: Draft, image: Image, known: dict[int, Label], where: str, old: Annotation | None) -> None:
    label = known.get(draft.label_id)
    if label is None:
        raise InvalidInput(f"the project has no label {draft.label_id}", field=f"{where}.label_id")
    try:
        draft.geometry.check(image.width, image.height)
    except InvalidGeometry as error:
        raise InvalidGeometry(error.message, field=f"{where}.geometry", details=error.details) from error
    kept = old.attributes if old else {}
    specs = {spec.name: spec for spec in label.attributes}
    for name, value in draft.attributes.items():
        if name in kept and kept[name] == value:
            continue
        if name not in specs:
            raise InvalidInput(f"the label {label.name!r} has no attribute {name!r}", field=f"{where}.attributes")
        if not labels.fits(specs[name], value):
            raise InvalidInput(f"{value!r} is no value of the attribute {name!r}", field=f"{where}.attributes.{name}")


def _drawn(draft: Draft, revision: int, author_id: int | None) -> Annotation:
    return Annotation(
        id=draft.id,
        label_id=draft.label_id,
        geometry=draft.geometry,
        attributes=draft.attributes,
        status="rejected" if draft.rejected else "draft",
        revision=revision,
        author_id=author_id,
    )


def _given_back(tx: Transaction, draft: Draft, image: Image, where: str) -> Annotation:
    """Return the prediction that a person accepted or refused and now leaves alone again."""
    made = history.predicted(tx, image.id, draft.id)
    same = made is not None and (made.label_id, made.geometry, made.attributes) == (
        draft.label_id,
        draft.geometry,
        draft.attributes,
    )
    if made is None or not same:
        raise InvalidInput("this is not what the model made: leave `untouched` out", field=f"{where}.untouched")
    return made


def _edited(draft: Draft, old: Annotation, revision: int, author_id: int | None) -> Annotation:
    return msgspec.structs.replace(
        old,
        label_id=draft.label_id,
        geometry=draft.geometry,
        attributes=draft.attributes,
        status="rejected" if draft.rejected else "draft",
        revision=revision,
        author_id=author_id,
    )


def _count_difference(changes: Changes) -> tuple[int, int]:
    annotations = predictions = 0
    gone = [old for old, _ in changes.put if old is not None] + changes.removed
    for sign, group in ((1, [new for _, new in changes.put]), (-1, gone)):
        for a in group:
            predictions += sign * a.is_prediction
            annotations += sign * (not a.is_prediction and a.status != "rejected")
    return annotations, predictions
