"""Models: weights to prelabel with, and prelabelling."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.jobs._base import FOREGROUND
from appliance.jobs.weights import admit_model
from appliance.records import Job, Model, Provenance
from appliance.store import Reading, images, models, projects
from appliance.store.filters import ImageFilter
from appliance.web.files import receive
from appliance.web.operations import Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, FileName, Id, submit

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("models", "Weights to prelabel with")

# An inspection may take minutes; they wait for one another here and nowhere else.
_inspector = ThreadPoolExecutor(1, thread_name_prefix="weights")
_AT_ONCE = 100
"""This many images at most are prelabelled ahead of other batches: somebody waits for them."""

Fraction = Annotated[float, Meta(ge=0, le=1)]


class AutoLabel(Body):
    """`model_id` defaults to the project's active model; without `image_ids` all that the `filter` lets through."""

    model_id: Id | None = None
    image_ids: Annotated[list[Id], Meta(min_length=1, max_length=100_000)] | None = None
    filter: ImageFilter | None = None
    conf: Fraction = 0.25
    iou: Fraction = 0.7
    submit: bool = False


@OPERATIONS.get(
    "/api/models", permission=Permission.SIGNED_IN, query=Paged, response=Listing[Model], summary="List the models"
)
async def list_models(call: Call) -> Listing[Model]:
    page: Paged = call.query
    return listing(await call.store.aread(lambda reading: models.listed(reading, after=page.after, limit=page.limit)))


@OPERATIONS.post(
    "/api/models",
    permission=Permission.OPERATE,
    query=FileName,
    raw=True,
    response=Model,
    status=201,
    audit="model.create",
    summary="Send an ONNX file",
)
async def upload_model(call: Call) -> Model:
    """Take a model in once it was inspected and ran in a limited child.

    Weights that are here already are answered with 200, the header ``X-PixelQueue-Duplicate: 1``
    and the model that has them.
    """
    name, user_id = call.query.name, call.user.id
    staged = await receive(call, call.settings.max_model_bytes)
    known = await call.store.aread(lambda reading: models.by_content(reading, staged.sha256))
    admit = partial(
        admit_model,
        call.store,
        {"weights": staged},
        name=name,
        provenance=Provenance(file=name),
        created_by=user_id,
        stopping=lambda: call.services.live.stopping,
    )
    loop = asyncio.get_running_loop()
    model = await asyncio.shield(loop.run_in_executor(_inspector, copy_context().run, admit))
    if known is not None:
        call.status = 200
        call.headers["X-PixelQueue-Duplicate"] = "1"
    return model


@OPERATIONS.get("/api/models/{model_id}", permission=Permission.SIGNED_IN, response=Model, summary="Show one model")
async def get_model(call: Call) -> Model:
    model_id = call.ids["model_id"]
    return await call.store.aread(lambda reading: models.get(reading, model_id))


@OPERATIONS.delete(
    "/api/models/{model_id}",
    permission=Permission.OPERATE,
    audit="model.delete",
    summary="Delete a model that no project uses",
)
async def delete_model(call: Call) -> None:
    model_id = call.ids["model_id"]
    await call.store.awrite(lambda tx: models.delete(tx, model_id))


@OPERATIONS.post(
    "/api/projects/{project_id}/auto-label",
    permission=Permission.PROJECT_ANNOTATE,
    body=AutoLabel,
    response=Job,
    status=202,
    audit="job.submit",
    summary="Let a model prelabel images",
)
async def auto_label(call: Call) -> Job:
    """Prelabel the images named, or all that are open, in progress or returned.

    Annotators name the images; prelabelling everything, or sending images to review with their
    predictions, is for reviewers and admins.
    """
    body: AutoLabel = call.body
    project_id = call.project_id
    if call.role == "annotator" and (body.image_ids is None or body.submit):
        raise Forbidden("annotators prelabel the images they name, without submitting them: ask a reviewer")
    await call.store.aread(lambda reading: _check(reading, project_id, body))
    few = body.image_ids is not None and len(body.image_ids) <= _AT_ONCE
    return await submit(call, "auto-label", msgspec.structs.asdict(body), priority=FOREGROUND if few else None)


def _check(reading: Reading, project_id: int, body: AutoLabel) -> None:
    """Refuse at once what the job would find out later.

    Raises:
        InvalidInput: There is no such model, or none is chosen.
        NotFound: An image is not the project's.
    """
    model_id = body.model_id if body.model_id is not None else projects.get(reading, project_id).model_id
    if model_id is None:
        raise InvalidInput("the project has no model yet: choose one, or name it", field="model_id")
    try:
        models.get(reading, model_id)
    except NotFound as error:
        raise InvalidInput(f"there is no model {model_id}", field="model_id") from error
    foreign = images.foreign(reading, project_id, body.image_ids or [])
    if foreign is not None:
        raise NotFound(f"the project has no image {foreign}", field="image_ids")
