"""Reviews: verdicts on whole images."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from appliance.records import Review, Task, Verdict
from appliance.store import reviews
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("reviews", "Verdicts on whole images")


class NewReview(Body):
    """A verdict on what the reviewer sees at `revision`; `verdicts` name single annotations.

    `active_ms` is how long they were at it, without pauses. It counts as far as time has passed;
    without it the box estimates it from when they took the image.
    """

    revision: Annotated[int, Meta(ge=0, le=2**62)]
    verdict: Literal["approve", "return"]
    reason: Annotated[str, Meta(max_length=2_000)] | None = None
    verdicts: Annotated[list[Verdict], Meta(max_length=10_000)] = field(default_factory=list)
    active_ms: Annotated[int, Meta(ge=0, le=86_400_000)] | None = None


@OPERATIONS.post(
    "/api/projects/{project_id}/tasks/{task_id}/review",
    permission=Permission.PROJECT_REVIEW,
    body=NewReview,
    response=Review,
    status=201,
    audit="review.make",
    summary="Approve an image or return it",
)
async def review_task(call: Call) -> Review:
    body: NewReview = call.body
    project_id, task_id, user_id = call.project_id, call.ids["task_id"], call.user.id
    return await call.store.awrite(
        lambda tx: reviews.review(
            tx,
            project_id,
            task_id,
            reviewer_id=user_id,
            revision=body.revision,
            verdict=body.verdict,
            reason=body.reason,
            verdicts=body.verdicts,
            active_ms=body.active_ms,
        )
    )


@OPERATIONS.post(
    "/api/projects/{project_id}/tasks/{task_id}/withdraw",
    permission=Permission.PROJECT_REVIEW,
    response=Task,
    audit="review.withdraw",
    summary="Take one's own last verdict back, while nobody went on",
)
async def withdraw_review(call: Call) -> Task:
    project_id, task_id, user_id = call.project_id, call.ids["task_id"], call.user.id
    return await call.store.awrite(lambda tx: reviews.withdraw(tx, project_id, task_id, user_id))
