"""Codes that a person reads from one screen and types into another: 59 random bits, used once."""

from __future__ import annotations

import hmac
import secrets

from appliance.store.sessions import hash_of

__all__ = ["fresh", "hashed", "same"]

# No letters or digits that look alike on a console.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def fresh() -> str:
    """Make a code; it exists nowhere else until `hashed` is kept."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def hashed(code: str) -> bytes:
    """Return what is kept of a code, however it is typed: case, spaces and dashes do not matter."""
    return hash_of("".join(c for c in code.upper() if c.isalnum()))


def same(kept: bytes, code: str) -> bool:
    """Tell in constant time whether a typed code is the one whose hash is kept."""
    return hmac.compare_digest(kept, hashed(code))
