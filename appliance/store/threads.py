"""Threads of comments on an image: pinned to an annotation, to a point, or to the image as a whole.

A thread keeps the point where it was pinned and outlives its annotation. It is open, answered
(somebody else replied, or changed the annotation) or resolved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from appliance.errors import Forbidden, InvalidInput
from appliance.records import AnnotationId, Comment, Image, ProjectRole, Thread
from appliance.store import images, rows, unread
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["Pin", "answer", "begin", "get", "of_image", "reopen", "resolve", "resolve_reviewed", "told", "withdraw"]

_THREAD = (
    "t.id, (SELECT key FROM comments WHERE thread_id = t.id ORDER BY id LIMIT 1), t.image_id, t.number, "
    "t.annotation_id, t.annotation_id IS NOT NULL AND NOT EXISTS "
    "(SELECT 1 FROM annotations WHERE image_id = t.image_id AND id = t.annotation_id), "
    "t.x, t.y, t.author_id, t.answered, t.resolved_by, r.name, t.resolved_at_ms, t.created_at_ms"
)
_THREADS = "threads AS t LEFT JOIN users AS r ON r.id = t.resolved_by"
_COMMENT = (
    "c.id, c.key, c.author_id, u.name, c.text, c.mentions, c.created_at_ms, c.edited_at_ms, c.deleted_at_ms "
    "FROM comments AS c LEFT JOIN users AS u ON u.id = c.author_id"
)


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a thread is about: a point in canonical pixels, of an annotation where it names one."""

    x: float
    y: float
    annotation_id: AnnotationId | None = None


def begin(tx: Transaction, image: Image, pin: Pin | None, author_id: int, review_id: int | None = None) -> int:
    """Make a thread without a comment yet and return its id.

    Raises:
        InvalidInput: The pin lies outside the image.
    """
    if pin is not None and not (0 <= pin.x <= image.width and 0 <= pin.y <= image.height):
        raise InvalidInput(f"the pin lies outside {image.width} × {image.height}", field="pin")
    ((number,),) = tx.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM threads WHERE image_id = ?", (image.id,)
    ).fetchall()
    place = (None, None, None) if pin is None else (pin.annotation_id, pin.x, pin.y)
    return tx.insert(
        "INSERT INTO threads (project_id, image_id, number, annotation_id, x, y, author_id, review_id, "
        "created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (image.project_id, image.id, number, *place, author_id, review_id, tx.now_ms),
    )


def resolve(tx: Transaction, project_id: int, thread_id: int, user_id: int, role: ProjectRole | None) -> Thread:
    """Close a thread in the user's name; one that is closed stays as it is.

    Raises:
        NotFound: There is none.
        Forbidden: The user neither opened it nor reviews in the project.
    """
    thread = _closable(tx, project_id, thread_id, user_id, role)
    if thread.resolved_at_ms is None:
        tx.execute(
            "UPDATE threads SET resolved_by = ?, resolved_at_ms = ? WHERE id = ?", (user_id, tx.now_ms, thread_id)
        )
        tx.audit("comment.resolve", f"thread {thread_id}", project_id=project_id, image_id=thread.image_id)
    return told(tx, project_id, thread_id, user_id)


def reopen(tx: Transaction, project_id: int, thread_id: int, user_id: int, role: ProjectRole | None) -> Thread:
    """Open a resolved thread again.

    Raises:
        NotFound: There is none.
        Forbidden: The user neither opened it nor reviews in the project.
    """
    thread = _closable(tx, project_id, thread_id, user_id, role)
    if thread.resolved_at_ms is not None:
        tx.execute("UPDATE threads SET resolved_by = NULL, resolved_at_ms = NULL WHERE id = ?", (thread_id,))
        tx.audit("comment.reopen", f"thread {thread_id}", project_id=project_id, image_id=thread.image_id)
    return told(tx, project_id, thread_id, user_id)


def get(reading: Reading, project_id: int, thread_id: int, user_id: int) -> Thread:
    """Return one thread with its comments, as this user has read it.

    Raises:
        NotFound: There is none.
    """
    sql = f"SELECT {_THREAD} FROM {_THREADS} WHERE t.id = ? AND t.project_id = ?"
    found = _made(reading, project_id, user_id, reading.execute(sql, (thread_id, project_id)).fetchall())
    return rows.found(next(found, None), "thread")


