"""Uploads that go on where they broke off: tus 1.0.0, and what its files become."""

from __future__ import annotations

import asyncio
from typing import Literal

from appliance.errors import Conflict, Forbidden, InvalidInput
from appliance.jobs.inspection import Preview, preview
from appliance.records import Image, Job, Upload
from appliance.store import Transaction, images, uploads
from appliance.store.blobs import Staged
from appliance.store.uploads import NewUpload
from appliance.web import tus
from appliance.web.files import receive
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission
from appliance.web.problems import MalformedRequest
from appliance.web.resources._common import Body

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("resumable", "Uploads that go on where they broke off (tus 1.0.0)")

_PATH = "/api/projects/{project_id}/uploads"
_DATASETS = (".zip", ".json")
_UNAUDITED = "what comes of it is audited: image.add, or job.submit"


class Take(Body, frozen=True):
    """What of a dataset shall be taken."""

    take: Literal["everything", "pictures"] = "everything"


@OPERATIONS.options(
    _PATH,
    permission=Permission.PROJECT_ANNOTATE,
    headers=tus.HEADERS,
    summary="Tell what of tus the box knows",
)
async def upload_capabilities(call: Call) -> None:
    """Answer in the headers Tus-Version, Tus-Extension, Tus-Max-Size and Tus-Checksum-Algorithm."""
    call.headers |= tus.capabilities(call.settings.max_upload_bytes)


@OPERATIONS.post(
    _PATH,
    permission=Permission.PROJECT_ANNOTATE,
    raw=True,
    response=Upload,
    status=201,
    unaudited=_UNAUDITED,
    headers=tus.HEADERS,
    summary="Begin an upload, with its first bytes or without",
)
async def begin_upload(call: Call) -> Upload:
    """Make an upload of ``Upload-Length`` bytes, named by ``filename`` in ``Upload-Metadata``.

    With a body it begins with these bytes; when they are all of a picture, it is an image, or
    refused, when the answer comes. A name in .zip or .json is a dataset that waits to be looked at.
    """
    tus.require_version(call.request)
    new = await _new(call)
    announced = tus.body_length(call.request)
    if new.kind == "picture" and announced == new.length_bytes:
        return _begun(call, await _in_one_piece(call, new))
    await asyncio.to_thread(call.store.require_space, new.length_bytes)
    limit = call.settings.max_unfinished_uploads
    upload = await call.store.awrite(lambda tx: uploads.create(tx, new, unfinished_limit=limit))
    if announced != 0:
        with call.arrivals.holding(upload):
            upload = await call.arrivals.receive(call.request, upload, 0, tus.checksum(call.request))
            upload = await call.arrivals.finish(upload)
    return _begun(call, upload)


@OPERATIONS.get(
    _PATH + "/{upload_id}",
    permission=Permission.PROJECT_ANNOTATE,
    response=Upload,
    headers=tus.HEADERS,
    summary="Show an upload: how far it came and what became of it",
)
async def show_upload(call: Call) -> Upload:
    """Answer HEAD as tus wants it, and GET with the same headers and the upload itself.

    An upload that came whole while the box could not deal with it is dealt with now.
    """
    if call.request.method == "HEAD":
        tus.require_version(call.request)
    upload = await _mine(call)
    if upload.state == "receiving" and not call.arrivals.held(upload):
        with call.arrivals.holding(upload):
            upload = await call.arrivals.finish(upload)
    call.headers |= _facts(call, upload)
    call.headers["Upload-Length"] = str(upload.length_bytes)
    if upload.metadata:
        call.headers["Upload-Metadata"] = upload.metadata
    return upload


@OPERATIONS.patch(
    _PATH + "/{upload_id}",
    permission=Permission.PROJECT_ANNOTATE,
    raw=True,
    unaudited=_UNAUDITED,
    headers=tus.HEADERS,
    summary="Go on with an upload",
)
async def continue_upload(call: Call) -> None:
    """Append the body at ``Upload-Offset``; what is acknowledged is durable.

    After the last byte of a picture the answer comes when it is an image or refused: ask for the
    upload to see which.
    """
    tus.require_version(call.request)
    offset, checksum = tus.offset(call.request), tus.checksum(call.request)
    if tus.body_length(call.request) == 0 and not (call.request.content_type or "").startswith("application/offset"):
        raise MalformedRequest("there are no bytes here", field="Content-Type")
    with call.arrivals.holding(await _mine(call)):
        upload = await call.arrivals.receive(call.request, await _mine(call), offset, checksum)
        upload = await call.arrivals.finish(upload)
    call.headers |= _facts(call, upload)


@OPERATIONS.delete(
    _PATH + "/{upload_id}",
    permission=Permission.PROJECT_ANNOTATE,
    unaudited="nothing of the project changes",
    headers=tus.HEADERS,
    summary="Drop an upload and its bytes",
)
async def drop_upload(call: Call) -> None:
    """Forget the upload; the image or job that came of it stays."""
    tus.require_version(call.request)
    upload = await _mine(call)
    with call.arrivals.holding(upload):
        await call.arrivals.remove(upload)


@OPERATIONS.post(
    _PATH + "/{upload_id}",
    permission=Permission.PROJECT_ANNOTATE,
    raw=True,
    unaudited=_UNAUDITED,
    headers=tus.HEADERS,
    summary="Go on with an upload, or drop it, where a network lets only POST through",
)
async def override_upload(call: Call) -> None:
    """Do what ``X-HTTP-Method-Override`` says: PATCH or DELETE."""
    method = call.request.get_header("X-HTTP-Method-Override")
    handler = {"PATCH": continue_upload, "DELETE": drop_upload}.get(method or "")
    if handler is None:
        raise MalformedRequest("say PATCH or DELETE", field="X-HTTP-Method-Override")
    await handler(call)


