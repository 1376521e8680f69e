"""The box itself, to anybody: is it well, whom may a browser trust."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

import appliance
from appliance.errors import NotFound
from appliance.web.files import File
from appliance.web.operations import Call, Operations
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


@OPERATIONS.get(
    "/api/certificate",
    permission=Permission.PUBLIC,
    response=bytes,
    summary="Download the box's certificate authority, to trust it in a browser",
)
async def get_certificate(call: Call) -> File:
    from appliance.web import tls  # cryptography is not needed to start on loopback

    path = Path(call.store.folder) / "tls" / tls.AUTHORITY
    if not await asyncio.to_thread(path.exists):
        raise NotFound("this box speaks plain HTTP: there is no certificate to trust")
    return File(path=path, media_type="application/x-x509-ca-cert", name="pixelqueue-authority.pem")