def of_image(
    reading: Reading,
    project_id: int,
    image_id: int,
    user_id: int,
    *,
    after: int | None = None,
    limit: int | None = None,
) -> rows.Page:
    """Return the image's threads by number, each with its comments, as this user has read them.

    Raises:
        NotFound: The project has no such image.
    """
    images.get(reading, project_id, image_id)
    size = rows.page_size(limit)
    sql = (
        f"SELECT {_THREAD} FROM {_THREADS} WHERE t.image_id = ? AND t.number > ? AND t.comments > 0 "
        "ORDER BY t.number LIMIT ?"
    )
    page = reading.execute(sql, (image_id, after or 0, size + 1)).fetchall()
    found = list(_made(reading, project_id, user_id, page[:size]))
    return rows.Page(found, found[-1].number if len(page) > size else None)


def answer(tx: Transaction, image: Image, touched: Iterable[str], author_id: int | None) -> None:
    """Mark the threads of others as answered whose annotation somebody changed."""
    waiting = "SELECT id, annotation_id FROM threads WHERE image_id = ? AND annotation_id IS NOT NULL"
    open_ = " AND resolved_at_ms IS NULL AND NOT answered AND author_id IS NOT ?"
    ids = set(touched)
    found = tx.execute(waiting + open_, (image.id, author_id)).fetchall()
    for thread_id in [thread_id for thread_id, annotation_id in found if annotation_id in ids]:
        tx.execute("UPDATE threads SET answered = 1 WHERE id = ?", (thread_id,))
        tx.event("comment.changed", {"image_id": image.id, "thread_id": thread_id}, project_id=image.project_id)


def resolve_reviewed(tx: Transaction, image: Image, reviewer_id: int) -> None:
    """Resolve what reviews pinned on an image that is approved now."""
    _review_state(tx, image, "resolved_at_ms IS NULL", (), (reviewer_id, tx.now_ms))


def withdraw(tx: Transaction, image: Image, review_id: int, reviewer_id: int, at_ms: int) -> None:
    """Undo what a verdict did: its pins nobody replied to go, what it resolved is open again."""
    tx.execute("DELETE FROM threads WHERE review_id = ? AND comments < 2", (review_id,))
    _review_state(tx, image, "resolved_by = ? AND resolved_at_ms = ?", (reviewer_id, at_ms), (None, None))
    _count(tx, image.id)
    tx.event("comment.changed", {"image_id": image.id}, project_id=image.project_id)


def _review_state(
    tx: Transaction, image: Image, where: str, parameters: tuple[Any, ...], state: tuple[int | None, int | None]
) -> None:
    sql = "UPDATE threads SET resolved_by = ?, resolved_at_ms = ? WHERE image_id = ? AND review_id IS NOT NULL"
    tx.execute(f"{sql} AND {where}", (*state, image.id, *parameters))
    if tx.changes():
        _count(tx, image.id)
        tx.event("comment.changed", {"image_id": image.id}, project_id=image.project_id)


def _closable(tx: Transaction, project_id: int, thread_id: int, user_id: int, role: ProjectRole | None) -> Thread:
    thread = get(tx, project_id, thread_id, user_id)
    if role not in ("reviewer", "admin") and thread.author_id != user_id:
        raise Forbidden("only who opened a thread, reviewers and admins resolve it or open it again")
    return thread


def told(tx: Transaction, project_id: int, thread_id: int, user_id: int) -> Thread:
    """Count the image's open threads, tell who watches, and return the thread."""
    thread = get(tx, project_id, thread_id, user_id)
    _count(tx, thread.image_id)
    data = {"image_id": thread.image_id, "thread_id": thread_id}
    tx.event("comment.changed", data, project_id=project_id)
    return thread


def _count(tx: Transaction, image_id: int) -> None:
    unresolved = "SELECT count(*) FROM threads WHERE image_id = ? AND resolved_at_ms IS NULL AND comments > 0"
    tx.execute(f"UPDATE images SET threads = ({unresolved}) WHERE id = ?", (image_id, image_id))


def _made(reading: Reading, project_id: int, user_id: int, found: Iterable[tuple[Any, ...]]) -> Iterator[Thread]:
    names = Thread.__struct_fields__
    for row in found:
        facts = dict(zip(names, row, strict=False))
        thread = msgspec.convert(facts, Thread, strict=False)
        sql = f"SELECT {_COMMENT} WHERE c.thread_id = ? ORDER BY c.id"
        comments = rows.made(Comment, reading.execute(sql, (thread.id,)))
        waiting = unread.of_thread(reading, project_id, thread.image_id, thread.id, user_id)
        yield msgspec.structs.replace(thread, comments=comments, unread=waiting)
