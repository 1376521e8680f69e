"""Models: weights to prelabel with, in and out, and what they were made of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from appliance.errors import Conflict, InvalidInput
from appliance.jobs import packages, runtimes
from appliance.jobs.conversion import Ability
from appliance.jobs.weights import admit_model
from appliance.records import Job, Model, Provenance
from appliance.store import Reading, Transaction, jobs, models, policy
from appliance.store.blobs import Staged
from appliance.web.files import File, receive, receive_two
from appliance.web.operations import OF_A_FILE, Call, Listing, Operations, Paged, Query, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, FileName

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("models", "Weights to prelabel with")

# An inspection may take minutes; they wait for one another here and nowhere else.
_inspector = ThreadPoolExecutor(1, thread_name_prefix="weights")

T = TypeVar("T")


class ModelUse(msgspec.Struct, frozen=True, kw_only=True):
    """A project that the model prelabels, or answers clicks in."""

    project_id: int
    name: str


class ModelRow(Model, frozen=True):
    """A model, and the projects the caller may see that use it."""

    used_by: list[ModelUse]


class Pair(Query, frozen=True):
    """`encoder_bytes` says how long the first of the two files is."""

    name: Annotated[str, Meta(min_length=1, max_length=1_000)]
    encoder_bytes: Annotated[int, Meta(ge=1)]


class ModelChange(Body):
    archived: bool


class Checkpoint(Query, frozen=True):
    """`trusted` confirms that the file's own code may run, which an administrator has to allow."""

    name: Annotated[str, Meta(min_length=1, max_length=1_000)]
    trusted: bool = False


class Conversions(msgspec.Struct, frozen=True, kw_only=True):
    """Whether checkpoints can be converted here, and whether they may run their own code meanwhile."""

    ability: Ability
    pickles_allowed: bool


class Pickles(Body):
    allowed: bool


@OPERATIONS.get(
    "/api/models",
    permission=Permission.SIGNED_IN,
    query=Paged,
    response=Listing[ModelRow],
    summary="List the models, archived ones too",
)
async def list_models(call: Call) -> Listing[ModelRow]:
    page: Paged = call.query
    sees_all = call.user.role in ("admin", "operator")
    user_id = call.user.id

    def read(reading: Reading) -> Listing[ModelRow]:
        found = models.listed(reading, after=page.after, limit=page.limit)
        member = None if sees_all else user_id
        rows = [_row(reading, model, member) for model in found.items]
        return Listing(items=rows, next=listing(found).next)

    return await call.store.aread(read)


@OPERATIONS.post(
    "/api/models",
    permission=Permission.OPERATE,
    query=FileName,
    raw=True,
    response=Model,
    status=201,
    audit="model.create",
    also=(200,),
    summary="Send an ONNX file",
)
async def upload_model(call: Call) -> Model:
    """Take a model in once it was inspected and ran in a limited child.

    Weights that are here already are answered with 200, the header ``X-PixelQueue-Duplicate: 1``
    and the model that has them.
    """
    return await _added(call, {"weights": await receive(call, call.settings.max_model_bytes)})


@OPERATIONS.post(
    "/api/models/pair",
    permission=Permission.OPERATE,
    query=Pair,
    raw=True,
    response=Model,
    status=201,
    audit="model.create",
    summary="Send the encoder and the decoder of a model that answers clicks, one after the other",
)
async def upload_pair(call: Call) -> Model:
    """Take in a SAM in ONNX: the body is the encoder, ``encoder_bytes`` long, and then the decoder."""
    encoder, decoder = await receive_two(call, call.query.encoder_bytes, call.settings.max_model_bytes)
    return await _added(call, {"encoder": encoder, "decoder": decoder})


@OPERATIONS.post(
    "/api/models/import",
    permission=Permission.OPERATE,
    query=FileName,
    raw=True,
    response=Model,
    status=201,
    audit="model.create",
    also=(200,),
    summary="Send a model's package from another box",
)
async def import_model(call: Call) -> Model:
    """Take a package in once every file of it was held to its hash, inspected and ran in a limited child.

    A model that is here already is answered as by sending its file.
    """
    name, user_id = call.query.name, call.user.id
    began = call.store.clock.now_ms()
    staged = await receive(call, call.settings.max_model_bytes + (16 << 20))
    model = await _admitted(
        partial(
            packages.admit_package,
            call.store,
            staged,
            name=name,
            created_by=user_id,
            stopping=lambda: call.services.live.stopping,
        ),
    )
    return _told(call, model, model.created_at_ms < began)


@OPERATIONS.get(
    "/api/models/conversion",
    permission=Permission.SIGNED_IN,
    response=Conversions,
    summary="Tell whether checkpoints can be converted here, and what to do where not",
)
async def get_conversion(call: Call) -> Conversions:
    ability = await asyncio.to_thread(call.jobs.conversion.found)
    allowed = await call.store.aread(policy.allows_pickles)
    return Conversions(ability=ability, pickles_allowed=allowed)


@OPERATIONS.put(
    "/api/models/conversion/pickles",
    permission=Permission.ADMIN,
    body=Pickles,
    audit="model.pickles",
    summary="Let checkpoints run their own code while they are converted, or no longer",
)
async def set_pickles(call: Call) -> None:
    """Allow it for files that somebody vouches for; each of them is confirmed again when it is sent."""
    allowed = call.body.allowed
    await call.store.awrite(lambda tx: policy.allow_pickles(tx, allowed))


