"""Personal API tokens: named, scoped, revocable; the secret is shown once."""

from __future__ import annotations

import secrets
from typing import Literal

from appliance.errors import InvalidInput, NotFound
from appliance.records import Token, User
from appliance.store import rows
from appliance.store.sessions import hash_of
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["PREFIX", "Scope", "create", "find", "of_user", "revoke", "touch"]

PREFIX = "pq_"
Scope = Literal["read", "write", "admin"]
_COLUMNS = ", ".join(f"t.{name}" for name in Token.__struct_fields__)
_WIDTH = len(Token.__struct_fields__)
_USER = ", ".join(f"u.{name}" for name in User.__struct_fields__)
_MOST = 50


def create(
    tx: Transaction, user_id: int, *, name: str, scopes: list[Scope], valid_s: int | None = None
) -> tuple[Token, str]:
    """Make a token; return it and its secret, which exists nowhere else. It expires after `valid_s`, or never.

    Raises:
        InvalidInput: No scope, or too many tokens already.
    """
    if not scopes:
        raise InvalidInput("a token needs at least one scope: read, write or admin", field="scopes")
    if len(of_user(tx, user_id)) >= _MOST:
        raise InvalidInput(f"nobody has more than {_MOST} tokens: revoke one first")
    secret = PREFIX + secrets.token_urlsafe(32)
    expires_at_ms = None if valid_s is None else tx.now_ms + valid_s * 1000
    token_id = tx.insert(
        "INSERT INTO tokens (user_id, name, token_hash, scopes, created_at_ms, expires_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (user_id, name, hash_of(secret), rows.encode(sorted(set(scopes))), tx.now_ms, expires_at_ms),
    )
    tx.audit("token.create", f"token {token_id}", name=name, scopes=sorted(set(scopes)), expires_at_ms=expires_at_ms)
    return next(token for token in of_user(tx, user_id) if token.id == token_id), secret


def find(reading: Reading, secret: str, now_ms: int) -> tuple[Token, User] | None:
    """Return the token of a secret and its user, or None when unknown, expired or the user disabled."""
    found = reading.execute(
        f"SELECT {_COLUMNS}, {_USER} FROM tokens t JOIN users u ON u.id = t.user_id "
        "WHERE t.token_hash = ? AND u.disabled = 0 AND (t.expires_at_ms IS NULL OR t.expires_at_ms > ?)",
        (hash_of(secret), now_ms),
    )
    for row in list(found):
        return rows.made(Token, [row[:_WIDTH]])[0], rows.made(User, [row[_WIDTH:]])[0]
    return None


def of_user(reading: Reading, user_id: int) -> list[Token]:
    """Return a user's tokens, oldest first."""
    found = reading.execute(f"SELECT {_COLUMNS} FROM tokens t WHERE t.user_id = ? ORDER BY t.id", (user_id,))
    return rows.made(Token, found)


def revoke(tx: Transaction, user_id: int, token_id: int) -> None:
    """Remove one of a user's tokens; it stops working at once, on open sockets too.

    Raises:
        NotFound: The user has no such token.
    """
    tx.execute("DELETE FROM tokens WHERE id = ? AND user_id = ?", (token_id, user_id))
    if not tx.changes():
        raise NotFound("you have no such token")
    tx.audit("token.revoke", f"token {token_id}")
    tx.event("session.ended", {"token_id": token_id}, user_id=user_id)


def touch(tx: Transaction, token_id: int) -> None:
    """Note that the token is in use."""
    tx.execute("UPDATE tokens SET last_used_at_ms = ? WHERE id = ?", (tx.now_ms, token_id))
