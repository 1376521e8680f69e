"""The audit log as a chain: every line carries a hash over itself and the hash of the line before.

Whoever changes, removes or slips in a line breaks the chain from there on; whoever writes all of
it anew gets another head, which is why administrators note the head elsewhere. Lines are numbered
without gaps, so that a missing one shows, and SQLite's own counter tells of a missing end.

A line's hash is SHA-256 over the JSON array ``[hash before, id, at_ms, user_id, action, subject,
project_id, details]``, in ASCII without spaces, the hash before in hex digits; the first line
follows 64 zeros.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from appliance.records import Record

if TYPE_CHECKING:
    from appliance.store.store import Reading

__all__ = ["Head", "Stretch", "check", "head", "last", "link"]

_START = bytes(32)
_LINES = 2_000
_COLUMNS = "id, at_ms, user_id, action, subject, project_id, details, hash"


class Head(Record, frozen=True):
    """The newest line: its number, 0 where there is none, and its hash."""

    id: int
    hash: str


class Stretch(Record, frozen=True):
    """What looking at a stretch of the chain found.

    `checked` is the last line that is as it was written; `broken` the first that is not, or that
    is missing. When `checked` is the head's number the end is reached.
    """

    head: Head
    checked: int
    broken: int | None = None


def link(before: bytes, line: tuple[Any, ...], details: str) -> bytes:
    """Return the hash of a line.

    Args:
        before: The hash of the line before.
        line: id, at_ms, user_id, action, subject, project_id.
        details: JSON as `json.dumps` writes it in ASCII and without spaces.
    """
    text = json.dumps([before.hex(), *line], separators=(",", ":"))
    return hashlib.sha256(f"{text[:-1]},{details}]".encode("ascii")).digest()


def last(reading: Reading) -> tuple[int, bytes]:
    """Return number and hash of the newest line."""
    for number, digest in list(reading.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")):
        return int(number), bytes(digest)
    return 0, _START


def head(reading: Reading) -> Head:
    """Return the newest line's number and hash."""
    number, digest = last(reading)
    return Head(id=number, hash=digest.hex())


def check(reading: Reading, after: int = 0) -> Stretch:
    """Compare the lines after one, some thousand at most, with their hashes.

    The line `after` itself is taken as it stands: a whole check begins at 0.
    """
    end = head(reading)
    checked, before = after, _hash_of(reading, after)
    if before is None:
        return Stretch(head=end, checked=after, broken=after)
    sql = f"SELECT {_COLUMNS} FROM audit WHERE id > ? ORDER BY id LIMIT {_LINES}"
    for *line, details, digest in list(reading.execute(sql, (after,))):
        if line[0] != checked + 1 or not _holds(before, tuple(line), details, digest):
            return Stretch(head=end, checked=checked, broken=checked + 1)
        checked, before = line[0], digest
    lost = checked == end.id and _counted(reading) > end.id
    return Stretch(head=end, checked=checked, broken=checked + 1 if lost else None)


def _holds(before: bytes, line: tuple[Any, ...], details: str, digest: bytes) -> bool:
    return details.isascii() and link(before, line, details) == digest


def _hash_of(reading: Reading, number: int) -> bytes | None:
    if number == 0:
        return _START
    for (digest,) in list(reading.execute("SELECT hash FROM audit WHERE id = ?", (number,))):
        return bytes(digest)
    return None


def _counted(reading: Reading) -> int:
    for (count,) in list(reading.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")):
        return int(count)
    return 0
