"""History: who changed what on an image and in a project, and the way back to a revision."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from appliance.errors import StaleRevision
from appliance.records import ImageAnnotations, Saved
from appliance.store import Reading, Transaction, images, restore, revisions
from appliance.store.history import Kind
from appliance.store.revisions import Filter, Revision
from appliance.store.rows import Page
from appliance.web.operations import Call, Listing, Operations, Paged, Query, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, Id
from appliance.web.resources._editing import edited

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("history", "Who changed what, and the way back")

_Time = Annotated[int, Meta(ge=0, le=2**53)]


class HistoryQuery(Query, frozen=True):
    """Which revisions of the project; `after` is the `next` of the page before."""

    author_id: Id | None = None
    kind: Kind | None = None
    job_id: Id | None = None
    since_ms: _Time | None = None
    until_ms: _Time | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    after: Annotated[str, Meta(max_length=60)] = ""


class Restoring(Body):
    """`diff_id` is the client's, for a safe retry; `revision` is the one the person sees the image at."""

    diff_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}\Z")]
    revision: Annotated[int, Meta(ge=0, le=2**62)]


@OPERATIONS.get(
    "/api/projects/{project_id}/history",
    permission=Permission.PROJECT_READ,
    query=HistoryQuery,
    response=Listing[Revision],
    summary="List the revisions of a project's images, newest first",
)
async def list_project_history(call: Call) -> Listing[Revision]:
    project_id, query = call.project_id, call.query
    wanted = Filter(**{name: getattr(query, name) for name in Filter.__struct_fields__})
    return listing(
        await call.store.aread(
            lambda r: revisions.of_project(r, project_id, wanted, after=query.after or None, limit=query.limit)
        )
    )


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/history",
    permission=Permission.PROJECT_READ,
    query=Paged,
    response=Listing[Revision],
    summary="List the revisions of an image, newest first",
)
async def list_history(call: Call) -> Listing[Revision]:
    """What each did (`did`) is told by label; the three counts say the same in short."""
    project_id, image_id, page = call.project_id, call.ids["image_id"], call.query

    def read(reading: Reading) -> Page:
        images.get(reading, project_id, image_id)
        return revisions.of_image(reading, image_id, before=page.after or None, limit=page.limit)

    return listing(await call.store.aread(read))


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/history/{revision}",
    permission=Permission.PROJECT_READ,
    response=ImageAnnotations,
    summary="Read an image's annotations as they stood at a revision",
)
async def get_revision(call: Call) -> ImageAnnotations:
    """Revision 0 is before the first change. Annotations may name labels that are deleted by now."""
    project_id, image_id, revision = call.project_id, call.ids["image_id"], call.ids["revision"]
    return await call.store.aread(lambda r: restore.at(r, project_id, image_id, revision))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/{image_id}/history/{revision}/restore",
    permission=Permission.PROJECT_ANNOTATE,
    body=Restoring,
    response=Saved,
    unaudited="the image's history keeps it as a revision with its author",
    summary="Make an image what it was at a revision, as a new revision",
)
async def restore_revision(call: Call) -> Saved:
    """Whoever may edit the image may do that; it is refused as stale when the image has changed meanwhile.

    What was approved then, and is not as it was, is a draft again.
    """
    project_id, image_id, revision = call.project_id, call.ids["image_id"], call.ids["revision"]
    user_id, body = call.user.id, call.body

    def work(tx: Transaction) -> Saved:
        present = images.get(tx, project_id, image_id).revision
        saved = restore.restore(tx, project_id, image_id, revision, diff_id=body.diff_id, author_id=user_id)
        if not saved.repeated and present != body.revision:
            raise StaleRevision(
                f"the image is at revision {present}, not {body.revision}: look at it again",
                details={"revision": present},
            )
        return saved

    return await edited(call, image_id, body.diff_id, body.revision, work)
