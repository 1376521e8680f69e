"""Between rows and records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from appliance.errors import InvalidInput, NotFound

__all__ = ["MAX_PAGE", "Page", "columns", "decode", "encode", "first", "found", "made", "page_size"]

R = TypeVar("R", bound=msgspec.Struct)

MAX_PAGE = 500
_SCALAR = (
    msgspec.inspect.IntType,
    msgspec.inspect.FloatType,
    msgspec.inspect.StrType,
    msgspec.inspect.BoolType,
    msgspec.inspect.NoneType,
    msgspec.inspect.LiteralType,
)
_encoder = msgspec.json.Encoder()


class Page(msgspec.Struct, frozen=True):
    """One page of a keyset-paginated list; `next` is the key to ask the following page with."""

    items: list[Any]
    next: int | str | None = None


def columns(record: type[msgspec.Struct], **replaced: str) -> str:
    """Return the record's fields as a SELECT list, with expressions for those that need one."""
    return ", ".join(f"{replaced[name]} AS {name}" if name in replaced else name for name in record.__struct_fields__)


def made(record: type[R], rows: Iterable[tuple[Any, ...]]) -> list[R]:
    """Make records of rows whose columns stand in the order of the record's fields.

    SQLite knows no booleans and keeps JSON as text; both are turned by the record's types.
    """
    names = record.__struct_fields__
    json_fields = _json_fields(record)
    if not json_fields:
        return [msgspec.convert(dict(zip(names, row, strict=True)), record, strict=False) for row in rows]
    return [_with_json(record, names, json_fields, row) for row in rows]


def first(record: type[R], rows: Iterable[tuple[Any, ...]]) -> R | None:
    """Return the first row as a record, or None."""
    return next(iter(made(record, rows)), None)


def found(value: R | None, what: str) -> R:
    """Return the value.

    Raises:
        NotFound: It is None.
    """
    if value is None:
        raise NotFound(f"there is no such {what}, or you may not see it")
    return value


def page_size(limit: int | None) -> int:
    """Return how many rows a page holds; 100 unless asked.

    Raises:
        InvalidInput: Not between 1 and 500.
    """
    if limit is None:
        return 100
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput(f"limit must be between 1 and {MAX_PAGE}, got {limit}", field="limit")
    return limit


def encode(value: Any) -> str:
    """Return the value as JSON text for a column."""
    return _encoder.encode(value).decode()


def decode(text: str | None) -> Any:
    """Return what a JSON column holds."""
    return None if text is None else msgspec.json.decode(text)


def _json_fields(record: type[msgspec.Struct]) -> frozenset[str]:
    cached = _JSON_FIELDS.get(record)
    if cached is None:
        info = msgspec.inspect.type_info(record)
        assert isinstance(info, msgspec.inspect.StructType)
        cached = frozenset(f.name for f in info.fields if not _is_scalar(f.type))
        _JSON_FIELDS[record] = cached
    return cached


def _is_scalar(kind: Any) -> bool:
    if isinstance(kind, msgspec.inspect.UnionType):
        return all(_is_scalar(part) for part in kind.types)
    return isinstance(kind, _SCALAR)


def _with_json(record: type[R], names: tuple[str, ...], json_fields: frozenset[str], row: tuple[Any, ...]) -> R:
    values = dict(zip(names, row, strict=True))
    for name in json_fields:
        values[name] = decode(values[name])
    return msgspec.convert(values, record, strict=False)


_JSON_FIELDS: dict[type[msgspec.Struct], frozenset[str]] = {}
