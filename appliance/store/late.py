"""Late work: diffs that came when their image was in review or done, until somebody decides."""

import secrets

import msgspec

from appliance.errors import Conflict
from appliance.records import Annotation, Diff, Late, Saved
from appliance.store import annotations, images, rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["apply", "dismiss", "get", "listed", "put"]

_COLUMNS = rows.columns(Late)
_ID_BYTES = 15


def put(tx: Transaction, project_id: int, image_id: int, diff: Diff, author_id: int) -> Late:
    """Keep a diff beside its image; the same `diff_id` again gets what is kept already.

    Raises:
        NotFound: The project has no such image.
    """
    images.get(tx, project_id, image_id)
    sql = f"SELECT {_COLUMNS} FROM late WHERE image_id = ? AND diff_id = ?"
    known = rows.first(Late, tx.execute(sql, (image_id, diff.diff_id)))
    if known is not None:
        return known
    late_id = tx.insert(
        "INSERT INTO late (project_id, image_id, author_id, diff_id, diff, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (project_id, image_id, author_id, diff.diff_id, rows.encode(diff), tx.now_ms),
    )
    made = get(tx, project_id, late_id)
    _tell(tx, made)
    return made


def get(reading: Reading, project_id: int, late_id: int) -> Late:
    """Return one late diff of the project.

    Raises:
        NotFound: There is none.
    """
    sql = f"SELECT {_COLUMNS} FROM late WHERE id = ? AND project_id = ?"
    return rows.found(rows.first(Late, reading.execute(sql, (late_id, project_id))), "late change")


def listed(
    reading: Reading,
    project_id: int,
    *,
    image_id: int | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> rows.Page:
    """Return what nobody has decided on, oldest first, of the project or of one of its images."""
    size = rows.page_size(limit)
    index, where, parameters = "late_project", "project_id = ?", [project_id]
    if image_id is not None:
        index, where, parameters = "late_image", "image_id = ? AND project_id = ?", [image_id, project_id]
    where += " AND state = 'open' AND id > ?"
    sql = f"SELECT {_COLUMNS} FROM late INDEXED BY {index} WHERE {where} ORDER BY id LIMIT ?"
    found = rows.made(Late, reading.execute(sql, [*parameters, after or 0, size + 1]))
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)


def apply(tx: Transaction, late: Late, user_id: int) -> tuple[Late, Saved]:
    """Take a late diff into its image in its author's name.

    Nothing that stands is overwritten: where an annotation changed since, the late version comes
    beside it with an id of its own; a late removal of it is left out.

    Raises:
        Conflict: Somebody has decided already.
        InvalidInput: It does not fit any more, as when its label is gone.
    """
    _refuse_decided(late)
    present = annotations.of_image(tx, late.project_id, late.image_id)
    there = {annotation.id: annotation for annotation in present.annotations}
    diff = _beside(late.diff, there, present.revision)
    saved = annotations.save(tx, late.project_id, late.image_id, diff, author_id=late.author_id, kind="late")
    return _decide(tx, late, "applied", user_id), saved


def dismiss(tx: Transaction, late: Late, user_id: int) -> Late:
    """Leave a late diff out; it stays on record.

    Raises:
        Conflict: Somebody has decided already.
    """
    _refuse_decided(late)
    return _decide(tx, late, "dismissed", user_id)


def _beside(diff: Diff, there: dict[str, Annotation], revision: int) -> Diff:
    """Return the diff on the present revision, with copies where it would overwrite something."""
    changed = [draft for draft in diff.changed if draft.id in there and there[draft.id].revision <= diff.revision]
    free = {draft.id for draft in changed}
    copied = [draft for draft in diff.changed if draft.id not in free and not draft.untouched and not draft.rejected]
    copied += [draft for draft in diff.added if draft.id in there]
    fresh = [msgspec.structs.replace(draft, id=secrets.token_urlsafe(_ID_BYTES)) for draft in copied]
    return Diff(
        diff_id=diff.diff_id,
        revision=revision,
        added=[draft for draft in diff.added if draft.id not in there] + fresh,
        changed=changed,
        removed=[i for i in diff.removed if i in there and there[i].revision <= diff.revision],
    )


def _refuse_decided(late: Late) -> None:
    if late.state != "open":
        raise Conflict(f"this late change is {late.state} already", field="late_id")


def _decide(tx: Transaction, late: Late, state: str, user_id: int) -> Late:
    tx.execute("UPDATE late SET state = ?, decided_by = ? WHERE id = ?", (state, user_id, late.id))
    decided = get(tx, late.project_id, late.id)
    _tell(tx, decided)
    return decided


def _tell(tx: Transaction, late: Late) -> None:
    tx.event("late.changed", {"image_id": late.image_id, "late_id": late.id}, project_id=late.project_id)
