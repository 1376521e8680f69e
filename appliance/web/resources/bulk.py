"""Changes to many images at once: those that are named, or all that match a filter."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from appliance.records import Job
from appliance.store import Transaction, bulk
from appliance.store.bulk import Before, Change, Changed, Selection
from appliance.store.filters import ImageFilter
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._common import DIRECT_IMAGES, Body, Id, submit

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("bulk", "One change to many images")


class Images(Body):
    """Either the `ids` of images or a `filter`."""

    ids: Annotated[list[Id], Meta(min_length=1, max_length=100_000)] | None = None
    filter: ImageFilter | None = None

    def selection(self) -> Selection:
        return Selection(ids=self.ids, filter=self.filter)


class Assignment(Images, kw_only=True):
    """`assignee_id` null takes the images from whoever has them."""

    assignee_id: Id | None


class Outcome(Body):
    """`changed` of `images` are not as they were; with many images a `job` does it, and counts there.

    `before` says whose the images were, for taking an assignment back.
    """

    images: int
    changed: int = 0
    before: list[Before] = field(default_factory=list)
    job: Job | None = None


@OPERATIONS.post(
    "/api/projects/{project_id}/images/delete",
    permission=Permission.PROJECT_ADMIN,
    body=Images,
    response=Outcome,
    audit="image.delete",
    summary="Delete images with their annotations and history",
)
async def delete_images(call: Call) -> Outcome:
    return await _done(call, Change(action="delete", selection=call.body.selection()))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/reopen",
    permission=Permission.PROJECT_ADMIN,
    body=Images,
    response=Outcome,
    audit="image.reopen",
    summary="Open images again that are in review, done or skipped",
)
async def reopen_images(call: Call) -> Outcome:
    """Their annotations stay as they are; images that are open or being worked on are passed over."""
    return await _done(call, Change(action="reopen", selection=call.body.selection()))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/assign",
    permission=Permission.PROJECT_ADMIN,
    body=Assignment,
    response=Outcome,
    audit="image.assign",
    summary="Give images to a member, or take them back",
)
async def assign_images(call: Call) -> Outcome:
    """What somebody has begun is open again; images in review or done are passed over."""
    body: Assignment = call.body
    return await _done(call, Change(action="assign", selection=body.selection(), assignee_id=body.assignee_id))


async def _done(call: Call, change: Change) -> Outcome:
    """Do it now, or with many images let a job do it."""
    project_id = call.project_id
    await call.store.aread(lambda reading: bulk.check(reading, project_id, change))
    many = await call.store.aread(lambda reading: bulk.number(reading, project_id, change.selection))
    await call.store.awrite(lambda tx: bulk.told(tx, project_id, change, many))
    if many > DIRECT_IMAGES:
        call.status = 202
        parameters: dict[str, Any] = msgspec.to_builtins(change)
        return Outcome(images=many, job=await submit(call, "change-images", parameters))
    so_far = Changed()
    while (done := await call.store.awrite(_step(project_id, change, so_far))) is not so_far:
        so_far = done
    return Outcome(images=so_far.images, changed=so_far.changed, before=_together(so_far.before))


def _step(project_id: int, change: Change, so_far: Changed) -> Any:
    def some(tx: Transaction) -> Changed:
        return bulk.step(tx, project_id, change, so_far)

    return some


def _together(before: list[Before]) -> list[Before]:
    by_person: dict[int | None, list[int]] = {}
    for one in before:
        by_person.setdefault(one.assignee_id, []).extend(one.ids)
    return [Before(assignee_id=key, ids=ids) for key, ids in by_person.items()]
