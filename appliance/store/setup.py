"""The first run: a box without users is claimed with a code from its own console."""

from __future__ import annotations

import hmac
import secrets

from appliance.errors import Forbidden, NotFound
from appliance.store import users
from appliance.store.sessions import hash_of
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["VALID_S", "box_id", "claim", "is_demo", "issue", "mark_demo", "needed", "verify"]

VALID_S = 3600
# No letters or digits that look alike on a console.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def needed(reading: Reading) -> bool:
    """Tell whether nobody has claimed the box yet."""
    return not users.any_exist(reading)


def issue(tx: Transaction) -> str | None:
    """Make a new claim code and forget the one before; None when the box is claimed.

    The code has 59 random bits, only its hash is kept, and it works once within `VALID_S`.
    """
    if not needed(tx):
        _forget(tx)
        return None
    code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
    _put(tx, "claim_hash", hash_of(_plain(code)).hex())
    _put(tx, "claim_until_ms", str(tx.now_ms + VALID_S * 1000))
    return code


def verify(reading: Reading, code: str, now_ms: int) -> None:
    """Check a code without using it up.

    Raises:
        NotFound: The box is claimed already: there is no set-up any more.
        Forbidden: The code is wrong or too old.
    """
    if not needed(reading):
        raise NotFound("this box is set up already: sign in")
    kept, until_ms = _get(reading, "claim_hash"), int(_get(reading, "claim_until_ms") or 0)
    if kept is None or not hmac.compare_digest(kept, hash_of(_plain(code)).hex()):
        raise Forbidden("this is not the code on the console", field="code")
    if until_ms <= now_ms:
        raise Forbidden("this code is too old: restart the appliance to get another one", field="code")


def claim(tx: Transaction, code: str) -> None:
    """Use the code up; the caller makes the first administrator in the same transaction.

    Raises:
        NotFound, Forbidden: As `verify` does.
    """
    verify(tx, code, tx.now_ms)
    _forget(tx)


def box_id(reading: Reading) -> str:
    """Return the name this data directory has for good: 32 hex digits, random."""
    return str(_get(reading, "box_id"))


def mark_demo(tx: Transaction) -> None:
    """Mark the data directory as demo for good: it has well-known accounts."""
    _put(tx, "demo", "1")


def is_demo(reading: Reading) -> bool:
    """Tell whether the data directory is a demo's."""
    return _get(reading, "demo") == "1"


def _plain(code: str) -> str:
    return "".join(c for c in code.upper() if c.isalnum())


def _get(reading: Reading, key: str) -> str | None:
    for (value,) in list(reading.execute("SELECT value FROM meta WHERE key = ?", (key,))):
        return str(value)
    return None


def _put(tx: Transaction, key: str, value: str) -> None:
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def _forget(tx: Transaction) -> None:
    tx.execute("DELETE FROM meta WHERE key IN ('claim_hash', 'claim_until_ms')")
