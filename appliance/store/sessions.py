"""Sign-in sessions: opaque 256-bit secrets of which only the hash is kept.

Times are the store's clock, which never runs back, so setting the box's clock cannot make a
session live longer.
"""

from __future__ import annotations

import hashlib
import secrets

from appliance.errors import NotFound
from appliance.records import Record, User
from appliance.store import rows
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "Place", "Session", "end", "end_of_user", "end_own", "find", "hash_of", "of_user", "purge", "start", "touch",
]  # fmt: skip

_USER = ", ".join(f"u.{name}" for name in User.__struct_fields__)


class Place(Record, frozen=True):
    """Where somebody is signed in: address and browser as they said when they signed in."""

    id: int
    created_at_ms: int
    seen_at_ms: int
    address: str
    agent: str


class Session(Record, frozen=True):
    """A living session and its user."""

    id: int
    user: User
    seen_at_ms: int


def hash_of(secret: str) -> bytes:
    """Return what is kept of a secret. It has 256 random bits, so one fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def start(tx: Transaction, user_id: int, *, address: str = "", agent: str = "") -> str:
    """Open a session and return its secret, which exists nowhere else."""
    secret = secrets.token_urlsafe(32)
    tx.insert(
        "INSERT INTO sessions (token_hash, user_id, created_at_ms, seen_at_ms, address, agent) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (hash_of(secret), user_id, tx.now_ms, tx.now_ms, address[:100], agent[:200]),
    )
    return secret


def find(reading: Reading, secret: str, *, now_ms: int, idle_s: int, max_s: int) -> Session | None:
    """Return the session of a secret, or None when it is unknown, over, or its user disabled."""
    row = next(
        iter(
            reading.execute(
                f"SELECT s.id, s.seen_at_ms, {_USER} FROM sessions s JOIN users u ON u.id = s.user_id "
                "WHERE s.token_hash = ? AND s.seen_at_ms > ? AND s.created_at_ms > ? AND u.disabled = 0",
                (hash_of(secret), now_ms - idle_s * 1000, now_ms - max_s * 1000),
            )
        ),
        None,
    )
    return Session(id=row[0], seen_at_ms=row[1], user=rows.made(User, [row[2:]])[0]) if row else None


def touch(tx: Transaction, session_id: int) -> None:
    """Note that the session is in use."""
    tx.execute("UPDATE sessions SET seen_at_ms = ? WHERE id = ?", (tx.now_ms, session_id))


def end(tx: Transaction, session_id: int) -> None:
    """End one session and tell its sockets."""
    for (user_id,) in list(tx.execute("DELETE FROM sessions WHERE id = ? RETURNING user_id", (session_id,))):
        tx.event("session.ended", {"session_id": session_id}, user_id=user_id)


def of_user(reading: Reading, user_id: int, limit: int = 100) -> list[Place]:
    """Return where a user is signed in, oldest first."""
    sql = f"SELECT {rows.columns(Place)} FROM sessions WHERE user_id = ? ORDER BY id LIMIT ?"
    return rows.made(Place, reading.execute(sql, (user_id, limit)))


def end_own(tx: Transaction, user_id: int, session_id: int) -> None:
    """End one of a user's sessions.

    Raises:
        NotFound: The user has no such session.
    """
    if not tx.execute("SELECT 1 FROM sessions WHERE id = ? AND user_id = ?", (session_id, user_id)).fetchall():
        raise NotFound("you have no such session: it has ended already")
    end(tx, session_id)
    tx.audit("session.end", f"session {session_id}")


def end_of_user(tx: Transaction, user_id: int, *, but: int | None = None) -> int:
    """End the sessions of a user, all or all but one; return how many."""
    ids = [i for (i,) in tx.execute("SELECT id FROM sessions WHERE user_id = ?", (user_id,)) if i != but]
    for session_id in ids:
        end(tx, session_id)
    return len(ids)


def purge(tx: Transaction, *, idle_s: int, max_s: int) -> None:
    """Remove what has run out, a few hundred at a time."""
    over = list(
        tx.execute(
            "SELECT id FROM sessions WHERE seen_at_ms <= ? ORDER BY seen_at_ms LIMIT 500",
            (tx.now_ms - min(idle_s, max_s) * 1000,),
        )
    )
    for (session_id,) in over:
        end(tx, session_id)
