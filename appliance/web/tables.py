"""Rows as files to take away: CSV that no spreadsheet runs, and JSON lines."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec

__all__ = ["Download", "csv_lines", "json_lines"]

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Download(msgspec.Struct, frozen=True):
    """An answer that is written while it is sent, piece by piece."""

    chunks: AsyncIterator[bytes]
    media_type: str
    name: str


def csv_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return rows as CSV (RFC 4180, UTF-8).

    Text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay.
    Source: OWASP, CSV Injection.
    """
    out = io.StringIO()
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def json_lines(records: Iterable[Any]) -> bytes:
    """Return one line of JSON for each record."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_STARTS_A_FORMULA):
        return f"'{value}"
    return "" if value is None else value
