"""Snapshots: immutable versions of a project's dataset."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from msgspec import Meta, structs

from appliance.jobs.comparison import Changes, compare
from appliance.records import Job, Name, Snapshot, SnapshotSummary
from appliance.store import Reading, snapshots
from appliance.web.operations import Call, Listing, Operations, Paged, Query, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, Id, require_contents, submit

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("snapshots", "Immutable versions of a project's dataset")


class NewSnapshot(Body):
    """`approved` holds the images whose review is done, `everything` the project as it stands."""

    name: Name
    contents: Literal["approved", "everything"] = "approved"
    seed: Annotated[int, Meta(ge=0, le=2**53)] = 0


@OPERATIONS.get(
    "/api/projects/{project_id}/snapshots",
    permission=Permission.PROJECT_OVERVIEW,
    query=Paged,
    response=Listing[Snapshot],
    summary="List the snapshots by id",
)
async def list_snapshots(call: Call) -> Listing[Snapshot]:
    project_id, page = call.project_id, call.query
    return listing(
        await call.store.aread(
            lambda reading: snapshots.listed(reading, project_id, after=page.after, limit=page.limit)
        )
    )


@OPERATIONS.post(
    "/api/projects/{project_id}/snapshots",
    permission=Permission.PROJECT_EXPORT,
    body=NewSnapshot,
    response=Job,
    status=202,
    audit="job.submit",
    summary="Make a snapshot",
)
async def create_snapshot(call: Call) -> Job:
    body: NewSnapshot = call.body
    await require_contents(call, body.contents)
    return await submit(call, "snapshot", structs.asdict(body))


@OPERATIONS.get(
    "/api/projects/{project_id}/snapshots/{snapshot_id}",
    permission=Permission.PROJECT_OVERVIEW,
    response=Snapshot,
    summary="Show one snapshot",
)
async def get_snapshot(call: Call) -> Snapshot:
    project_id, snapshot_id = call.project_id, call.ids["snapshot_id"]
    return await call.store.aread(lambda reading: snapshots.get(reading, project_id, snapshot_id))


class Since(Query, frozen=True):
    """The earlier snapshot."""

    since: Id


@OPERATIONS.get(
    "/api/projects/{project_id}/snapshots/{snapshot_id}/summary",
    permission=Permission.PROJECT_OVERVIEW,
    response=SnapshotSummary,
    summary="Count what a snapshot holds, by split, label and geometry",
)
async def get_snapshot_summary(call: Call) -> SnapshotSummary:
    project_id, snapshot_id = call.project_id, call.ids["snapshot_id"]
    return await call.store.aread(lambda reading: snapshots.summary(reading, project_id, snapshot_id))


@OPERATIONS.get(
    "/api/projects/{project_id}/snapshots/{snapshot_id}/changes",
    permission=Permission.PROJECT_OVERVIEW,
    query=Since,
    response=Changes,
    summary="Say what changed since an earlier snapshot",
)
async def get_snapshot_changes(call: Call) -> Changes:
    """Compare image by image; the first time it takes seconds when there are many."""
    project_id, snapshot_id, since = call.project_id, call.ids["snapshot_id"], call.query.since

    def read(reading: Reading) -> tuple[Snapshot, Snapshot]:
        return snapshots.get(reading, project_id, since), snapshots.get(reading, project_id, snapshot_id)

    old, new = await call.store.aread(read)
    return await asyncio.to_thread(compare, call.store, old, new)


@OPERATIONS.delete(
    "/api/projects/{project_id}/snapshots/{snapshot_id}",
    permission=Permission.PROJECT_ADMIN,
    audit="snapshot.delete",
    summary="Delete a snapshot and its exports",
)
async def delete_snapshot(call: Call) -> None:
    project_id, snapshot_id = call.project_id, call.ids["snapshot_id"]
    await call.store.awrite(lambda tx: snapshots.delete(tx, project_id, snapshot_id))
