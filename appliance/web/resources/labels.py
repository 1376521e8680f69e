"""Labels: the classes of a project."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field, structs, to_builtins

from appliance.errors import InvalidInput
from appliance.jobs.kinds import relabel
from appliance.records import AttributeSpec, Color, Job, Label, Name, Skeleton
from appliance.store import Transaction, labels, recorded
from appliance.web.operations import Call, Listing, Operations, Query
from appliance.web.permissions import Permission
from appliance.web.resources._common import DIRECT_IMAGES, Body, Id, submit

__all__ = ["OPERATIONS", "LabelBody"]

OPERATIONS = Operations("labels", "The classes of a project")

Hotkey = Annotated[str, Meta(min_length=1, max_length=20)]
Attributes = Annotated[list[AttributeSpec], Meta(max_length=100)]


class LabelBody(Body):
    """A label before it has an id; without a colour it gets the palette's next."""

    name: Name
    color: Color | None = None
    hotkey: Hotkey | None = None
    attributes: Attributes = field(default_factory=list)
    skeleton: Skeleton | None = None

    def new(self) -> labels.NewLabel:
        return labels.NewLabel(**structs.asdict(self))


class LabelChange(Body):
    """What is left out stays."""

    name: Name | UnsetType = UNSET
    color: Color | UnsetType = UNSET
    hotkey: Hotkey | UnsetType | None = UNSET
    attributes: Attributes | UnsetType = UNSET
    skeleton: Skeleton | UnsetType | None = UNSET


class Disposal(Query, frozen=True):
    """What becomes of the annotations of a label that is in use: another label, or nothing."""

    merge_into: Id | None = None
    annotations: Literal["delete"] | None = None


@OPERATIONS.get(
    "/api/projects/{project_id}/labels",
    permission=Permission.PROJECT_READ,
    response=Listing[Label],
    summary="List the labels in the order of their class index",
)
async def list_labels(call: Call) -> Listing[Label]:
    project_id = call.project_id
    return Listing(items=await call.store.aread(lambda reading: labels.listed(reading, project_id)))


@OPERATIONS.post(
    "/api/projects/{project_id}/labels",
    permission=Permission.PROJECT_ADMIN,
    body=LabelBody,
    response=Label,
    status=201,
    audit="label.create",
    summary="Add a label",
)
async def create_label(call: Call) -> Label:
    project_id, new = call.project_id, call.body.new()
    return await call.store.awrite(lambda tx: labels.create(tx, project_id, new))


@OPERATIONS.patch(
    "/api/projects/{project_id}/labels/{label_id}",
    permission=Permission.PROJECT_ADMIN,
    body=LabelChange,
    response=Label,
    audit="label.change",
    summary="Change a label",
)
async def change_label(call: Call) -> Label:
    project_id, label_id = call.project_id, call.ids["label_id"]
    fields = {name: value for name, value in structs.asdict(call.body).items() if value is not UNSET}
    if not fields:
        raise InvalidInput("nothing to change: give name, color, hotkey, attributes or skeleton")
    return await call.store.awrite(lambda tx: labels.change(tx, project_id, label_id, **fields))


@OPERATIONS.delete(
    "/api/projects/{project_id}/labels/{label_id}",
    permission=Permission.PROJECT_ADMIN,
    query=Disposal,
    response=Job,
    status=202,
    audit="label.delete",
    also=(204,),
    summary="Delete a label",
)
async def delete_label(call: Call) -> Job | None:
    """Delete a label that is not in use, or whose annotations go where the query says.

    The answer is 204 when that is done, or, with many images, 202 and the job that does it. Done at
    once it stands among the jobs, too, to be undone.
    """
    project_id, label_id = call.project_id, call.ids["label_id"]
    how: Disposal = call.query
    if how.merge_into is None and how.annotations is None:
        await call.store.awrite(lambda tx: labels.delete(tx, project_id, label_id))
        return None
    if how.merge_into is not None and how.annotations is not None:
        raise InvalidInput("either merge the annotations or delete them", field="merge_into")
    wanted = relabel.RelabelParameters(label_id=label_id, merge_into=how.merge_into)
    await call.store.aread(lambda reading: relabel.check(reading, project_id, wanted))
    if await call.store.aread(lambda reading: relabel.affected(reading, label_id, DIRECT_IMAGES + 1)) > DIRECT_IMAGES:
        return await submit(call, "relabel", structs.asdict(wanted))
    await _relabelled(call, wanted)
    return None


async def _relabelled(call: Call, wanted: relabel.RelabelParameters) -> None:
    """Delete a label that is on few images at once, on record as a job so that it can be undone."""
    project_id, user_id = call.project_id, call.user.id

    def begin(tx: Transaction) -> int:
        label = to_builtins(labels.get(tx, project_id, wanted.label_id))
        kept = {"images": 0, "label": label}
        return call.jobs.record_in(
            tx, "relabel", structs.asdict(wanted), project_id=project_id, created_by=user_id, checkpoint=kept
        )

    job_id, done = await call.store.awrite(begin), 0
    while handled := await call.store.awrite(lambda tx: relabel.step(tx, project_id, wanted, job_id)):
        done += handled
    await call.store.awrite(lambda tx: recorded.close(tx, job_id, {"images": done}, images=done))
