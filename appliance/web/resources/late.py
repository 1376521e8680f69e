"""Late work: what came when its image was in review or done, and what becomes of it."""

from __future__ import annotations

from appliance.records import Diff, Late
from appliance.store import Transaction, late, tasks
from appliance.web.operations import Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Id

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("late work", "Changes that came when their image was in review or done")


class LateQuery(Paged, frozen=True, kw_only=True):
    """What waits for a decision, of the project or of one image."""

    image_id: Id | None = None


@OPERATIONS.post(
    "/api/projects/{project_id}/images/{image_id}/late",
    permission=Permission.PROJECT_ANNOTATE,
    body=Diff,
    response=Late,
    unaudited="it changes nothing; the row keeps who sent it",
    summary="Hand in a diff that the image does not take any more",
)
async def put_late(call: Call) -> Late:
    """Keep a diff beside the image for its reviewers; the same `diff_id` again changes nothing."""
    project_id, image_id, user_id, diff = call.project_id, call.ids["image_id"], call.user.id, call.body
    return await call.store.awrite(lambda tx: late.put(tx, project_id, image_id, diff, user_id))


@OPERATIONS.get(
    "/api/projects/{project_id}/late",
    permission=Permission.PROJECT_REVIEW,
    query=LateQuery,
    response=Listing[Late],
    summary="List the late diffs nobody has decided on, oldest first",
)
async def list_late(call: Call) -> Listing[Late]:
    project_id, query = call.project_id, call.query
    return listing(
        await call.store.aread(
            lambda reading: late.listed(
                reading, project_id, image_id=query.image_id, after=query.after, limit=query.limit
            )
        )
    )


@OPERATIONS.post(
    "/api/projects/{project_id}/late/{late_id}/apply",
    permission=Permission.PROJECT_REVIEW,
    response=Late,
    audit="late.apply",
    summary="Take a late diff into the image, beside what changed since",
)
async def apply_late(call: Call) -> Late:
    project_id, late_id, user_id = call.project_id, call.ids["late_id"], call.user.id
    lease_ms = call.settings.lease_s * 1000

    def apply(tx: Transaction) -> Late:
        kept = late.get(tx, project_id, late_id)
        task = tasks.of_image(tx, kept.image_id)
        decided, saved = late.apply(tx, kept, user_id)
        tasks.opened_by_edit(tx, task, user_id, lease_ms)
        tx.audit("late.apply", f"image {decided.image_id}", project_id=project_id, revision=saved.revision)
        return decided

    return await call.store.awrite(apply)


@OPERATIONS.post(
    "/api/projects/{project_id}/late/{late_id}/dismiss",
    permission=Permission.PROJECT_REVIEW,
    response=Late,
    audit="late.dismiss",
    summary="Leave a late diff out",
)
async def dismiss_late(call: Call) -> Late:
    project_id, late_id, user_id = call.project_id, call.ids["late_id"], call.user.id

    def dismiss(tx: Transaction) -> Late:
        decided = late.dismiss(tx, late.get(tx, project_id, late_id), user_id)
        tx.audit("late.dismiss", f"image {decided.image_id}", project_id=project_id, late_id=late_id)
        return decided

    return await call.store.awrite(dismiss)
