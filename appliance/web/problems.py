"""The one table from error codes to HTTP statuses, and problem documents.

Source: RFC 9457, "Problem Details for HTTP APIs".
"""

from __future__ import annotations

import math
import re
from typing import Any

import falcon
import msgspec

from appliance.errors import InvalidInput, PixelQueueError, TooManyRequests

__all__ = ["STATUS", "MalformedRequest", "Problem", "document", "from_validation", "problem", "put", "status_of"]


class MalformedRequest(InvalidInput):
    """A request that does not parse or carries what nobody asked for."""

    code = "malformed-request"


STATUS: dict[str, int] = {
    "error": 500,
    "invalid-input": 422,
    "malformed-request": 400,
    "not-signed-in": 401,
    "forbidden": 403,
    "not-found": 404,
    "conflict": 409,
    "unsupported-version": 412,
    "upload-locked": 423,
    "checksum-mismatch": 460,
    "too-many-requests": 429,
    "too-large": 413,
    "unavailable": 503,
    "storage-full": 507,
    "store-error": 500,
    "store-locked": 503,
    "child-failed": 500,
    "job-cancelled": 409,
}
"""Codes by status; a code that is not here has the status of its nearest ancestor."""

_TITLES = {
    507: "Insufficient Storage",
    422: "Unprocessable Content",
    413: "Content Too Large",
    460: "Checksum Mismatch",
}
_WHERE = re.compile(r" - at (?:key in )?`\$\.?(.*?)`$")
_INDEX = re.compile(r"\[(\d+)\]")


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every answer that is an error."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    file: str | None = None
    details: dict[str, Any] | None = None


def status_of(error: PixelQueueError) -> int:
    """Return the HTTP status of an error from the tree."""
    for kind in type(error).__mro__:
        status = STATUS.get(getattr(kind, "code", ""))
        if status is not None:
            return status
    return 500


def problem(error: PixelQueueError) -> Problem:
    """Make the problem document of an error from the tree."""
    status = status_of(error)
    return Problem(
        type=f"/problems/{error.code}",
        title=_title(status),
        status=status,
        code=error.code,
        detail=error.message,
        field=error.field,
        file=error.file,
        details=error.details or None,
    )


def document(status: int, code: str, detail: str) -> Problem:
    """Make a problem document for what HTTP itself refuses (method, media type, path)."""
    return Problem(type=f"/problems/{code}", title=_title(status), status=status, code=code, detail=detail)


def put(resp: falcon.asgi.Response, answer: Problem, error: BaseException | None = None) -> None:
    """Turn the response into a problem document."""
    resp.status = answer.status
    resp.stream = None
    resp.content_type = "application/problem+json"
    resp.data = msgspec.json.encode(answer)
    resp.set_header("Cache-Control", "no-store")
    if isinstance(error, TooManyRequests):
        resp.set_header("Retry-After", str(max(1, math.ceil(error.retry_after_s))))
    if answer.status == 401:
        resp.set_header("WWW-Authenticate", 'Bearer realm="PixelQueue"')


def from_validation(error: msgspec.ValidationError, prefix: str = "") -> InvalidInput:
    """Turn msgspec's words into an error that names the field (``added.3.geometry``)."""
    message = str(error)
    match = _WHERE.search(message)
    field = prefix + _INDEX.sub(r".\1", match[1] if match else "").strip(".")
    what = message[: match.start()] if match else message
    unknown = re.match(r"Object contains unknown field `(.*)`$", what)
    if unknown:
        name = ".".join(part for part in (field, unknown[1]) if part)
        return MalformedRequest(f"there is no field {name!r} here: leave it out", field=name)
    missing = re.match(r"Object missing required field `(.*)`$", what)
    if missing:
        name = ".".join(part for part in (field, missing[1]) if part)
        return InvalidInput(f"the field {name!r} is missing", field=name)
    where = f"{field}: " if field else ""
    return InvalidInput(f"{where}{what[:1].lower()}{what[1:]}", field=field or None)


def _title(status: int) -> str:
    known = _TITLES.get(status)
    return known or falcon.util.code_to_http_status(status).partition(" ")[2]