@OPERATIONS.get(
    _PATH + "/{upload_id}/preview",
    permission=Permission.PROJECT_ANNOTATE,
    response=Preview,
    summary="Look into an uploaded dataset, writing nothing",
)
async def preview_upload(call: Call) -> Preview:
    """Recognise the format and count pictures, labels and annotations, against what the project has."""
    upload = await _ready(call)
    return await asyncio.to_thread(preview, call.store, call.settings, upload)


@OPERATIONS.post(
    _PATH + "/{upload_id}/import",
    permission=Permission.PROJECT_ANNOTATE,
    body=Take,
    response=Job,
    status=202,
    audit="job.submit",
    summary="Import an uploaded dataset",
)
async def import_upload(call: Call) -> Job:
    """Import everything, which is for the project's admin, or only the pictures, in a job.

    Pictures that were sent apart from it, with ``batch`` in their metadata, stand where the dataset
    names them; pictures it names and does not bring are looked for in the project by their names.
    """
    everything = call.body.take == "everything"
    if everything and call.role != "admin":
        raise Forbidden("only the project's admin may import annotations: take the pictures, or ask its admin")
    upload = await _ready(call)
    staged = await asyncio.to_thread(_settled, call, upload)
    parameters = {
        "archive": staged.sha256,
        "name": upload.name,
        "format": "auto" if everything else "pictures",
        "upload": upload.id,
    }

    def write(tx: Transaction) -> Job:
        job = call.jobs.submit_in(
            tx, "import", parameters, project_id=upload.project_id, created_by=upload.user_id, blobs=[staged]
        )
        uploads.imported(tx, upload, job.id)
        tx.audit("job.submit", f"job {job.id}", project_id=upload.project_id, kind=job.kind)
        return job

    return await call.store.awrite(write)


async def _new(call: Call) -> NewUpload:
    """Read what an upload shall be off the headers.

    Raises:
        NotFound: It belongs to a batch that there is not.
    """
    sent, facts = tus.metadata(call.request)
    if not facts.get("filename"):
        raise MalformedRequest("name the file: filename in Upload-Metadata", field="Upload-Metadata")
    name = images.clean_name(facts["filename"])
    return NewUpload(
        project_id=call.project_id,
        user_id=call.user.id,
        name=name,
        kind="dataset" if name.lower().endswith(_DATASETS) else "picture",
        length_bytes=tus.length(call.request, call.settings.max_upload_bytes),
        metadata=sent,
        batch_id=await _batch(call, facts.get("batch")),
        keep_s=call.settings.upload_keep_s,
    )


async def _batch(call: Call, text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:
        raise MalformedRequest("batch is the number of a dataset's upload", field="Upload-Metadata")
    project_id, user_id, batch_id = call.project_id, call.user.id, int(text)
    batch = await call.store.aread(lambda reading: uploads.get(reading, project_id, batch_id, user_id))
    if batch.kind != "dataset":
        raise InvalidInput(f"upload {batch_id} is no dataset", field="Upload-Metadata")
    return batch.id


async def _in_one_piece(call: Call, new: NewUpload) -> Upload:
    """Admit a picture whose bytes all came with the request that began it; one commit for both."""
    checksum, made = tus.checksum(call.request), list[Upload]()
    staged = await receive(call, new.length_bytes)
    try:
        if checksum:
            checksum.check(await asyncio.to_thread(_digest, staged, checksum))
    except BaseException:
        staged.path.unlink(missing_ok=True)
        raise

    def also(tx: Transaction, image: Image, duplicate: bool) -> None:
        made[:] = [uploads.admitted(tx, new, image.id, duplicate=duplicate)]

    try:
        admitting = call.jobs.ingest.admitting(new.project_id, new.name, staged, also=also)
        await asyncio.shield(asyncio.wrap_future(admitting))
    except InvalidInput as error:
        problem = error.as_dict()
        return await call.store.awrite(lambda tx: uploads.refused(tx, new, problem))
    return made[0]


def _digest(staged: Staged, checksum: tus.Checksum) -> bytes:
    if checksum.algorithm == "sha256":
        return bytes.fromhex(staged.sha256)
    hasher = checksum.hasher()
    with staged.path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.digest()


async def _mine(call: Call) -> Upload:
    project_id, user_id, upload_id = call.project_id, call.user.id, call.ids["upload_id"]
    return await call.store.aread(lambda reading: uploads.get(reading, project_id, upload_id, user_id))


async def _ready(call: Call) -> Upload:
    upload = await _mine(call)
    if upload.kind != "dataset" or upload.state not in ("ready", "done"):
        raise Conflict("this upload is no dataset that came whole", details={"state": upload.state})
    return upload


def _settled(call: Call, upload: Upload) -> Staged:
    """Make a blob of the upload's bytes; they keep their place until the upload expires."""
    staged = call.store.blobs.stage_link(call.store.incoming.path(upload.id))
    try:
        call.store.blobs.settle([staged])
    finally:
        staged.path.unlink(missing_ok=True)
    return staged


def _begun(call: Call, upload: Upload) -> Upload:
    call.headers |= _facts(call, upload)
    call.headers["Location"] = f"/api/projects/{upload.project_id}/uploads/{upload.id}"
    return upload


def _facts(call: Call, upload: Upload) -> dict[str, str]:
    return {
        "Upload-Offset": str(call.arrivals.offset(upload)),
        "Upload-Expires": tus.expires(upload.expires_at_ms),
    }
