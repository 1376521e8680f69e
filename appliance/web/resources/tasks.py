"""Tasks: what to annotate next, and handing it in."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from appliance.errors import Conflict, Forbidden
from appliance.records import Task, TaskState
from appliance.store import Transaction, queues, tasks, workload
from appliance.store.workload import Load
from appliance.web.operations import Call, Listing, Operations, Paged, Query, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("tasks", "What to annotate and to review next")

_REVIEWERS: tuple[TaskState, ...] = ("in_review", "done", "returned", "skipped")
"""States in which reviewers see the tasks of everybody."""


class TaskQuery(Paged, frozen=True, kw_only=True):
    """Tasks in one state; `assignee` is ``me`` or a member's id."""

    state: TaskState
    assignee: Annotated[str, Meta(pattern=r"^(me|[1-9]\d{0,17})\Z")] | None = None


class Role(Query, frozen=True):
    role: Literal["annotate", "review"] = "annotate"


class Ahead(Role, frozen=True):
    """So many tasks of the caller's own queue."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class Taking(Role, frozen=True):
    """With `if_free` the answer is 204, not a conflict, where the task is somebody else's or handed in by now."""

    if_free: bool = False


class Submission(Body):
    """`revision` is the one the annotator sees; any other is refused as stale.

    `active_ms` is how long they were at it since they last handed it in, without pauses. It counts as
    far as time has passed; without it the box estimates it from the saves.
    """

    revision: Annotated[int, Meta(ge=0, le=2**62)]
    active_ms: Annotated[int, Meta(ge=0, le=86_400_000)] | None = None


class Skipping(Body):
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


@OPERATIONS.get(
    "/api/projects/{project_id}/tasks",
    permission=Permission.PROJECT_READ,
    query=TaskQuery,
    response=Listing[Task],
    summary="List the tasks in one state",
)
async def list_tasks(call: Call) -> Listing[Task]:
    """Admins see everybody's; reviewers what is or was up for review or put aside; else only one's own is shown."""
    project_id, query = call.project_id, call.query
    assignee_id = call.user.id if query.assignee == "me" else int(query.assignee) if query.assignee else None
    if call.role != "admin" and not (call.role == "reviewer" and query.state in _REVIEWERS):
        assignee_id = call.user.id
    return listing(
        await call.store.aread(
            lambda reading: tasks.listed(
                reading,
                project_id,
                state=query.state,
                assignee_id=assignee_id,
                after=query.after,
                limit=query.limit,
            )
        )
    )


@OPERATIONS.get(
    "/api/projects/{project_id}/queue",
    permission=Permission.PROJECT_ANNOTATE,
    query=Ahead,
    response=Listing[Task],
    summary="List what one would be given next, in that order",
)
async def list_queue(call: Call) -> Listing[Task]:
    """Nothing is leased by it; what somebody else takes meanwhile is passed over when one comes to it."""
    project_id, user_id, query = call.project_id, call.user.id, call.query
    if query.role == "review":
        _reviewers_only(call)
    ahead = queues.to_annotate if query.role == "annotate" else queues.to_review
    now_ms = call.store.clock.now_ms()
    return Listing(
        items=await call.store.aread(lambda r: ahead(r, project_id, user_id, now_ms=now_ms, limit=query.limit))
    )


@OPERATIONS.get(
    "/api/projects/{project_id}/work",
    permission=Permission.PROJECT_ADMIN,
    response=Listing[Load],
    summary="List who has how much to do",
)
async def list_work(call: Call) -> Listing[Load]:
    """One line for each member, and a last one for what is nobody's."""
    project_id, now_ms = call.project_id, call.store.clock.now_ms()
    return Listing(items=await call.store.aread(lambda reading: workload.of_project(reading, project_id, now_ms)))