@OPERATIONS.post(
    "/api/models/convert",
    permission=Permission.OPERATE,
    query=Checkpoint,
    raw=True,
    response=Job,
    status=202,
    audit="job.submit",
    summary="Send a checkpoint (.pt) to be converted",
)
async def convert_model(call: Call) -> Job:
    """Keep the checkpoint and convert it in a job, in a child without a network.

    The job's ``result`` names the model; how alike it answers is in its ``provenance.conversion.parity``.
    """
    query: Checkpoint = call.query
    if query.trusted and not await call.store.aread(policy.allows_pickles):
        raise Conflict("checkpoints that run their own code are not allowed here: an administrator may allow them")
    staged = await receive(call, call.settings.max_model_bytes)
    try:
        await asyncio.to_thread(_require_checkpoint, staged, query.name)
        await asyncio.to_thread(call.store.blobs.settle, [staged])
    finally:
        staged.path.unlink(missing_ok=True)
    user_id, queue = call.user.id, call.jobs
    parameters = {"checkpoint": staged.sha256, "name": query.name, "trusted": query.trusted}

    def write(tx: Transaction) -> Job:
        job = queue.submit_in(tx, "convert", parameters, created_by=user_id, blobs=[staged])
        tx.audit("job.submit", f"job {job.id}", kind="convert", name=query.name, trusted=query.trusted)
        return job

    return await call.store.awrite(write)


@OPERATIONS.get(
    "/api/models/runtimes",
    permission=Permission.SIGNED_IN,
    response=runtimes.Chosen,
    summary="Tell which runtime runs models here and why, and why the others do not",
)
async def get_model_runtimes(call: Call) -> runtimes.Chosen:
    found = await asyncio.to_thread(call.jobs.runtimes.found)
    return runtimes.chosen(found, call.settings)


@OPERATIONS.get("/api/models/{model_id}", permission=Permission.SIGNED_IN, response=Model, summary="Show one model")
async def get_model(call: Call) -> Model:
    model_id = call.ids["model_id"]
    return await call.store.aread(lambda reading: models.get(reading, model_id))


@OPERATIONS.get(
    "/api/models/{model_id}/file",
    permission=Permission.OPERATE,
    response=bytes,
    also=OF_A_FILE,
    summary="Download a model as one file, to carry it to another box",
)
async def get_model_file(call: Call) -> File:
    """Send the package; docs/formats.md tells what is in it."""
    model_id = call.ids["model_id"]
    model = await call.store.aread(lambda reading: models.get(reading, model_id))
    path = await asyncio.to_thread(packages.packed, call.store, model)
    return File(
        path=path,
        media_type="application/zip",
        etag=model.sha256,
        name=packages.file_name(model),
        immutable=False,
    )


@OPERATIONS.patch(
    "/api/models/{model_id}",
    permission=Permission.OPERATE,
    body=ModelChange,
    response=Model,
    audit="model.archive",
    summary="Archive a model that no project uses, or restore it",
)
async def change_model(call: Call) -> Model:
    model_id, archived = call.ids["model_id"], call.body.archived
    return await call.store.awrite(lambda tx: models.archive(tx, model_id, archived=archived))


@OPERATIONS.post(
    "/api/models/{model_id}/prepare",
    permission=Permission.OPERATE,
    response=Job,
    status=202,
    audit="job.submit",
    summary="Get a model ready for this device, which takes minutes where an engine is built",
)
async def prepare_model(call: Call) -> Job:
    """Load the model as prelabelling does; the job's ``result`` names runtime and device, and why no better one.

    One that is under way already is the answer.
    """
    model_id, user_id, queue = call.ids["model_id"], call.user.id, call.jobs

    def write(tx: Transaction) -> Job:
        model = models.get(tx, model_id)
        if model.task == "prompt":
            raise Conflict(f"{model.title} answers clicks and needs no preparing: choose it in a project's settings")
        present = jobs.under_way(tx, "compile", model_id)
        if present is not None:
            return present
        job = queue.submit_in(tx, "compile", {"model_id": model_id}, created_by=user_id)
        tx.audit("job.submit", f"job {job.id}", kind="compile", name=model.title)
        return job

    return await call.store.awrite(write)


@OPERATIONS.delete(
    "/api/models/{model_id}",
    permission=Permission.OPERATE,
    audit="model.delete",
    summary="Delete a model that no project uses",
)
async def delete_model(call: Call) -> None:
    model_id = call.ids["model_id"]
    await call.store.awrite(lambda tx: models.delete(tx, model_id))


async def _added(call: Call, files: dict[str, Staged]) -> Model:
    name, user_id = call.query.name, call.user.id
    sha256 = models.content_sha256({role: staged.sha256 for role, staged in files.items()})
    known = await call.store.aread(lambda reading: models.by_content(reading, sha256))
    model = await _admitted(
        partial(
            admit_model,
            call.store,
            files,
            name=name,
            provenance=Provenance(file=name),
            created_by=user_id,
            stopping=lambda: call.services.live.stopping,
        ),
    )
    return _told(call, model, known is not None)


async def _admitted(admit: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    return await asyncio.shield(loop.run_in_executor(_inspector, copy_context().run, admit))


def _told(call: Call, model: Model, known: bool) -> Model:
    if known:
        call.status = 200
        call.headers["X-PixelQueue-Duplicate"] = "1"
    return model


def _row(reading: Reading, model: Model, member: int | None) -> ModelRow:
    used = models.users(reading, model.id, member_id=member)
    return ModelRow(
        **msgspec.structs.asdict(model), used_by=[ModelUse(project_id=key, name=name) for key, name in used]
    )


def _require_checkpoint(staged: Staged, name: str) -> None:
    """Refuse at once what no child needs to look at.

    Raises:
        InvalidInput: It is empty, or says by its name that it is something else.
    """
    if not name.lower().endswith((".pt", ".pth")):
        raise InvalidInput(f"{name} is no checkpoint: it is named .pt; an ONNX file needs no conversion", file=name)
    if not staged.size_bytes:
        raise InvalidInput(f"{name} is empty", file=name)
