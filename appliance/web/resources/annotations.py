"""Annotations of an image: reading them, and saving diffs."""

from __future__ import annotations

import msgspec

from appliance.records import Annotation, Diff, ImageAnnotations, Saved
from appliance.store import Reading, Transaction, annotations, history, images, wire
from appliance.store.wire import WireAnnotations
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._editing import edited

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("annotations", "Annotations of an image")


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/annotations",
    permission=Permission.PROJECT_READ,
    response=ImageAnnotations,
    summary="Read the annotations of an image",
)
async def get_annotations(call: Call) -> WireAnnotations:
    project_id, image_id = call.project_id, call.ids["image_id"]
    return await call.store.aread(lambda reading: wire.of_image(reading, project_id, image_id))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/{image_id}/annotations",
    permission=Permission.PROJECT_ANNOTATE,
    body=Diff,
    response=Saved,
    unaudited="the image's history keeps every revision with its author",
    summary="Save a diff",
)
async def save_annotations(call: Call) -> Saved:
    """Apply what was added, changed and removed since a revision.

    The same `diff_id` again gets the answer it got before. What changed meanwhile is answered
    with 409, `stale-revision`, and the present annotations. An annotator's edit is refused with
    409, `conflict`, when the image is in review, approved, finished by somebody else, or somebody
    else's to annotate; hand it in as late work then. Any other edit of a done image reopens it.
    """
    project_id, image_id, diff, user_id = call.project_id, call.ids["image_id"], call.body, call.user.id

    def save(tx: Transaction) -> Saved:
        return annotations.save(tx, project_id, image_id, diff, author_id=user_id)

    return await edited(call, image_id, diff.diff_id, diff.revision, save)


class Predicted(msgspec.Struct, frozen=True):
    """What models made of an image, before anybody touched it."""

    items: list[Annotation]


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/predicted",
    permission=Permission.PROJECT_READ,
    response=Predicted,
    summary="Read what models made of an image, as they made it",
)
async def get_predicted(call: Call) -> Predicted:
    project_id, image_id = call.project_id, call.ids["image_id"]

    def read(reading: Reading) -> Predicted:
        images.get(reading, project_id, image_id)
        return Predicted(history.predictions(reading, image_id))

    return await call.store.aread(read)
