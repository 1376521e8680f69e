"""What people have not read: one row for each comment of somebody else, until it is read."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from appliance.records import Member
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["MOST_IMAGES", "Unread", "UnreadImage", "add", "count", "of_thread", "of_user", "read"]

MOST_IMAGES = 500
"""Images that are named; the numbers count all of them."""


class UnreadImage(msgspec.Struct, frozen=True, kw_only=True):
    """What one person has not read on one image."""

    image_id: int
    comments: int
    mentions: int


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """What one person has not read in a project; `images` names at most 500 of them."""

    comments: int
    mentions: int
    images: list[UnreadImage]


def add(
    tx: Transaction, project_id: int, image_id: int, thread_id: int, comment_id: int,
    *, readers: Iterable[Member], mentioned: set[int],
) -> None:  # fmt: skip
    """Put a comment before its readers."""
    tx.executemany(
        "INSERT INTO unread (user_id, project_id, image_id, comment_id, thread_id, mentioned) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [(m.user_id, project_id, image_id, comment_id, thread_id, int(m.user_id in mentioned)) for m in readers],
    )


def count(reading: Reading, project_id: int, user_id: int) -> int:
    """Return how many comments of the project the user has not read."""
    sql = "SELECT count(*) FROM unread WHERE user_id = ? AND project_id = ?"
    ((found,),) = reading.execute(sql, (user_id, project_id)).fetchall()
    return int(found)


def of_user(reading: Reading, project_id: int, user_id: int) -> Unread:
    """Return what the user has not read in the project."""
    where = "FROM unread WHERE user_id = ? AND project_id = ?"
    ((comments, mentions),) = reading.execute(
        f"SELECT count(*), coalesce(sum(mentioned), 0) {where}", (user_id, project_id)
    ).fetchall()
    sql = f"SELECT image_id, count(*), sum(mentioned) {where} GROUP BY image_id ORDER BY image_id LIMIT ?"
    found = reading.execute(sql, (user_id, project_id, MOST_IMAGES))
    return Unread(
        comments=comments,
        mentions=mentions,
        images=[UnreadImage(image_id=i, comments=n, mentions=m) for i, n, m in found],
    )


def of_thread(reading: Reading, project_id: int, image_id: int, thread_id: int, user_id: int) -> int:
    """Return how many comments of a thread the user has not read."""
    sql = "SELECT count(*) FROM unread WHERE user_id = ? AND project_id = ? AND image_id = ? AND thread_id = ?"
    ((count,),) = reading.execute(sql, (user_id, project_id, image_id, thread_id)).fetchall()
    return int(count)


def read(tx: Transaction, project_id: int, image_id: int, user_id: int, thread_id: int | None = None) -> None:
    """Note that the user has read a thread of the image, or all of them."""
    sql = "DELETE FROM unread WHERE user_id = ? AND project_id = ? AND image_id = ?"
    parameters = [user_id, project_id, image_id]
    if thread_id is not None:
        sql, parameters = f"{sql} AND thread_id = ?", [*parameters, thread_id]
    tx.execute(sql, parameters)
    if tx.changes():
        tx.event("comment.read", {"image_id": image_id, "project_id": project_id}, user_id=user_id)
