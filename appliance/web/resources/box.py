"""The box itself, to anybody: is it well, whom may a browser trust."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Literal

import msgspec

import appliance
from appliance.errors import NotFound
from appliance.web.borders import speaks_tls
from appliance.web.files import File
from appliance.web.operations import OF_A_FILE, Call, Operations
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS", "Health"]

OPERATIONS = Operations("box", "The box itself")


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is ``ok``, or ``storage-full`` while no pictures are taken in."""

    status: str
    version: str


@OPERATIONS.get("/api/health", permission=Permission.PUBLIC, response=Health, summary="Tell whether the box is well")
async def get_health(call: Call) -> Health:
    free = await asyncio.to_thread(call.store.free_bytes)
    status = "ok" if free >= call.settings.free_floor_bytes else "storage-full"
    return Health(status=status, version=appliance.__version__)


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """`source` tells whose certificate the box shows: none, one of its own authority, or the site's.

    `fingerprint` is the SHA-256 of the authority, which a person compares with what a device shows.
    """

    name: str
    source: Literal["none", "box", "site"]
    fingerprint: str | None = None
    ends_at_ms: int | None = None


@OPERATIONS.get(
    "/api/trust",
    permission=Permission.PUBLIC,
    response=Trust,
    summary="Tell what a device has to trust to trust the box",
)
async def get_trust(call: Call) -> Trust:
    name, settings = socket.gethostname(), call.settings
    if not speaks_tls(settings):
        return Trust(name=name, source="none")
    if settings.tls_cert:
        return Trust(name=name, source="site")
    path = _authority(call)
    from appliance.web import tls

    fingerprint, ends_at_ms = await asyncio.to_thread(lambda: tls.facts(path.read_bytes()))
    return Trust(name=name, source="box", fingerprint=fingerprint, ends_at_ms=ends_at_ms)


@OPERATIONS.get(
    "/api/certificate",
    permission=Permission.PUBLIC,
    response=bytes,
    also=OF_A_FILE,
    summary="Download the box's certificate authority, to trust it in a browser",
)
async def get_certificate(call: Call) -> File:
    if not speaks_tls(call.settings):
        raise NotFound("this box speaks plain HTTP: there is no certificate to trust")
    if call.settings.tls_cert:
        raise NotFound("this box shows the certificate of its site: ask those who run the network for its authority")
    return File(path=_authority(call), media_type="application/x-x509-ca-cert", name="pixelqueue-authority.crt")


def _authority(call: Call) -> Path:
    from appliance.web import tls  # cryptography is not needed to start on loopback

    return Path(call.store.folder) / "tls" / tls.AUTHORITY
