"""Undoing a job as a whole: what it would do, and doing it."""

from __future__ import annotations

from appliance.records import Job
from appliance.store import Reading, Transaction, undo
from appliance.store.undo import Preview
from appliance.web.operations import Call, Operations
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("undo", "Taking a job back, and nothing that anybody did since")


@OPERATIONS.get(
    "/api/projects/{project_id}/jobs/{job_id}/undo",
    permission=Permission.PROJECT_ADMIN,
    response=Preview,
    summary="Count what undoing a job would do",
)
async def preview_undo(call: Call) -> Preview:
    """Counts of what goes, comes back and stays because somebody went on since."""
    project_id, job_id = call.project_id, call.ids["job_id"]

    def read(reading: Reading) -> Preview:
        undo.check(reading, project_id, job_id)
        return undo.preview(reading, project_id, job_id)

    return await call.store.aread(read)


@OPERATIONS.post(
    "/api/projects/{project_id}/jobs/{job_id}/undo",
    permission=Permission.PROJECT_ADMIN,
    response=Job,
    status=202,
    audit="job.undo",
    summary="Undo a job that is over, as a job",
)
async def undo_job(call: Call) -> Job:
    """What anybody changed since stays; the job's notes say what, and why. An undo can itself be undone."""
    project_id, job_id, user_id = call.project_id, call.ids["job_id"], call.user.id

    def start(tx: Transaction) -> Job:
        undone = undo.check(tx, project_id, job_id)
        job = call.jobs.submit_in(tx, "undo", {"job_id": job_id}, project_id=project_id, created_by=user_id)
        tx.audit("job.undo", f"job {job_id}", project_id=project_id, kind=undone.kind, by=job.id)
        return job

    return await call.store.awrite(start)
