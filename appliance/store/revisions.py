"""Who changed what, when: the history as people read it, of an image and of a project.

A project's revisions are kept by kind, and by author and kind. A list that names no kind merges
those of every kind, so that each filter reads no more rows than it shows, among a million.
"""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Any, Literal

from appliance.errors import InvalidInput
from appliance.records import Annotation, Record
from appliance.store import history, rows
from appliance.store.history import KINDS, Changes, Kind
from appliance.store.store import Reading

__all__ = ["Deed", "Filter", "Revision", "of_image", "of_project"]

What = Literal[
    "predicted", "added", "removed", "relabelled", "moved", "described", "accepted", "refused", "approved",
    "reopened", "given-back",
]  # fmt: skip


class Deed(Record, frozen=True):
    """What a revision did to how many annotations of a label."""

    what: What
    label_id: int
    n: int


class Revision(Record, frozen=True):
    """One revision of an image. `did` tells more than the three counts; a project's list leaves it out."""

    image_id: int
    revision: int
    kind: Kind
    author_id: int | None
    job_id: int | None
    at_ms: int
    added: int
    changed: int
    removed: int
    author: str | None = None
    image_name: str | None = None
    did: list[Deed] | None = None


class Filter(Record, frozen=True):
    """Which revisions of a project are wanted; what is None does not matter. `until_ms` itself is out."""

    author_id: int | None = None
    kind: Kind | None = None
    job_id: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None


_COLUMNS = "image_id, revision, kind, author_id, job_id, at_ms, added, changed, removed"
_AUTHOR = "(SELECT name FROM users WHERE users.id = author_id)"
_Key = tuple[int, int, int]
_TOP: _Key = (1 << 62, 0, 0)


def of_image(reading: Reading, image_id: int, *, before: int | None = None, limit: int | None = None) -> rows.Page:
    """Return an image's revisions with what each did, newest first; `next` goes into `before`."""
    size = rows.page_size(limit)
    sql = (
        f"SELECT {_COLUMNS}, {_AUTHOR}, changes FROM history "
        "WHERE image_id = ? AND revision < ? ORDER BY revision DESC LIMIT ?"
    )
    top = before if before is not None else (1 << 62)
    found = [
        _revision(row[:9], author=row[9], did=_deeds(history.decoded(row[10])))
        for row in reading.execute(sql, (image_id, top, size + 1))
    ]
    return rows.Page(found[:size], found[size - 1].revision if len(found) > size else None)


def of_project(
    reading: Reading, project_id: int, wanted: Filter, *, after: str | None = None, limit: int | None = None
) -> rows.Page:
    """Return a project's revisions, newest first; `after` is the `next` of the page before.

    Raises:
        InvalidInput: `after` is no such thing.
    """
    size = rows.page_size(limit)
    below = _key(after) if after else _TOP
    if wanted.until_ms is not None:
        below = min(below, (wanted.until_ms, 0, 0))
    found = _found(reading, project_id, wanted, below, size + 1)
    last = found[size - 1] if len(found) > size else None
    page = [_named(reading, row) for row in found[:size]]
    return rows.Page(page, None if last is None else f"{last[5]}-{last[0]}-{last[1]}")


def _found(reading: Reading, project_id: int, wanted: Filter, below: _Key, size: int) -> list[tuple[Any, ...]]:
    if wanted.job_id is not None:
        where = {"job_id": wanted.job_id, "+project_id": project_id, "+author_id": wanted.author_id}
        return _walk(reading, "history_job", {**where, "+kind": wanted.kind}, wanted.since_ms, below, size)
    kinds = [wanted.kind] if wanted.kind else KINDS
    index = "history_kind" if wanted.author_id is None else "history_author"
    lists = [
        _walk(
            reading, index, {"project_id": project_id, "author_id": wanted.author_id, "kind": kind},
            wanted.since_ms, below, size,
        )
        for kind in kinds
    ]  # fmt: skip
    merged = heapq.merge(*lists, key=lambda row: (row[5], row[0], row[1]), reverse=True)
    return [row for row, _ in zip(merged, range(size), strict=False)]


def _walk(
    reading: Reading, index: str, where: dict[str, Any], since_ms: int | None, below: _Key, size: int
) -> list[tuple[Any, ...]]:
    given = {column: value for column, value in where.items() if value is not None}
    conditions = " AND ".join(f"{column} = ?" for column in given)
    sql = (
        f"SELECT {_COLUMNS} FROM history INDEXED BY {index} WHERE {conditions} AND at_ms >= ? "
        "AND (at_ms, image_id, revision) < (?, ?, ?) ORDER BY at_ms DESC, image_id DESC, revision DESC LIMIT ?"
    )
    return list(reading.execute(sql, (*given.values(), since_ms or 0, *below, size)))


def _named(reading: Reading, row: tuple[Any, ...]) -> Revision:
    sql = "SELECT name, (SELECT name FROM users WHERE id = ?) FROM images WHERE id = ?"
    ((image_name, author),) = list(reading.execute(sql, (row[3], row[0])))
    return _revision(row, author=author, image_name=image_name)


def _revision(row: tuple[Any, ...], **more: Any) -> Revision:
    return Revision(**dict(zip(Revision.__struct_fields__, row, strict=False)), **more)


def _key(text: str) -> _Key:
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 19 for part in parts):
        raise InvalidInput("`after` is the `next` of the page before", field="after")
    return int(parts[0]), int(parts[1]), int(parts[2])


def _deeds(changes: Changes) -> list[Deed]:
    done: Counter[tuple[What, int]] = Counter()
    for old, new in changes.put:
        done[_what(old, new), new.label_id] += 1
    for gone in changes.removed:
        done["removed", gone.label_id] += 1
    return [Deed(what=what, label_id=label_id, n=n) for (what, label_id), n in done.items()]


def _what(old: Annotation | None, new: Annotation) -> What:
    if old is None:
        return "predicted" if new.is_prediction else "added"
    if new.is_prediction:
        return "given-back"
    if new.status != old.status and new.status != "draft":
        return "refused" if new.status == "rejected" else "approved"
    if new.label_id != old.label_id:
        return "relabelled"
    if new.geometry != old.geometry:
        return "moved"
    if new.attributes != old.attributes:
        return "described"
    return "accepted" if old.is_prediction else "reopened"
