"""The model a project prelabels with: which it is, what its labels become, and prelabelling itself."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.jobs._base import FOREGROUND
from appliance.jobs.label_matching import Match, matches
from appliance.records import Activation, Job, Model
from appliance.store import Reading, Transaction, activations, images, labels, model_labels, models, projects
from appliance.store.filters import ImageFilter
from appliance.store.model_labels import LabelChoice
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, Id, submit

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("prelabelling", "The model a project prelabels with")

_AT_ONCE = 100
"""This many images at most are prelabelled ahead of other batches: somebody waits for them."""

Fraction = Annotated[float, Meta(ge=0, le=1)]


class ProjectModels(msgspec.Struct, frozen=True, kw_only=True):
    """The active model, the one a roll back returns to, and what was active before, newest first."""

    active: Model | None
    previous: Model | None
    history: list[Activation]


class Activate(Body):
    """Null for no model."""

    model_id: Id | None


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each of a model's labels in a project, by class index."""

    model_id: int
    labels: list[Match]


class Choices(Body):
    """What is decided, whole: labels that are not named are left to their names."""

    labels: Annotated[list[LabelChoice], Meta(max_length=10_000)]


class AutoLabel(Body):
    """`model_id` defaults to the project's active model; without `image_ids` all that the `filter` lets through."""

    model_id: Id | None = None
    image_ids: Annotated[list[Id], Meta(min_length=1, max_length=100_000)] | None = None
    filter: ImageFilter | None = None
    conf: Fraction = 0.25
    iou: Fraction = 0.7
    submit: bool = False


@OPERATIONS.get(
    "/api/projects/{project_id}/models",
    permission=Permission.PROJECT_READ,
    response=ProjectModels,
    summary="Show the active model, and those before it",
)
async def get_project_models(call: Call) -> ProjectModels:
    project_id = call.project_id
    return await call.store.aread(lambda reading: _turns(reading, project_id))


@OPERATIONS.post(
    "/api/projects/{project_id}/models/activate",
    permission=Permission.PROJECT_ADMIN,
    body=Activate,
    response=ProjectModels,
    audit="model.activate",
    summary="Prelabel with a model from now on, or with none",
)
async def activate_model(call: Call) -> ProjectModels:
    """What the model before it predicted stays until images are prelabelled anew."""
    project_id, model_id = call.project_id, call.body.model_id

    def write(tx: Transaction) -> ProjectModels:
        activations.activate(tx, project_id, model_id)
        return _turns(tx, project_id)

    return await call.store.awrite(write)


@OPERATIONS.post(
    "/api/projects/{project_id}/models/rollback",
    permission=Permission.PROJECT_ADMIN,
    response=ProjectModels,
    audit="model.rollback",
    summary="Return to the model that was active before",
)
async def roll_back_model(call: Call) -> ProjectModels:
    """Go one step back; again, and it is the model before that one."""
    project_id = call.project_id

    def write(tx: Transaction) -> ProjectModels:
        activations.roll_back(tx, project_id)
        return _turns(tx, project_id)

    return await call.store.awrite(write)


@OPERATIONS.get(
    "/api/projects/{project_id}/models/{model_id}/labels",
    permission=Permission.PROJECT_READ,
    response=Mapping,
    summary="Show what becomes of a model's labels in the project",
)
async def get_model_labels(call: Call) -> Mapping:
    """Suggestions come with each label: the same words, synonyms, similar spellings."""
    project_id, model_id = call.project_id, call.ids["model_id"]
    return await call.store.aread(lambda reading: _mapping(reading, project_id, models.get(reading, model_id)))


@OPERATIONS.put(
    "/api/projects/{project_id}/models/{model_id}/labels",
    permission=Permission.PROJECT_ADMIN,
    body=Choices,
    response=Mapping,
    audit="model.map",
    summary="Decide what becomes of a model's labels in the project",
)
async def put_model_labels(call: Call) -> Mapping:
    project_id, model_id, choices = call.project_id, call.ids["model_id"], call.body.labels

    def write(tx: Transaction) -> Mapping:
        model = models.get(tx, model_id)
        model_labels.put(tx, project_id, model, choices)
        return _mapping(tx, project_id, model)

    return await call.store.awrite(write)


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


def _turns(reading: Reading, project_id: int) -> ProjectModels:
    return ProjectModels(
        active=activations.active(reading, project_id),
        previous=activations.previous(reading, project_id),
        history=activations.listed(reading, project_id),
    )


def _mapping(reading: Reading, project_id: int, model: Model) -> Mapping:
    chosen = model_labels.chosen(reading, project_id, model.id)
    return Mapping(model_id=model.id, labels=matches(model, labels.listed(reading, project_id), chosen))
