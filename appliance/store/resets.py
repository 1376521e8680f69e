"""One-time codes with which somebody sets a forgotten password.

An administrator or the machine's console makes them, for one account, for an hour. Only the hash
is kept; five wrong tries use a code up as the right one does.
"""

from __future__ import annotations

from appliance.errors import Forbidden
from appliance.records import User
from appliance.store import codes, sessions, users
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["VALID_S", "WRONG", "issue", "judge", "purge", "redeem"]

VALID_S = 3600
_TRIES = 5
WRONG = "this code is wrong, used up or too old: ask for another one"


def issue(tx: Transaction, user_id: int) -> str:
    """Make a code for an account, in place of the one before.

    Raises:
        NotFound: There is no such user.
    """
    users.get(tx, user_id)
    code = codes.fresh()
    tx.execute(
        "INSERT OR REPLACE INTO resets (user_id, code_hash, tries, expires_at_ms) VALUES (?, ?, 0, ?)",
        (user_id, codes.hashed(code), tx.now_ms + VALID_S * 1000),
    )
    tx.audit("user.reset", f"user {user_id}")
    return code


def judge(tx: Transaction, email: str, code: str) -> User | None:
    """Return whose code it is, or count a wrong try and return None.

    It raises nothing, so that the count stays.
    """
    found = users.credentials(tx, email)
    if found is None or found[0].disabled:
        return None
    if _fits(tx, found[0].id, code, tx.now_ms):
        return found[0]
    tx.execute("UPDATE resets SET tries = tries + 1 WHERE user_id = ?", (found[0].id,))
    return None


def redeem(tx: Transaction, email: str, code: str, password_hash: str) -> User:
    """Set the password and use the code up; every session of the account ends.

    Raises:
        Forbidden: It was used, revoked or replaced since it was judged.
    """
    user = judge(tx, email, code)
    if user is None:
        raise Forbidden(WRONG, field="code")
    users.set_password(tx, user.id, password_hash)
    ended = sessions.end_of_user(tx, user.id)
    tx.audit("password.reset", f"user {user.id}", ended_sessions=ended)
    return user


def purge(tx: Transaction) -> None:
    """Remove codes that are too old."""
    tx.execute("DELETE FROM resets WHERE expires_at_ms <= ?", (tx.now_ms,))


def _fits(reading: Reading, user_id: int, code: str, now_ms: int) -> bool:
    sql = "SELECT code_hash FROM resets WHERE user_id = ? AND tries < ? AND expires_at_ms > ?"
    return any(codes.same(bytes(kept), code) for (kept,) in list(reading.execute(sql, (user_id, _TRIES, now_ms))))
