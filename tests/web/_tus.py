"""A second implementation of tus's client side, bare: headers in, headers out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

import httpx

__all__ = ["begin", "checksum_of", "go_on", "header", "metadata", "offset_of", "whole"]

_BODY = "application/offset+octet-stream"


def metadata(**facts: str) -> str:
    """Return Upload-Metadata."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in facts.items())


def header(**more: str) -> dict[str, str]:
    """Return the headers every request has, and more, with ``_`` for ``-``."""
    return {"Tus-Resumable": "1.0.0", **{name.replace("_", "-"): value for name, value in more.items()}}


def begin(
    client: httpx.Client,
    project_id: int,
    name: str,
    length: int,
    *,
    body: bytes | None = None,
    checksum: str | None = None,
    **facts: str,
) -> httpx.Response:
    """Create an upload, with its first bytes when there is a body."""
    headers = header(Upload_Length=str(length), Upload_Metadata=metadata(filename=name, **facts))
    headers |= {"Content-Type": _BODY} if body is not None else {}
    headers |= {"Upload-Checksum": checksum} if checksum else {}
    return client.post(f"/api/projects/{project_id}/uploads", headers=headers, content=body)


def go_on(client: httpx.Client, url: str, offset: int, body: bytes | Iterable[bytes], **more: str) -> httpx.Response:
    """Append bytes at an offset."""
    headers = header(Upload_Offset=str(offset), Content_Type=_BODY, **more)
    return client.patch(url, headers=headers, content=body)


def offset_of(client: httpx.Client, url: str) -> int:
    """Ask how far an upload came."""
    answer = client.head(url, headers=header())
    assert answer.status_code == 200, answer.status_code
    return int(answer.headers["Upload-Offset"])


def checksum_of(data: bytes, algorithm: str = "sha1") -> str:
    """Return Upload-Checksum."""
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def whole(client: httpx.Client, project_id: int, name: str, data: bytes, **facts: str) -> dict[str, Any]:
    """Send a file in one request and return the upload."""
    answer = begin(client, project_id, name, len(data), body=data, **facts)
    assert answer.status_code == 201, answer.text
    upload: dict[str, Any] = answer.json()
    return upload
