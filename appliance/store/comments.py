"""Comments: what people say to each other in the threads of an image.

The client makes the keys, so that a comment that was written out of reach and sent twice is
one comment. What is edited or deleted leaves the words it had in the audit log.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.records import CommentKey, Image, Member, Thread
from appliance.store import images, members, rows, threads, unread
from appliance.store.threads import Pin
from appliance.store.writer import Transaction

__all__ = ["Draft", "Text", "add", "delete", "edit", "pin_rejected"]

_KEY_BYTES = 15

Text = Annotated[str, Meta(min_length=1, max_length=4_000)]


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A comment as a client sends it: a reply to the thread of this key, or a thread of its own.

    Without `pin` a new thread is about the image as a whole.
    """

    key: CommentKey
    text: Text
    reply_to: CommentKey | None = None
    pin: Pin | None = None


def add(tx: Transaction, project_id: int, image_id: int, draft: Draft, author_id: int) -> Thread:
    """Begin a thread or reply in one; the same key again changes nothing.

    Raises:
        NotFound: There is no such image, or no thread of that key on it.
        InvalidInput: The pin lies outside the image, a reply has one, or the text is blank.
        Conflict: Somebody else's comment has the key.
    """
    image = images.get(tx, project_id, image_id)
    known = tx.execute(
        "SELECT thread_id, author_id FROM comments WHERE image_id = ? AND key = ?", (image_id, draft.key)
    ).fetchall()
    if known:
        if known[0][1] != author_id:
            raise Conflict("another comment has this key: make a new one", field="key")
        return threads.get(tx, project_id, known[0][0], author_id)
    if draft.reply_to is not None and draft.pin is not None:
        raise InvalidInput("a reply has no pin of its own: its thread has one", field="pin")
    thread_id = (
        threads.begin(tx, image, draft.pin, author_id) if draft.reply_to is None else _of_key(tx, image, draft)
    )
    _say(tx, project_id, image_id, thread_id, draft.key, _text(draft.text), author_id)
    answered = "UPDATE threads SET answered = author_id IS NOT ? WHERE id = ?"
    tx.execute(answered, (author_id, thread_id))
    return threads.told(tx, project_id, thread_id, author_id)


def edit(tx: Transaction, project_id: int, comment_id: int, text: str, author_id: int) -> Thread:
    """Change the text of one's own comment; the audit log keeps the one before.

    Raises:
        NotFound: There is none, or it was deleted.
        Forbidden: It is somebody else's.
    """
    thread_id, before = _own(tx, project_id, comment_id, author_id)
    text = _text(text)
    mentions = rows.encode(sorted(_mentioned(members.listed(tx, project_id), text)))
    tx.execute(
        "UPDATE comments SET text = ?, mentions = ?, edited_at_ms = ? WHERE id = ?",
        (text, mentions, tx.now_ms, comment_id),
    )
    tx.audit("comment.edit", f"comment {comment_id}", project_id=project_id, before=before)
    return threads.told(tx, project_id, thread_id, author_id)


def delete(tx: Transaction, project_id: int, comment_id: int, author_id: int) -> None:
    """Take one's own comment away; a thread without any other is not shown any more.

    Raises:
        NotFound: There is none, or it was deleted already.
        Forbidden: It is somebody else's.
    """
    thread_id, before = _own(tx, project_id, comment_id, author_id)
    tx.execute(
        "UPDATE comments SET text = '', mentions = '[]', deleted_at_ms = ? WHERE id = ?", (tx.now_ms, comment_id)
    )
    tx.execute("UPDATE threads SET comments = comments - 1 WHERE id = ?", (thread_id,))
    tx.execute("DELETE FROM unread WHERE comment_id = ?", (comment_id,))
    tx.audit("comment.delete", f"comment {comment_id}", project_id=project_id, before=before)
    threads.told(tx, project_id, thread_id, author_id)


def pin_rejected(
    tx: Transaction, image: Image, review_id: int, author_id: int, pins: Iterable[tuple[Pin, str]]
) -> None:
    """Begin a thread at each annotation a review rejected, with the reason as its text."""
    for pin, reason in pins:
        thread_id = threads.begin(tx, image, pin, author_id, review_id)
        key = secrets.token_urlsafe(_KEY_BYTES)
        _say(tx, image.project_id, image.id, thread_id, key, _text(reason), author_id)
        threads.told(tx, image.project_id, thread_id, author_id)


def _of_key(tx: Transaction, image: Image, draft: Draft) -> int:
    sql = "SELECT thread_id FROM comments WHERE image_id = ? AND key = ?"
    for (thread_id,) in tx.execute(sql, (image.id, draft.reply_to)).fetchall():
        return int(thread_id)
    raise NotFound("the comment this replies to is not there", field="reply_to")


def _say(
    tx: Transaction, project_id: int, image_id: int, thread_id: int, key: str, text: str, author_id: int
) -> None:
    present = members.listed(tx, project_id)
    mentioned = _mentioned(present, text)
    comment_id = tx.insert(
        "INSERT INTO comments (thread_id, image_id, key, author_id, text, mentions, created_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (thread_id, image_id, key, author_id, text, rows.encode(sorted(mentioned)), tx.now_ms),
    )
    tx.execute("UPDATE threads SET comments = comments + 1 WHERE id = ?", (thread_id,))
    readers = [member for member in present if member.user_id != author_id]
    unread.add(tx, project_id, image_id, thread_id, comment_id, readers=readers, mentioned=mentioned)


def _mentioned(present: list[Member], text: str) -> set[int]:
    """Return the members named after an @; of names that begin alike the longest counts."""
    found: set[int] = set()
    said = text.casefold()
    names = sorted({member.name.casefold() for member in present if member.name}, key=len, reverse=True)
    for match in re.finditer("@", said):
        rest = said[match.end() :]
        named = next((n for n in names if rest.startswith(n) and not rest[len(n) : len(n) + 1].isalnum()), None)
        found |= {member.user_id for member in present if member.name.casefold() == named}
    return found


def _own(tx: Transaction, project_id: int, comment_id: int, author_id: int) -> tuple[int, str]:
    sql = (
        "SELECT c.thread_id, c.author_id, c.text FROM comments AS c CROSS JOIN threads AS t ON t.id = c.thread_id "
        "WHERE c.id = ? AND t.project_id = ? AND c.deleted_at_ms IS NULL"
    )
    for thread_id, owner_id, text in tx.execute(sql, (comment_id, project_id)).fetchall():
        if owner_id != author_id:
            raise Forbidden("this comment is somebody else's: only its author changes it")
        return thread_id, text
    raise NotFound("there is no such comment, or you may not see it")


def _text(text: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidInput("a comment needs words", field="text")
    return text
