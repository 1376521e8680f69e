"""The headers of tus, the protocol of uploads that go on where they broke off.

Source: https://tus.io/protocols/resumable-upload (1.0.0; core, creation, creation-with-upload,
termination, expiration, checksum).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import UTC, datetime
from email.utils import format_datetime

import falcon
import falcon.asgi
import msgspec

from appliance.errors import ChecksumMismatch, TooLarge, UnsupportedVersion
from appliance.web.problems import MalformedRequest

__all__ = [
    "HEADERS", "Checksum", "body_length", "capabilities", "checksum", "expires", "length", "metadata", "offset",
    "require_version",
]  # fmt: skip

VERSION = "1.0.0"
HEADERS = {"Tus-Resumable": VERSION, "Tus-Version": VERSION}
"""What every answer carries. The versions are asked for in a 412 alone and hurt nowhere."""

_EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
_ALGORITHMS = ("sha1", "sha256")
_BODY = "application/offset+octet-stream"
_NUMBER = re.compile(r"[0-9]{1,18}")
_PAIR = re.compile(r"([!-+\--~]+)(?: ([A-Za-z0-9+/=]*))?")
_MAX_METADATA = 8_000


class Checksum(msgspec.Struct, frozen=True):
    """What the bytes of one request are said to hash to."""

    algorithm: str
    digest: bytes

    def hasher(self) -> hashlib._Hash:
        """Begin to hash."""
        return hashlib.new(self.algorithm)

    def check(self, digest: bytes) -> None:
        """Compare.

        Raises:
            ChecksumMismatch: The bytes are others.
        """
        if digest != self.digest:
            raise ChecksumMismatch("the bytes do not match their checksum: send them again", field="Upload-Checksum")


def capabilities(max_bytes: int) -> dict[str, str]:
    """Return what OPTIONS tells."""
    return {
        "Tus-Extension": _EXTENSIONS,
        "Tus-Max-Size": str(max_bytes),
        "Tus-Checksum-Algorithm": ",".join(_ALGORITHMS),
    }


def require_version(request: falcon.asgi.Request) -> None:
    """Refuse a client that speaks something else.

    Raises:
        UnsupportedVersion: It does not say that it speaks 1.0.0.
    """
    if request.get_header("Tus-Resumable") != VERSION:
        raise UnsupportedVersion(
            f"this box speaks tus {VERSION}: send Tus-Resumable: {VERSION}", field="Tus-Resumable"
        )


def length(request: falcon.asgi.Request, max_bytes: int) -> int:
    """Return how long the whole file is.

    Raises:
        MalformedRequest: The header is missing or no number, or wants an extension there is not.
        TooLarge: More than the box takes.
    """
    for name in ("Upload-Defer-Length", "Upload-Concat"):
        if request.get_header(name) is not None:
            raise MalformedRequest(f"this box does not know {name}: send Upload-Length", field=name)
    wanted = _number(request, "Upload-Length")
    if wanted > max_bytes:
        raise TooLarge(f"the file is larger than the {max_bytes} bytes allowed here", field="Upload-Length")
    return wanted


def offset(request: falcon.asgi.Request) -> int:
    """Return where the request goes on.

    Raises:
        MalformedRequest: The header is missing or no number.
    """
    return _number(request, "Upload-Offset")


def body_length(request: falcon.asgi.Request) -> int | None:
    """Return how long the body says it is: 0 for none, None for one of unknown length.

    Raises:
        falcon.HTTPUnsupportedMediaType: There is a body, and it is not the bytes of an upload.
    """
    chunked = request.get_header("Transfer-Encoding") is not None
    announced: int = request.content_length or 0
    if not chunked and not announced:
        return 0
    if (request.content_type or "").partition(";")[0].strip().lower() != _BODY:
        raise falcon.HTTPUnsupportedMediaType(description=f"send the bytes of an upload as {_BODY}")
    return None if chunked else announced


def checksum(request: falcon.asgi.Request) -> Checksum | None:
    """Return the checksum of the request's body, if it has one.

    Raises:
        MalformedRequest: It does not parse, or is of an algorithm the box does not know.
    """
    given = request.get_header("Upload-Checksum")
    if given is None:
        return None
    algorithm, _, encoded = given.strip().partition(" ")
    if algorithm not in _ALGORITHMS:
        raise MalformedRequest(f"checksums are of {' or '.join(_ALGORITHMS)}", field="Upload-Checksum")
    return Checksum(algorithm, _decoded(encoded, "Upload-Checksum"))


def metadata(request: falcon.asgi.Request) -> tuple[str, dict[str, str]]:
    """Return the header as it was sent, which HEAD repeats, and what it says.

    Raises:
        MalformedRequest: It does not parse, says something twice, or is no UTF-8.
    """
    given = (request.get_header("Upload-Metadata") or "").strip()
    if len(given) > _MAX_METADATA:
        raise MalformedRequest("there is too much of it", field="Upload-Metadata")
    facts: dict[str, str] = {}
    for part in given.split(",") if given else ():
        match = _PAIR.fullmatch(part.strip())
        if match is None or match[1] in facts:
            raise MalformedRequest("expected pairs of a key and a Base64 value", field="Upload-Metadata")
        try:
            facts[match[1]] = _decoded(match[2] or "", "Upload-Metadata").decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedRequest(f"{match[1]} is no UTF-8", field="Upload-Metadata") from error
    return given, facts


def expires(at_ms: int) -> str:
    """Return a time as Upload-Expires wants it."""
    return format_datetime(datetime.fromtimestamp(at_ms // 1000, UTC), usegmt=True)


def _number(request: falcon.asgi.Request, name: str) -> int:
    given = request.get_header(name) or ""
    if not _NUMBER.fullmatch(given):
        raise MalformedRequest(f"{name} is missing or no number", field=name)
    return int(given)


def _decoded(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedRequest("expected Base64", field=field) from error