@OPERATIONS.post(
    "/api/projects/{project_id}/tasks/next",
    permission=Permission.PROJECT_ANNOTATE,
    query=Role,
    response=Task,
    unaudited="the task itself says who has it",
    also=(204,),
    summary="Get the next task, or 204 when there is none",
)
async def next_task(call: Call) -> Task | None:
    """Lease the next task to annotate or, for reviewers, to review."""
    project_id, user_id, lease_ms = call.project_id, call.user.id, call.settings.lease_s * 1000
    if call.query.role == "annotate":
        return await call.store.awrite(lambda tx: queues.next_to_annotate(tx, project_id, user_id, lease_ms))
    _reviewers_only(call)
    return await call.store.awrite(lambda tx: queues.next_to_review(tx, project_id, user_id, lease_ms))


@OPERATIONS.post(
    "/api/projects/{project_id}/tasks/{task_id}/take",
    permission=Permission.PROJECT_ANNOTATE,
    query=Taking,
    response=Task,
    unaudited="the task itself says who has it",
    also=(204,),
    summary="Take a task by hand",
)
async def take_task(call: Call) -> Task | None:
    """Lease a task to annotate or, for reviewers, one that is in review."""
    project_id, task_id, user_id = call.project_id, call.ids["task_id"], call.user.id
    lease_ms, query = call.settings.lease_s * 1000, call.query
    if query.role == "review":
        _reviewers_only(call)
    take = queues.take if query.role == "annotate" else queues.take_to_review
    try:
        return await call.store.awrite(lambda tx: take(tx, project_id, task_id, user_id, lease_ms))
    except Conflict:
        if query.if_free:
            return None
        raise


@OPERATIONS.post(
    "/api/projects/{project_id}/tasks/{task_id}/take-back",
    permission=Permission.PROJECT_ANNOTATE,
    response=Task,
    audit="task.take-back",
    summary="Take one's own submission back, until a reviewer has opened it",
)
async def take_task_back(call: Call) -> Task:
    project_id, task_id, user_id = call.project_id, call.ids["task_id"], call.user.id
    lease_ms = call.settings.lease_s * 1000

    def take_back(tx: Transaction) -> Task:
        task = tasks.take_back(tx, project_id, task_id, user_id, lease_ms)
        tx.audit("task.take-back", f"image {task.image_id}", project_id=project_id)
        return task

    return await call.store.awrite(take_back)


@OPERATIONS.post(
    "/api/projects/{project_id}/tasks/{task_id}/submit",
    permission=Permission.PROJECT_ANNOTATE,
    body=Submission,
    response=Task,
    audit="task.submit",
    summary="Hand an image in: to review, or as done where nobody reviews",
)
async def submit_task(call: Call) -> Task:
    project_id, task_id, user_id, revision = call.project_id, call.ids["task_id"], call.user.id, call.body.revision
    annotator, active_ms = call.role == "annotator", call.body.active_ms

    def submit(tx: Transaction) -> Task:
        if annotator:
            queues.refuse_others(tasks.get(tx, project_id, task_id), user_id, tx.now_ms)
        task = tasks.submit(tx, project_id, task_id, user_id, revision, active_ms)
        tx.audit("task.submit", f"image {task.image_id}", project_id=project_id, revision=task.revision)
        return task

    return await call.store.awrite(submit)


@OPERATIONS.post(
    "/api/projects/{project_id}/tasks/{task_id}/skip",
    permission=Permission.PROJECT_ANNOTATE,
    body=Skipping,
    response=Task,
    audit="task.skip",
    summary="Put an image aside with a reason",
)
async def skip_task(call: Call) -> Task:
    project_id, task_id, user_id, reason = call.project_id, call.ids["task_id"], call.user.id, call.body.reason
    annotator = call.role == "annotator"

    def skip(tx: Transaction) -> Task:
        if annotator:
            queues.refuse_others(tasks.get(tx, project_id, task_id), user_id, tx.now_ms)
        task = tasks.skip(tx, project_id, task_id, user_id, reason)
        tx.audit("task.skip", f"image {task.image_id}", project_id=project_id, reason=reason)
        return task

    return await call.store.awrite(skip)


def _reviewers_only(call: Call) -> None:
    """Raise `Forbidden` for annotators."""
    if call.role not in ("reviewer", "admin"):
        raise Forbidden("this needs the right 'project-review' in the project: ask its administrator")
