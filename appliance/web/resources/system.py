"""The box to its administrators: health, what takes the space, whether stored files are sound."""

from __future__ import annotations

import asyncio
import platform
import socket
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

import appliance
from appliance.jobs import machine, runtimes
from appliance.jobs.services import WIDTHS
from appliance.records import Job
from appliance.store import Reading, Transaction, jobs, scrub, storage, system
from appliance.web.operations import Call, Listing, Operations, Query
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body

__all__ = ["OPERATIONS", "Scrubbing", "System"]

OPERATIONS = Operations("system", "The box to its administrators: health, space, stored files")


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """A lane of the queue: how many jobs it runs at a time, and how many are in which state."""

    name: str
    width: int
    busy: int
    queued: int
    running: int
    paused: int


class System(msgspec.Struct, frozen=True, kw_only=True):
    """`clock_is_set` tells whether something keeps the clock; None where the system does not say."""

    name: str
    versions: dict[str, str]
    disk: system.Disk
    memory: machine.Memory
    load: float
    processors: int
    temperatures: list[machine.Temperature]
    clock: system.Clock
    clock_is_set: bool | None
    database: system.Database
    lanes: list[Lane]
    children: int
    counts: dict[str, int]
    open_sockets: int
    uptime_s: float


class Scrubbing(msgspec.Struct, frozen=True, kw_only=True):
    """The newest reading of all stored files, the newest that was finished, and what is not sound.

    `job` is the one under way; `faults` counts as far as 1,000 and `damage` names the first 100.
    """

    latest: scrub.Scrub | None
    finished: scrub.Scrub | None
    job: Job | None
    files: int
    bytes: int
    every_s: int
    faults: int
    damage: list[scrub.Damage]


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """The last measuring, the job that measures now, and what is known without one."""

    measured: storage.Measured
    job: Job | None
    disk: system.Disk
    database: system.Database
    cache_limit_bytes: int
    grace_s: int


class HashQuery(Query, frozen=True):
    """The first digits of a hash, four at least."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{4,64}\Z")]


class Chore(Body):
    kind: Literal["scrub", "measure", "collect", "clear-cache"]


@OPERATIONS.get("/api/system", permission=Permission.ADMIN, response=System, summary="Tell how the box is")
async def get_system(call: Call) -> System:
    return await asyncio.to_thread(_system, call)


@OPERATIONS.get(
    "/api/system/runtimes",
    permission=Permission.ADMIN,
    response=runtimes.Found,
    summary="Tell what can run models here, and why the rest cannot",
)
async def get_runtimes(call: Call) -> runtimes.Found:
    return await asyncio.to_thread(call.jobs.runtimes.found)


@OPERATIONS.get(
    "/api/system/storage", permission=Permission.ADMIN, response=Storage, summary="Tell what takes the space"
)
async def get_storage(call: Call) -> Storage:
    store, settings = call.store, call.settings

    def read(reading: Reading) -> tuple[storage.Measured, Job | None]:
        return storage.measured(reading), jobs.under_way(reading, "measure")

    measured, job = await store.aread(read)
    return Storage(
        measured=measured,
        job=job,
        disk=await asyncio.to_thread(system.disk, store),
        database=await asyncio.to_thread(system.database, store),
        cache_limit_bytes=settings.cache_bytes,
        grace_s=settings.blob_grace_s,
    )


@OPERATIONS.get(
    "/api/system/scrub",
    permission=Permission.ADMIN,
    response=Scrubbing,
    summary="Tell when all stored files were last read, and what is damaged",
)
async def get_scrub(call: Call) -> Scrubbing:
    every_s = call.settings.scrub_every_s

    def read(reading: Reading) -> Scrubbing:
        latest, finished = scrub.latest(reading)
        files, size = storage.totals(reading)
        return Scrubbing(
            latest=latest,
            finished=finished,
            job=jobs.under_way(reading, "scrub"),
            files=files,
            bytes=size,
            every_s=every_s,
            faults=scrub.faults(reading),
            damage=scrub.damaged(reading),
        )

    return await call.store.aread(read)


@OPERATIONS.get(
    "/api/system/blobs",
    permission=Permission.ADMIN,
    query=HashQuery,
    response=Listing[scrub.Named],
    summary="Find stored files by the beginning of their hash",
)
async def find_blobs(call: Call) -> Listing[scrub.Named]:
    prefix = call.query.sha256
    return Listing(items=await call.store.aread(lambda reading: scrub.named(reading, prefix)))


@OPERATIONS.post(
    "/api/system/chores",
    permission=Permission.ADMIN,
    body=Chore,
    response=Job,
    status=202,
    audit="job.submit",
    summary="Start a chore of the box now",
)
async def start_chore(call: Call) -> Job:
    """Start reading all files, measuring, collecting or emptying the cache.

    One that is under way already is the answer.
    """
    kind, user_id, queue = call.body.kind, call.user.id, call.jobs

    def write(tx: Transaction) -> Job:
        present = jobs.under_way(tx, kind)
        if present is not None:
            return present
        job = queue.submit_in(tx, kind, created_by=user_id)
        tx.audit("job.submit", f"job {job.id}", kind=kind)
        return job

    return await call.store.awrite(write)


def _system(call: Call) -> System:
    store, services = call.store, call.services
    load, processors = machine.load()
    return System(
        name=socket.gethostname(),
        versions={
            "pixelqueue": appliance.__version__,
            "python": platform.python_version(),
            "sqlite": store.read(system.sqlite_version),
            "system": platform.platform(),
            "machine": platform.machine(),
        },
        disk=system.disk(store),
        memory=machine.memory(),
        load=load,
        processors=processors,
        temperatures=machine.temperatures(),
        clock=system.clock(store),
        clock_is_set=machine.clock_is_set(),
        database=system.database(store),
        lanes=[_lane(call, name) for name in sorted(call.jobs.lanes)],
        children=call.jobs.pictures.children,
        counts=store.read(system.counts),
        open_sockets=len(services.live),
        uptime_s=machine.uptime_s(),
    )


def _lane(call: Call, name: str) -> Lane:
    states = call.store.read(lambda reading: jobs.waiting(reading, name))
    return Lane(name=name, width=WIDTHS[name], busy=call.jobs.lanes[name].busy(), **states)
