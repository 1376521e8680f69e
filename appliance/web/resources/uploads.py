"""Pictures and archives that come in, as raw bytes."""

from __future__ import annotations

import asyncio
import zipfile

from appliance.errors import UnsafeArchive
from appliance.records import Image, Job
from appliance.store.blobs import Staged
from appliance.web.files import receive
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._common import FileName, submit

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("uploads", "Pictures and archives that come in")


@OPERATIONS.post(
    "/api/projects/{project_id}/images",
    permission=Permission.PROJECT_ANNOTATE,
    query=FileName,
    raw=True,
    response=Image,
    status=201,
    audit="image.add",
    also=(200,),
    summary="Send a picture",
)
async def upload_image(call: Call) -> Image:
    """Take a picture in: it is decoded and durable when the answer comes.

    A picture that the project has already is answered with 200, the header
    ``X-PixelQueue-Duplicate: 1`` and the image that is there.
    """
    staged = await receive(call, call.settings.max_upload_bytes)
    admitting = call.jobs.ingest.admitting(call.project_id, call.query.name, staged)
    image, duplicate = await asyncio.shield(asyncio.wrap_future(admitting))
    if duplicate:
        call.status = 200
        call.headers["X-PixelQueue-Duplicate"] = "1"
    return image


@OPERATIONS.post(
    "/api/projects/{project_id}/archives",
    permission=Permission.PROJECT_ANNOTATE,
    query=FileName,
    raw=True,
    response=Job,
    status=202,
    audit="job.submit",
    summary="Send a zip archive of pictures or of a dataset",
)
async def upload_archive(call: Call) -> Job:
    """Keep the archive and import it in a job.

    A dataset brings labels and annotations, which is for the project's admin; of anybody else's
    archive only the pictures are taken.
    """
    name = call.query.name
    staged = await receive(call, call.settings.max_upload_bytes)
    await asyncio.to_thread(_settle, call, staged, name)
    form = "auto" if call.role == "admin" else "pictures"
    return await submit(call, "import", {"archive": staged.sha256, "name": name, "format": form}, blobs=[staged])


def _settle(call: Call, staged: Staged, name: str) -> None:
    """Make the archive durable once it looks like one."""
    try:
        if not zipfile.is_zipfile(staged.path):
            raise UnsafeArchive(f"{name} is no zip archive: pack the files as .zip", file=name)
        call.store.blobs.settle([staged])
    finally:
        staged.path.unlink(missing_ok=True)
