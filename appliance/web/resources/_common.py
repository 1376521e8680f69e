"""What several resources share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appliance.errors import InvalidInput
from appliance.records import Job
from appliance.store import Transaction, projects
from appliance.store.blobs import Staged
from appliance.web.operations import Call, Query

__all__ = ["DIRECT_IMAGES", "Body", "FileName", "Id", "require_contents", "submit"]

DIRECT_IMAGES = 200
"""How many images a request changes itself; what touches more becomes a job."""

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of JSON bodies: an unknown field is refused."""


class FileName(Query, frozen=True):
    """`name` is the file as its sender knows it, with folders where it has some."""

    name: Annotated[str, Meta(min_length=1, max_length=1_000)]


async def submit(
    call: Call,
    kind: str,
    parameters: dict[str, Any],
    *,
    priority: int | None = None,
    blobs: Iterable[Staged] = (),
) -> Job:
    """Queue a job of the path's project in the caller's name, and write that down."""
    project_id, user_id, attached = call.project_id, call.user.id, tuple(blobs)

    def write(tx: Transaction) -> Job:
        job = call.jobs.submit_in(
            tx, kind, parameters, project_id=project_id, created_by=user_id, priority=priority, blobs=attached
        )
        tx.audit("job.submit", f"job {job.id}", project_id=project_id, kind=kind)
        return job

    return await call.store.awrite(write)


async def require_contents(call: Call, contents: Literal["approved", "everything"]) -> None:
    """Refuse a snapshot that would hold nothing.

    Raises:
        InvalidInput: Nothing is approved yet, or there are no images at all.
    """
    project_id = call.project_id
    summary = await call.store.aread(lambda reading: projects.summary(reading, project_id))
    if contents == "approved" and not summary.states.get("done", 0):
        raise InvalidInput("no image of this project is approved yet: review some first", field="contents")
    if not summary.images:
        raise InvalidInput("this project has no images yet: add some first", field="contents")
