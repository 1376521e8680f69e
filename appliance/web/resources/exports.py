"""Exports: snapshots written in a format, to download."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

from msgspec import Meta, field, structs

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.jobs.kinds.export import require_format
from appliance.records import Export, Job
from appliance.store import Reading, exports, projects, snapshots
from appliance.web.files import File
from appliance.web.operations import OF_A_FILE, Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, Id, require_contents, submit

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("exports", "Snapshots written in a format")


class NewExport(Body):
    """Without `snapshot_id` a snapshot of what is approved is made first."""

    format: Annotated[str, Meta(min_length=1, max_length=50)]
    snapshot_id: Id | None = None
    options: dict[str, Any] = field(default_factory=dict)


@OPERATIONS.get(
    "/api/projects/{project_id}/exports",
    permission=Permission.PROJECT_OVERVIEW,
    query=Paged,
    response=Listing[Export],
    summary="List the exports, newest first",
)
async def list_exports(call: Call) -> Listing[Export]:
    project_id, page = call.project_id, call.query
    return listing(
        await call.store.aread(
            lambda reading: exports.listed(reading, project_id, before=page.after or None, limit=page.limit)
        )
    )


@OPERATIONS.post(
    "/api/projects/{project_id}/exports",
    permission=Permission.PROJECT_EXPORT,
    body=NewExport,
    response=Job,
    status=202,
    audit="job.submit",
    summary="Write a snapshot in a format",
)
async def create_export(call: Call) -> Job:
    body: NewExport = call.body
    project_id, snapshot_id = call.project_id, body.snapshot_id
    await asyncio.to_thread(require_format, body.format, body.options)
    if snapshot_id is None:
        await require_contents(call, "approved")
    else:
        await call.store.aread(lambda reading: _require_snapshot(reading, project_id, snapshot_id))
    return await submit(call, "export", structs.asdict(body))


@OPERATIONS.get(
    "/api/projects/{project_id}/exports/{export_id}/file",
    permission=Permission.PROJECT_EXPORT,
    response=bytes,
    also=OF_A_FILE,
    summary="Download an export",
)
async def get_export_file(call: Call) -> File:
    """Send the zip archive; a download that broke off goes on with Range."""
    project_id, export_id = call.project_id, call.ids["export_id"]

    def read(reading: Reading) -> tuple[Export, str]:
        return exports.get(reading, project_id, export_id), projects.get(reading, project_id).name

    export, project = await call.store.aread(read)
    if export.sha256 is None:
        raise Conflict("there is no archive of this export: it is not finished, or was written into a folder")
    path = await asyncio.to_thread(call.store.blobs.path, export.sha256)
    name = f"{_safe(project)}-{export.format}-{export.id}.zip"
    return File(path=path, media_type="application/zip", etag=export.sha256, name=name, immutable=False)


@OPERATIONS.delete(
    "/api/projects/{project_id}/exports/{export_id}",
    permission=Permission.PROJECT_ADMIN,
    audit="export.delete",
    summary="Delete an export",
)
async def delete_export(call: Call) -> None:
    project_id, export_id = call.project_id, call.ids["export_id"]
    await call.store.awrite(lambda tx: exports.delete(tx, project_id, export_id))


def _require_snapshot(reading: Reading, project_id: int, snapshot_id: int) -> None:
    try:
        snapshots.get(reading, project_id, snapshot_id)
    except NotFound as error:
        raise InvalidInput(f"the project has no snapshot {snapshot_id}", field="snapshot_id") from error


def _safe(name: str) -> str:
    """Return the name without what any file system might refuse."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "project"
