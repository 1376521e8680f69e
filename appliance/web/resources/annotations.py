"""Annotations of an image: reading them, saving diffs, their history."""

from __future__ import annotations

import msgspec

from appliance.errors import Conflict
from appliance.records import Annotation, Diff, ImageAnnotations, Saved, Task
from appliance.store import Reading, Transaction, annotations, history, images, tasks
from appliance.store.history import Entry
from appliance.store.rows import Page
from appliance.web.operations import Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("annotations", "Annotations of an image")


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/annotations",
    permission=Permission.PROJECT_READ,
    response=ImageAnnotations,
    summary="Read the annotations of an image",
)
async def get_annotations(call: Call) -> ImageAnnotations:
    project_id, image_id = call.project_id, call.ids["image_id"]
    return await call.store.aread(lambda reading: annotations.of_image(reading, project_id, image_id))


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
    with 409, `stale-revision`, and the present annotations. An annotator's edit of an image that
    is in review is refused with 409, `conflict`, and so is one of an image that somebody else
    finished since; hand it in as late work then. Any other edit of a done image reopens it.
    """
    project_id, image_id, diff = call.project_id, call.ids["image_id"], call.body
    user_id, annotator, lease_ms = call.user.id, call.role == "annotator", call.settings.lease_s * 1000

    def save(tx: Transaction) -> Saved:
        before = images.get(tx, project_id, image_id)
        task = tasks.of_image(tx, image_id)
        frozen = _frozen(task, user_id, diff) if annotator else None
        if frozen and history.revision_of(tx, image_id, diff.diff_id) is None:
            raise Conflict(frozen)
        saved = annotations.save(tx, project_id, image_id, diff, author_id=user_id)
        if saved.revision > before.revision and task.state in tasks.EDITABLE:
            tasks.opened_by_edit(tx, task, user_id, lease_ms)
        return saved

    return await call.store.awrite(save)


def _frozen(task: Task, user_id: int, diff: Diff) -> str | None:
    """Say why an annotator's diff is not taken: the image is in review, or was done before they saw it so."""
    if task.state not in tasks.EDITABLE:
        return "the image is in review: it can be edited when the reviewer has returned it"
    if task.state == "done" and task.assignee_id != user_id and diff.revision < task.revision:
        return "somebody else finished this image meanwhile: look at it again"
    return None


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/history",
    permission=Permission.PROJECT_READ,
    query=Paged,
    response=Listing[Entry],
    summary="List the revisions of an image, newest first",
)
async def list_history(call: Call) -> Listing[Entry]:
    project_id, image_id, page = call.project_id, call.ids["image_id"], call.query

    def read(reading: Reading) -> Page:
        images.get(reading, project_id, image_id)
        return history.listed(reading, image_id, before=page.after or None, limit=page.limit)

    return listing(await call.store.aread(read))


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
