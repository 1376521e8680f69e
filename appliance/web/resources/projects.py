"""Projects: the list, one of them, making, changing and deleting them."""

from __future__ import annotations

from typing import Annotated, get_args

from msgspec import UNSET, Meta, UnsetType, field, structs

from appliance.errors import InvalidInput
from appliance.records import Job, Name, Project, ProjectRole, QueueOrder, ReviewPolicy, TaskState, User
from appliance.store import Reading, Transaction, labels, members, models, projects, unread
from appliance.web.operations import Call, Listing, Operations, Paged
from appliance.web.permissions import Permission
from appliance.web.resources._common import DIRECT_IMAGES, Body, Id
from appliance.web.resources.labels import LabelBody

__all__ = ["OPERATIONS", "ProjectRow"]

OPERATIONS = Operations("projects", "Projects")

Guideline = Annotated[str, Meta(max_length=200_000)]


class ModelInUse(Body):
    id: int
    name: str
    version: int


class ProjectRow(Project, frozen=True, kw_only=True):
    """A project and what its row in the list shows.

    `active_at_ms` is when something last happened in it, right to a minute. `role` is the
    caller's; None for an operator who is no member and sees no pictures. `unread` counts the comments
    the caller has not read.
    """

    role: ProjectRole | None
    images: int
    states: dict[TaskState, int]
    members: int
    labels: int
    thumbnails: list[int]
    model: ModelInUse | None
    active_at_ms: int
    unread: int


class NewProject(Body):
    name: Name
    guideline: Guideline = ""
    review_policy: ReviewPolicy = field(default_factory=ReviewPolicy)
    labels: Annotated[list[LabelBody], Meta(max_length=1_000)] = field(default_factory=list)


class ProjectChange(Body):
    """What is left out stays; `model_id` null means that no model is active."""

    name: Name | UnsetType = UNSET
    guideline: Guideline | UnsetType = UNSET
    review_policy: ReviewPolicy | UnsetType = UNSET
    queue_order: QueueOrder | UnsetType = UNSET
    model_id: Id | UnsetType | None = UNSET


@OPERATIONS.get(
    "/api/projects",
    permission=Permission.SIGNED_IN,
    query=Paged,
    response=Listing[ProjectRow],
    summary="List the projects one may see",
)
async def list_projects(call: Call) -> Listing[ProjectRow]:
    user, page = call.user, call.query

    def read(reading: Reading) -> Listing[ProjectRow]:
        member_id = None if user.role in ("admin", "operator") else user.id
        found = projects.listed(reading, member_id=member_id, after=page.after, limit=page.limit)
        items = [_row(reading, project, user, _role(reading, user, project.id)) for project in found.items]
        return Listing(items=items, next=None if found.next is None else str(found.next))

    return await call.store.aread(read)


@OPERATIONS.post(
    "/api/projects",
    permission=Permission.CREATE_PROJECT,
    body=NewProject,
    response=Project,
    status=201,
    audit="project.create",
    summary="Make a project and become its admin",
)
async def create_project(call: Call) -> Project:
    body: NewProject = call.body
    user = call.user

    def create(tx: Transaction) -> Project:
        project = projects.create(
            tx,
            name=body.name,
            guideline=body.guideline,
            review_policy=body.review_policy,
            created_by=user.id,
        )
        for label in body.labels:
            labels.create(tx, project.id, label.new())
        return project

    return await call.store.awrite(create)


@OPERATIONS.get(
    "/api/projects/{project_id}",
    permission=Permission.PROJECT_OVERVIEW,
    response=ProjectRow,
    summary="Show one project",
)
async def get_project(call: Call) -> ProjectRow:
    project_id, role, user = call.project_id, call.role, call.user
    return await call.store.aread(lambda reading: _row(reading, projects.get(reading, project_id), user, role))


@OPERATIONS.patch(
    "/api/projects/{project_id}",
    permission=Permission.PROJECT_ADMIN,
    body=ProjectChange,
    response=Project,
    audit="project.change",
    summary="Change name, guideline, review policy, order of the queue or active model",
)
async def change_project(call: Call) -> Project:
    project_id = call.project_id
    fields = {name: value for name, value in structs.asdict(call.body).items() if value is not UNSET}
    if not fields:
        raise InvalidInput("nothing to change: give name, guideline, review_policy, queue_order or model_id")
    return await call.store.awrite(lambda tx: projects.change(tx, project_id, **fields))


@OPERATIONS.delete(
    "/api/projects/{project_id}",
    permission=Permission.PROJECT_ADMIN,
    response=Job,
    status=202,
    audit="project.delete",
    also=(204,),
    summary="Delete a project with everything in it",
)
async def delete_project(call: Call) -> Job | None:
    """Delete a project.

    The answer is 204 when that is done, or, with many images, 202 and the job that does it.
    """
    project_id, user_id, jobs = call.project_id, call.user.id, call.jobs
    held = await call.store.aread(lambda reading: projects.summary(reading, project_id))
    if held.images <= DIRECT_IMAGES:
        await call.store.awrite(lambda tx: projects.delete(tx, project_id))
        return None

    def write(tx: Transaction) -> Job:
        job = jobs.submit_in(tx, "delete-project", {"project_id": project_id}, created_by=user_id)
        tx.audit("job.submit", f"job {job.id}", project_id=project_id, kind="delete-project")
        return job

    return await call.store.awrite(write)


def _role(reading: Reading, user: User, project_id: int) -> ProjectRole | None:
    return "admin" if user.role == "admin" else members.role_of(reading, project_id, user.id)


def _row(reading: Reading, project: Project, user: User, role: ProjectRole | None) -> ProjectRow:
    summary = projects.summary(reading, project.id)
    model = models.get(reading, project.model_id) if project.model_id is not None else None
    return ProjectRow(
        **structs.asdict(project),
        role=role,
        images=summary.images,
        states={state: summary.states.get(state, 0) for state in get_args(TaskState)},
        members=summary.members,
        labels=summary.labels,
        active_at_ms=summary.active_at_ms,
        unread=unread.count(reading, project.id, user.id),
        thumbnails=summary.thumbnails if role else [],
        model=ModelInUse(id=model.id, name=model.name, version=model.version) if model else None,
    )
