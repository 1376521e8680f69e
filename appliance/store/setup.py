"""The first run: a box without users is claimed with a code from its own console."""

from __future__ import annotations

from appliance.errors import Forbidden, NotFound
from appliance.store import codes, meta, users
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["VALID_S", "box_id", "claim", "is_demo", "issue", "mark_demo", "needed", "verify"]

VALID_S = 3600
_CODE, _UNTIL = "claim_hash", "claim_until_ms"


def needed(reading: Reading) -> bool:
    """Tell whether nobody has claimed the box yet."""
    return not users.any_exist(reading)


def issue(tx: Transaction) -> str | None:
    """Make a new claim code and forget the one before; None when the box is claimed.

    Only its hash is kept, and it works once within `VALID_S`.
    """
    if not needed(tx):
        meta.forget(tx, _CODE, _UNTIL)
        return None
    code = codes.fresh()
    meta.put(tx, _CODE, codes.hashed(code).hex())
    meta.put(tx, _UNTIL, str(tx.now_ms + VALID_S * 1000))
    return code


def verify(reading: Reading, code: str, now_ms: int) -> None:
    """Check a code without using it up.

    Raises:
        NotFound: The box is claimed already: there is no set-up any more.
        Forbidden: The code is wrong or too old.
    """
    if not needed(reading):
        raise NotFound("this box is set up already: sign in")
    kept, until_ms = meta.get(reading, _CODE), int(meta.get(reading, _UNTIL) or 0)
    if kept is None or not codes.same(bytes.fromhex(kept), code):
        raise Forbidden("this is not the code on the console", field="code")
    if until_ms <= now_ms:
        raise Forbidden("this code is too old: restart the appliance to get another one", field="code")


def claim(tx: Transaction, code: str) -> None:
    """Use the code up; the caller makes the first administrator in the same transaction.

    Raises:
        NotFound, Forbidden: As `verify` does.
    """
    verify(tx, code, tx.now_ms)
    meta.forget(tx, _CODE, _UNTIL)


def box_id(reading: Reading) -> str:
    """Return the name this data directory has for good: 32 hex digits, random."""
    return str(meta.get(reading, "box_id"))


def mark_demo(tx: Transaction) -> None:
    """Mark the data directory as demo for good: it has well-known accounts."""
    meta.put(tx, "demo", "1")


def is_demo(reading: Reading) -> bool:
    """Tell whether the data directory is a demo's."""
    return meta.get(reading, "demo") == "1"
