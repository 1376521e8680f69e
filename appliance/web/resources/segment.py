"""Interactive segmentation: clicks and boxes in, the mask of one object out."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.errors import InvalidInput
from appliance.geometry.mask import Mask
from appliance.jobs.segmenting import Ask
from appliance.records import Click, Image, Model, Segmentation
from appliance.store import Reading, Transaction, images, segmenters
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, Id

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("segmentation", "The outline of an object from a few clicks")

Bounds = tuple[float, float, float, float]


class Prompt(Body):
    """At least one positive click, or a box (x1, y1, x2, y2), in pixels of the image.

    `view` is the part of the image that is in sight: on a large picture the segmenter looks closer.
    `mask` is the answer to the prompt before, to go on from, and `chain` that of the same answer: what
    the segmenter kept of it is finer than its mask, which serves once that is gone.
    """

    points: Annotated[list[Click], Meta(max_length=100)] = msgspec.field(default_factory=list)
    box: Bounds | None = None
    view: Bounds | None = None
    mask: Mask | None = None
    chain: Annotated[str, Meta(max_length=64)] | None = None


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """What answers a project's clicks, and what else could; `model_id` is None for the built-in segmenter."""

    segmenter: str
    model_id: int | None
    models: list[Model]


class Choice(Body):
    model_id: Id | None


_SEGMENTER = "/api/projects/{project_id}/segmenter"


@OPERATIONS.get(
    _SEGMENTER,
    permission=Permission.PROJECT_READ,
    response=Answering,
    summary="Say what answers the clicks of the project",
)
async def get_segmenter(call: Call) -> Answering:
    project_id = call.project_id
    return await call.store.aread(lambda reading: _answering(call, reading, project_id))


@OPERATIONS.put(
    _SEGMENTER,
    permission=Permission.PROJECT_ADMIN,
    body=Choice,
    response=Answering,
    audit="segmenter.choose",
    summary="Choose what answers the clicks of the project",
)
async def choose_segmenter(call: Call) -> Answering:
    """Name a model whose task is ``prompt``, or null for the built-in segmenter."""
    project_id, model_id = call.project_id, call.body.model_id

    def choose(tx: Transaction) -> Answering:
        segmenters.choose(tx, project_id, model_id)
        return _answering(call, tx, project_id)

    return await call.store.awrite(choose)


def _answering(call: Call, reading: Reading, project_id: int) -> Answering:
    chosen = segmenters.chosen(reading, project_id)
    return Answering(
        segmenter=call.jobs.segmenting.answering(reading, project_id),
        model_id=chosen.id if chosen else None,
        models=segmenters.listed(reading),
    )


@OPERATIONS.post(
    "/api/projects/{project_id}/images/{image_id}/segment",
    permission=Permission.PROJECT_ANNOTATE,
    body=Prompt,
    response=Segmentation,
    unaudited="it changes nothing: what is drawn of the answer is saved as a diff",
    summary="Outline the object that clicks or a box mean",
)
async def segment_image(call: Call) -> Segmentation:
    """Answers come ahead of every job that runs a model; `segmenter` says which one answered."""
    project_id, image_id, body = call.project_id, call.ids["image_id"], call.body
    image = await call.store.aread(lambda reading: images.get(reading, project_id, image_id))
    _check(body, image)
    ask = Ask(points=body.points, box=body.box, view=body.view, mask=body.mask, chain=body.chain)
    return await asyncio.wrap_future(call.jobs.segmenting.ask(image, ask))


def _check(prompt: Prompt, image: Image) -> None:
    """Refuse what no segmenter could make sense of.

    Raises:
        InvalidInput: Nothing is pointed at, it lies outside the image, or a chain comes without its mask.
        InvalidGeometry: The mask is none of this image.
    """
    if prompt.box is None and not any(click.positive for click in prompt.points):
        raise InvalidInput("point at the object: send a positive click or a box", field="points")
    for n, click in enumerate(prompt.points):
        if not (0 <= click.x <= image.width and 0 <= click.y <= image.height):
            raise InvalidInput(f"{click.x:g}, {click.y:g} lies outside {_size(image)}", field=f"points.{n}")
    for name, bounds in (("box", prompt.box), ("view", prompt.view)):
        if bounds is None:
            continue
        x1, y1, x2, y2 = bounds
        if not (x1 < x2 and y1 < y2 and x2 > 0 and y2 > 0 and x1 < image.width and y1 < image.height):
            raise InvalidInput(f"{name} needs x1 < x2, y1 < y2 and a part inside {_size(image)}", field=name)
    if prompt.mask is not None:
        prompt.mask.check(image.width, image.height)
    elif prompt.chain is not None:
        raise InvalidInput("send the mask of the answer that chain names, too", field="chain")


def _size(image: Image) -> str:
    return f"the image of {image.width} × {image.height} pixels"
