"""Bytes in and out: raw uploads into staged blobs, and files as answers."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import falcon.asgi
import msgspec

from appliance.store.blobs import Staged
from appliance.web.operations import Call
from appliance.web.requests import blocks

__all__ = ["File", "Page", "receive", "receive_two", "send"]

_BLOCK = 256 * 1024
_WHOLE = 1024 * 1024
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
_INLINE = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/avif"})
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class File(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is a file.

    Attributes:
        path: Where its bytes lie, uncompressed; None where `body` has them.
        media_type: Shown inline only when it is a raster picture every browser knows.
        etag: What names this content, usually its hash; it may then be cached for good.
        name: What a download is called.
        body: Its bytes, where they are at hand.
        immutable: The address names the content too, so that nobody needs to ask again.
    """

    path: Path | None = None
    media_type: str
    etag: str | None = None
    name: str | None = None
    body: bytes | None = None
    immutable: bool = True


class Page(msgspec.Struct, frozen=True):
    """An answer that is not JSON but small enough to hold: a page, a script, a document."""

    body: bytes
    media_type: str


async def receive(call: Call, limit_bytes: int) -> Staged:
    """Write the raw body to a staged blob, hashing as it comes.

    Raises:
        TooLarge: It is longer than `limit_bytes`.
        StorageFull: The disk is full, or would be.
        MalformedRequest: The upload was cut off.
    """
    return (await _received(call, limit_bytes, limit_bytes, 1))[0]


async def receive_two(call: Call, first_bytes: int, limit_bytes: int) -> tuple[Staged, Staged]:
    """Write a raw body that is two files, one after the other, to a staged blob each.

    Raises:
        TooLarge: Both together are longer than `limit_bytes`.
        StorageFull: The disk is full, or would be.
        MalformedRequest: The upload was cut off.
    """
    first, second = await _received(call, limit_bytes, first_bytes, 2)
    return first, second


async def _received(call: Call, limit_bytes: int, first_bytes: int, count: int) -> list[Staged]:
    """Write the body to one staged blob or two, of which the first gets `first_bytes`."""
    announced = call.request.content_length or 0
    await asyncio.to_thread(call.store.require_space, min(announced, limit_bytes))
    stagings = [await asyncio.to_thread(call.store.blobs.staging) for _ in range(count)]
    left = first_bytes
    try:
        async for block in blocks(call.request, limit_bytes):
            for staging, part in zip(stagings, (block[:left], block[left:]), strict=False):
                await asyncio.to_thread(staging.write, part)
            left = max(0, left - len(block))
        return [await asyncio.to_thread(staging.finish) for staging in stagings]
    except BaseException:
        for staging in stagings:
            staging.discard()
        raise


async def send(file: File, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
    """Answer with a file: sandboxed, with its ETag, whole or the range that was asked for."""
    response.set_header("Content-Security-Policy", _SANDBOX)
    response.set_header("Content-Disposition", _disposition(file))
    if file.etag:
        response.set_header("ETag", f'"{file.etag}"')
        fresh = "max-age=31536000, immutable" if file.immutable else "no-cache"
        response.set_header("Cache-Control", f"private, {fresh}")
        if _matches(request.get_header("If-None-Match"), file.etag):
            response.status = 304
            return
    else:
        response.set_header("Cache-Control", "private, no-store")
    size, whole = await _look(file)
    first, last = _span(request, file, size)
    response.content_type = file.media_type
    response.set_header("Accept-Ranges", "bytes")
    if first > last and size:
        response.status = 416
        response.set_header("Content-Range", f"bytes */{size}")
        return
    if (first, last) != (0, size - 1):
        response.status = 206
        response.set_header("Content-Range", f"bytes {first}-{last}/{size}")
    if whole is not None:
        response.data = whole[first : last + 1]
    else:
        assert file.path is not None
        response.set_stream(_blocks(file.path, first, last - first + 1), last - first + 1)


async def _look(file: File) -> tuple[int, bytes | None]:
    """Return the file's size, and its content where that is small: thumbnails and most pictures."""
    if file.body is not None:
        return len(file.body), file.body
    assert file.path is not None, "a file has a path or a body"
    return await asyncio.to_thread(_read, file.path)


def _read(path: Path) -> tuple[int, bytes | None]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return size, file.read() if size <= _WHOLE else None


def _matches(header: str | None, etag: str) -> bool:
    given = [part.strip().removeprefix("W/") for part in (header or "").split(",")]
    return f'"{etag}"' in given or "*" in given


def _span(request: falcon.asgi.Request, file: File, size: int) -> tuple[int, int]:
    """Return first and last byte to send; first > last when the range lies outside."""
    match = _RANGE.fullmatch(request.get_header("Range") or "")
    wanted = request.get_header("If-Range")
    if not match or (wanted and wanted != f'"{file.etag}"') or not (match[1] or match[2]):
        return 0, size - 1
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    return int(match[1]), min(int(match[2]) if match[2] else size - 1, size - 1)


def _disposition(file: File) -> str:
    kind = "inline" if file.media_type in _INLINE else "attachment"
    if not file.name:
        return kind
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", file.name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"


async def _blocks(path: Path, first: int, count: int) -> AsyncIterator[bytes]:
    file: BinaryIO = await asyncio.to_thread(path.open, "rb")
    try:
        await asyncio.to_thread(file.seek, first)
        while count > 0:
            block = await asyncio.to_thread(file.read, min(_BLOCK, count))
            if not block:
                return
            count -= len(block)
            yield block
    finally:
        file.close()
