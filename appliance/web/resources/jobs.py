"""Jobs: machine work, seen by whom it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from appliance.errors import Forbidden, NotFound
from appliance.records import Job, JobState, Note, User
from appliance.store import Reading, jobs, members
from appliance.web.operations import Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Id

__all__ = ["OPERATIONS", "JobWithNotes"]

OPERATIONS = Operations(
    "jobs",
    "Machine work. One sees what one started and what happens in one's projects; whoever started a job, the "
    "project's admins and the administrator may steer it",
)


class JobQuery(Paged, frozen=True):
    """`after` is the id of the last job seen: older ones follow."""

    project_id: Id | None = None
    state: JobState | None = None


class JobWithNotes(Job, frozen=True, kw_only=True):
    """A job, and what it could not do or keep, file by file."""

    notes: list[Note]


@OPERATIONS.get(
    "/api/jobs",
    permission=Permission.SIGNED_IN,
    query=JobQuery,
    response=Listing[Job],
    summary="List the jobs, newest first",
)
async def list_jobs(call: Call) -> Listing[Job]:
    user, query = call.user, call.query
    return listing(
        await call.store.aread(
            lambda reading: jobs.listed(
                reading,
                project_id=query.project_id,
                state=query.state,
                visible_to=None if user.role == "admin" else user.id,
                after=query.after or None,
                limit=query.limit,
            )
        )
    )


@OPERATIONS.get(
    "/api/jobs/{job_id}",
    permission=Permission.SIGNED_IN,
    response=JobWithNotes,
    summary="Show one job with its notes",
)
async def get_job(call: Call) -> JobWithNotes:
    user, job_id = call.user, call.ids["job_id"]

    def read(reading: Reading) -> JobWithNotes:
        job = _visible(reading, user, job_id)
        facts = {name: getattr(job, name) for name in Job.__struct_fields__}
        return JobWithNotes(**facts, notes=jobs.notes(reading, job_id))

    return await call.store.aread(read)


@OPERATIONS.post(
    "/api/jobs/{job_id}/pause",
    permission=Permission.SIGNED_IN,
    response=Job,
    audit="job.pause",
    summary="Let a job wait",
)
async def pause_job(call: Call) -> Job:
    return await _steer(call, call.jobs.pause)


@OPERATIONS.post(
    "/api/jobs/{job_id}/resume",
    permission=Permission.SIGNED_IN,
    response=Job,
    audit="job.resume",
    summary="Let a paused job go on",
)
async def resume_job(call: Call) -> Job:
    return await _steer(call, call.jobs.resume)


@OPERATIONS.post(
    "/api/jobs/{job_id}/cancel",
    permission=Permission.SIGNED_IN,
    response=Job,
    audit="job.cancel",
    summary="End a job",
)
async def cancel_job(call: Call) -> Job:
    return await _steer(call, call.jobs.cancel)


@OPERATIONS.post(
    "/api/jobs/{job_id}/retry",
    permission=Permission.SIGNED_IN,
    response=Job,
    audit="job.retry",
    summary="Start a failed or cancelled job again where it was",
)
async def retry_job(call: Call) -> Job:
    return await _steer(call, call.jobs.retry)


async def _steer(call: Call, change: Callable[[int], Job]) -> Job:
    user, job_id = call.user, call.ids["job_id"]
    await call.store.aread(lambda reading: _require_right(reading, user, job_id))
    return await asyncio.to_thread(change, job_id)


def _visible(reading: Reading, user: User, job_id: int) -> Job:
    """Return the job.

    Raises:
        NotFound: There is none that this user may see.
    """
    job = jobs.get(reading, job_id)
    if user.role == "admin" or job.created_by == user.id:
        return job
    if job.project_id is None or members.role_of(reading, job.project_id, user.id) is None:
        raise NotFound("there is no such job, or you may not see it")
    return job


def _require_right(reading: Reading, user: User, job_id: int) -> None:
    """Check that the user may steer the job.

    Raises:
        NotFound: There is none that this user may see.
        Forbidden: It is somebody else's, or in a project the user has left.
    """
    job = _visible(reading, user, job_id)
    role = None if job.project_id is None else members.role_of(reading, job.project_id, user.id)
    own = job.created_by == user.id and (role is not None or job.project_id is None or user.role == "operator")
    if not (own or role == "admin" or user.role == "admin"):
        raise Forbidden("this job is somebody else's: whoever started it or the project's admin may do that")
