"""What a request says, checked: query parameters, JSON bodies and raw bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import falcon
import falcon.asgi
import msgspec

from appliance.errors import TooLarge
from appliance.web.problems import MalformedRequest, from_validation

__all__ = ["blocks", "chunks", "json_body", "parse_query"]

T = TypeVar("T")
_MAX_PARAMETERS = 50
_BLOCK = 256 * 1024


def parse_query(text: str, kind: type[T]) -> T:
    """Turn a query string into its struct.

    Raises:
        MalformedRequest: An unknown or repeated parameter, or text that does not parse.
        InvalidInput: A value that does not fit.
    """
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=_MAX_PARAMETERS
        )
    except ValueError as error:
        raise MalformedRequest("the query string does not parse") from error
    values = dict(pairs)
    if len(values) < len(pairs):
        raise MalformedRequest("a query parameter is given twice")
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise from_validation(error) from error


async def json_body(request: falcon.asgi.Request, kind: Any, limit_bytes: int) -> Any:
    """Read and validate a JSON body.

    Raises:
        MalformedRequest: Not JSON, nested too deeply, or with unknown fields.
        InvalidInput: A field that does not fit.
        TooLarge: Longer than `limit_bytes`.
        falcon.HTTPUnsupportedMediaType: The body does not call itself JSON.
    """
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise falcon.HTTPUnsupportedMediaType(description="send the body as application/json")
    raw = b"".join([chunk async for chunk in chunks(request, limit_bytes)])
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise from_validation(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedRequest(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise MalformedRequest("the body is nested too deeply") from error


async def chunks(request: falcon.asgi.Request, limit_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes in.

    Raises:
        TooLarge: It is, or says it is, longer than `limit_bytes`.
        MalformedRequest: It ended before its announced length.
    """
    announced = request.content_length
    if announced is not None and announced > limit_bytes:
        raise _too_large(limit_bytes)
    received = 0
    async for chunk in request.stream:
        received += len(chunk)
        if received > limit_bytes:
            raise _too_large(limit_bytes)
        yield chunk
    if announced is not None and received < announced:
        raise MalformedRequest("the upload was cut off: send it again")


async def blocks(request: falcon.asgi.Request, limit_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body in blocks that are worth a thread's while; what came before an error, first.

    Raises:
        TooLarge: As `chunks`.
        MalformedRequest: As `chunks`.
    """
    pending: list[bytes] = []
    size = 0
    try:
        async for chunk in chunks(request, limit_bytes):
            pending.append(chunk)
            size += len(chunk)
            if size >= _BLOCK:
                yield b"".join(pending)
                pending, size = [], 0
    except MalformedRequest:
        if pending:
            yield b"".join(pending)
        raise
    if pending:
        yield b"".join(pending)


def _too_large(limit_bytes: int) -> TooLarge:
    size = f"{limit_bytes / 2**20:g} MiB" if limit_bytes >= 2**20 else f"{limit_bytes} bytes"
    return TooLarge(f"the body is larger than the {size} allowed here")
