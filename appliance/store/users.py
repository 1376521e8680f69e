"""The people who may sign in. Passwords come in as hashes; see `passwords`."""

from __future__ import annotations

import re
from typing import Any

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.records import GlobalRole, User
from appliance.store import rows, sessions, tasks
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["any_exist", "change", "create", "credentials", "get", "listed", "password_hash", "set_password"]

_COLUMNS = rows.columns(User)
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


def any_exist(reading: Reading) -> bool:
    """Tell whether the box has been claimed."""
    return bool(list(reading.execute("SELECT 1 FROM users LIMIT 1")))


def get(reading: Reading, user_id: int) -> User:
    """Return one user.

    Raises:
        NotFound: There is none with this id.
    """
    row = reading.execute(f"SELECT {_COLUMNS} FROM users WHERE id = ?", (user_id,))
    return rows.found(rows.first(User, row), "user")


def credentials(reading: Reading, email: str) -> tuple[User, str] | None:
    """Return a user and the password's hash by e-mail address, in any case of letters."""
    sql = f"SELECT {_COLUMNS}, password_hash FROM users WHERE email = ?"
    for row in list(reading.execute(sql, (email.strip(),))):
        return rows.made(User, [row[:-1]])[0], row[-1]
    return None


def password_hash(reading: Reading, user_id: int) -> str:
    """Return the hash of a user's password.

    Raises:
        NotFound: There is no such user.
    """
    for (value,) in list(reading.execute("SELECT password_hash FROM users WHERE id = ?", (user_id,))):
        return str(value)
    raise NotFound("there is no such user")


def listed(reading: Reading, *, after: int | None = None, limit: int | None = None) -> rows.Page:
    """Return users in the order their accounts were made."""
    size = rows.page_size(limit)
    sql = f"SELECT {_COLUMNS} FROM users WHERE id > ? ORDER BY id LIMIT ?"
    found = rows.made(User, reading.execute(sql, (after or 0, size + 1)))
    return rows.Page(found[:size], found[size - 1].id if len(found) > size else None)


def create(tx: Transaction, *, email: str, name: str, role: GlobalRole, password_hash: str) -> User:
    """Add a user.

    Raises:
        InvalidInput: The e-mail address or the name is none.
        Conflict: Somebody has this e-mail address already.
    """
    email = email.strip()
    if not _EMAIL.fullmatch(email):
        raise InvalidInput("this is not an e-mail address", field="email")
    if credentials(tx, email):
        raise Conflict("somebody has this e-mail address already: sign in, or use another", field="email")
    user_id = tx.insert(
        "INSERT INTO users (email, name, role, password_hash, created_at_ms) VALUES (?, ?, ?, ?, ?)",
        (email, _name(name), role, password_hash, tx.now_ms),
    )
    tx.audit("user.create", f"user {user_id}", role=role)
    tx.event("user.changed", {"user_id": user_id})
    return get(tx, user_id)


def change(
    tx: Transaction,
    user_id: int,
    *,
    name: str | None = None,
    role: GlobalRole | None = None,
    disabled: bool | None = None,
    password_hash: str | None = None,
) -> User:
    """Change what is given. A new role, a disabling or a set password ends the user's sessions.

    Work that waits for somebody who is disabled waits for anybody then.

    Raises:
        NotFound: There is no such user.
        Conflict: It would leave the box without an administrator.
    """
    before = get(tx, user_id)
    role = role or before.role
    disabled = before.disabled if disabled is None else disabled
    if before.role == "admin" and not before.disabled and (role != "admin" or disabled):
        _require_another_admin(tx, user_id)
    tx.execute(
        "UPDATE users SET name = ?, role = ?, disabled = ? WHERE id = ?",
        (before.name if name is None else _name(name), role, disabled, user_id),
    )
    if password_hash is not None:
        set_password(tx, user_id, password_hash)
    if role != before.role or disabled or password_hash is not None:
        sessions.end_of_user(tx, user_id)
    if disabled and not before.disabled:
        tasks.release(tx, user_id)
    given: dict[str, Any] = {
        "name": name,
        "role": role if role != before.role else None,
        "disabled": disabled if disabled != before.disabled else None,
        "password": "set" if password_hash is not None else None,
    }
    tx.audit("user.change", f"user {user_id}", **{k: v for k, v in given.items() if v is not None})
    tx.event("user.changed", {"user_id": user_id}, user_id=user_id)
    return get(tx, user_id)


def set_password(tx: Transaction, user_id: int, password_hash: str) -> None:
    """Replace the hash of a user's password; a code to set it that is still about works no more."""
    tx.execute("UPDATE users SET password_hash = ? WHERE id = ?", (password_hash, user_id))
    tx.execute("DELETE FROM resets WHERE user_id = ?", (user_id,))


def _require_another_admin(tx: Transaction, user_id: int) -> None:
    others = tx.execute("SELECT 1 FROM users WHERE role = 'admin' AND disabled = 0 AND id <> ? LIMIT 1", (user_id,))
    if not list(others):
        raise Conflict("this is the last administrator: make somebody else one first")


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise InvalidInput("a name has 1 to 100 characters", field="name")
    return name
