"""Changes to many images at once: those that are named, or all that match a filter."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appliance.records import Job
from appliance.store import Transaction, bulk, recorded
from appliance.store.bulk import Change, Changed, Selection
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


class Sharing(Images, kw_only=True):
    """The images are dealt out to `people` in turn, in the order they were added."""

    people: Annotated[list[Id], Meta(min_length=1, max_length=500)]


class Urgency(Images, kw_only=True):
    """0 is normal; what has more comes sooner."""

    priority: Annotated[int, Meta(ge=-1_000, le=1_000)]


class Deadline(Images, kw_only=True):
    """`due_at_ms` null takes the date away."""

    due_at_ms: Annotated[int, Meta(ge=0, le=2**53)] | None


class Moving(Images, kw_only=True):
    """To the front or the end of the order made by hand; among each other they stay as they are."""

    to: Literal["front", "end"]


class Outcome(Body):
    """`changed` of `images` are not as they were; with many images a `job` does it, and counts there.

    What was done at once has a `job`, too, that is over: it is undone like any other. Only where
    nothing changed, or images were deleted, there is none.
    """

    images: int
    changed: int = 0
    job: Job | None = None


@OPERATIONS.post(
    "/api/projects/{project_id}/images/delete",
    permission=Permission.PROJECT_ADMIN,
    body=Images,
    response=Outcome,
    audit="image.delete",
    also=(202,),
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
    also=(202,),
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
    also=(202,),
    summary="Give images to a member, or take them back",
)
async def assign_images(call: Call) -> Outcome:
    """Only the assignee gets them, however long they lie.

    What somebody else has begun is open again; images in review or done are passed over.
    """
    body: Assignment = call.body
    return await _done(call, Change(action="assign", selection=body.selection(), assignee_id=body.assignee_id))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/share",
    permission=Permission.PROJECT_ADMIN,
    body=Sharing,
    response=Outcome,
    audit="image.share",
    also=(202,),
    summary="Deal images out to several members in turn",
)
async def share_images(call: Call) -> Outcome:
    """As if each of them had been assigned."""
    body: Sharing = call.body
    return await _done(call, Change(action="share", selection=body.selection(), people=body.people))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/prioritise",
    permission=Permission.PROJECT_ADMIN,
    body=Urgency,
    response=Outcome,
    audit="image.prioritise",
    also=(202,),
    summary="Say how urgent images are",
)
async def prioritise_images(call: Call) -> Outcome:
    body: Urgency = call.body
    return await _done(call, Change(action="prioritise", selection=body.selection(), priority=body.priority))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/due",
    permission=Permission.PROJECT_ADMIN,
    body=Deadline,
    response=Outcome,
    audit="image.due",
    also=(202,),
    summary="Say by when images are to be annotated",
)
async def set_due(call: Call) -> Outcome:
    body: Deadline = call.body
    return await _done(call, Change(action="due", selection=body.selection(), due_at_ms=body.due_at_ms))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/move",
    permission=Permission.PROJECT_ADMIN,
    body=Moving,
    response=Outcome,
    audit="image.move",
    also=(202,),
    summary="Put images first or last in the order made by hand",
)
async def move_images(call: Call) -> Outcome:
    body: Moving = call.body
    return await _done(call, Change(action="move", selection=body.selection(), to=body.to))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/settle",
    permission=Permission.PROJECT_ADMIN,
    body=Images,
    response=Outcome,
    audit="image.settle",
    also=(202,),
    summary="Bring images in review and done to where the review policy has them",
)
async def settle_images(call: Call) -> Outcome:
    """After a change of the policy: what lacks approvals goes back to review, what lacks none is done."""
    return await _done(call, Change(action="settle", selection=call.body.selection()))


async def _done(call: Call, change: Change) -> Outcome:
    """Do it now, or with many images let a job do it."""
    project_id = call.project_id
    await call.store.aread(lambda reading: bulk.check(reading, project_id, change))
    change = await call.store.aread(lambda reading: bulk.prepared(reading, project_id, change))
    many = await call.store.aread(lambda reading: bulk.number(reading, project_id, change.selection))
    parameters: dict[str, Any] = msgspec.to_builtins(change)
    at_once = many <= DIRECT_IMAGES

    def begin(tx: Transaction) -> int | None:
        bulk.told(tx, project_id, change, many)
        if not at_once or change.action == "delete":
            return None
        return call.jobs.record_in(tx, "change-images", parameters, project_id=project_id, created_by=call.user.id)

    job_id = await call.store.awrite(begin)
    if not at_once:
        call.status = 202
        return Outcome(images=many, job=await submit(call, "change-images", parameters))
    so_far = Changed()
    while (done := await call.store.awrite(_step(project_id, change, so_far, job_id))) is not so_far:
        so_far = done
    job = None if job_id is None else await call.store.awrite(_end(job_id, so_far))
    return Outcome(images=so_far.images, changed=so_far.changed, job=job)


def _step(project_id: int, change: Change, so_far: Changed, job_id: int | None) -> Any:
    def some(tx: Transaction) -> Changed:
        return bulk.step(tx, project_id, change, so_far, job_id)

    return some


def _end(job_id: int, done: Changed) -> Any:
    result = {"images": done.images, "changed": done.changed}
    return lambda tx: recorded.close(tx, job_id, result, images=done.changed)
