"""The box itself: is it well, what has it, whom may a browser trust."""

from __future__ import annotations

import asyncio
import platform
import resource
import shutil
import socket
from pathlib import Path

import msgspec

import appliance
from appliance.errors import NotFound
from appliance.store import Store, system
from appliance.web.files import File
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS", "Health", "System"]

OPERATIONS = Operations("box", "The box itself")


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is ``ok``, or ``storage-full`` while no pictures are taken in."""

    status: str
    version: str


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    total_bytes: int
    free_bytes: int
    floor_bytes: int
    blobs_bytes: int
    cache_bytes: int
    database_bytes: int


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    total_bytes: int
    available_bytes: int
    resident_bytes: int


class System(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    versions: dict[str, str]
    disk: Disk
    memory: Memory
    counts: dict[str, int]
    open_sockets: int


@OPERATIONS.get("/api/health", permission=Permission.PUBLIC, response=Health, summary="Tell whether the box is well")
async def get_health(call: Call) -> Health:
    free = await asyncio.to_thread(call.store.free_bytes)
    status = "ok" if free >= call.settings.free_floor_bytes else "storage-full"
    return Health(status=status, version=appliance.__version__)


@OPERATIONS.get("/api/system", permission=Permission.ADMIN, response=System, summary="Tell what the box has")
async def get_system(call: Call) -> System:
    counts = await call.store.aread(system.counts)
    disk = await asyncio.to_thread(_disk, call.store, counts.pop("blob_bytes"))
    return System(
        name=socket.gethostname(),
        versions={
            "pixelqueue": appliance.__version__,
            "python": platform.python_version(),
            "sqlite": await call.store.aread(system.sqlite_version),
            "system": platform.platform(),
            "machine": platform.machine(),
        },
        disk=disk,
        memory=await asyncio.to_thread(_memory),
        counts=counts,
        open_sockets=len(call.services.live),
    )


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


def _disk(store: Store, blobs_bytes: int) -> Disk:
    usage = shutil.disk_usage(store.folder)
    return Disk(
        total_bytes=usage.total,
        free_bytes=usage.free,
        floor_bytes=store.settings.free_floor_bytes,
        blobs_bytes=blobs_bytes,
        cache_bytes=store.cache.size_bytes(),
        database_bytes=sum(path.stat().st_size for path in store.folder.glob(f"{store.file.name}*")),
    )


def _memory() -> Memory:
    """Read Linux's own accounts; zeros where there are none.

    Source: proc(5), /proc/meminfo and /proc/self/statm.
    """
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return Memory(total_bytes=0, available_bytes=0, resident_bytes=0)
    kib = {line.partition(":")[0]: int(line.split()[1]) for line in lines}
    return Memory(
        total_bytes=kib["MemTotal"] * 1024,
        available_bytes=kib["MemAvailable"] * 1024,
        resident_bytes=pages * resource.getpagesize(),
    )
