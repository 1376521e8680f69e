"""Erasing an image for good."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from appliance.store import purge
from appliance.store.purge import Affected, Purged
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("purge", "Erasing an image for good, history and all")


class Erasing(Body):
    """`confirm` is the image's name, typed; the audit log keeps the reason. Without `delete_snapshots`
    an image that a snapshot holds is not erased."""

    confirm: Annotated[str, Meta(max_length=500)]
    reason: Annotated[str, Meta(min_length=3, max_length=500)]
    delete_snapshots: bool = False


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/purge",
    permission=Permission.PROJECT_ADMIN,
    response=Affected,
    summary="Tell what erasing an image would erase",
)
async def preview_purge(call: Call) -> Affected:
    project_id, image_id = call.project_id, call.ids["image_id"]
    return await call.store.aread(lambda reading: purge.affected(reading, project_id, image_id))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/{image_id}/purge",
    permission=Permission.PROJECT_ADMIN,
    body=Erasing,
    response=Purged,
    audit="image.purge",
    summary="Erase an image for good, with its bytes, annotations, history and comments",
)
async def purge_image(call: Call) -> Purged:
    """There is no way back. Bytes that other images or other projects' snapshots refer to stay there."""
    project_id, image_id, body = call.project_id, call.ids["image_id"], call.body
    blobs, cache = call.store.blobs, call.store.cache
    return await call.store.awrite(
        lambda tx: purge.purge(
            tx, blobs, cache, project_id, image_id, confirm=body.confirm, reason=body.reason,
            delete_snapshots=body.delete_snapshots,
        )
    )  # fmt: skip
