"""Snapshots: immutable versions of a project's dataset."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, structs

from appliance.records import Job, Name, Snapshot
from appliance.store import snapshots
from appliance.web.operations import Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, require_contents, submit

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


@OPERATIONS.delete(
    "/api/projects/{project_id}/snapshots/{snapshot_id}",
    permission=Permission.PROJECT_ADMIN,
    audit="snapshot.delete",
    summary="Delete a snapshot and its exports",
)
async def delete_snapshot(call: Call) -> None:
    project_id, snapshot_id = call.project_id, call.ids["snapshot_id"]
    await call.store.awrite(lambda tx: snapshots.delete(tx, project_id, snapshot_id))
