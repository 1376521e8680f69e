"""Validation: what keeps approved work from being ground truth."""

from __future__ import annotations

from appliance.records import Validation, ValidationProblem
from appliance.store import validation
from appliance.web.operations import Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("validation", "What keeps approved work from being ground truth")


@OPERATIONS.get(
    "/api/projects/{project_id}/validation",
    permission=Permission.PROJECT_OVERVIEW,
    response=Validation,
    also=(204,),
    summary="Tell why the last snapshot of approved work was refused",
)
async def get_validation(call: Call) -> Validation | None:
    """204 when it was not."""
    project_id = call.project_id
    found = await call.store.aread(lambda reading: validation.find(reading, project_id))
    if found is None:
        call.status = 204
    return found


@OPERATIONS.get(
    "/api/projects/{project_id}/validation/problems",
    permission=Permission.PROJECT_READ,
    query=Paged,
    response=Listing[ValidationProblem],
    summary="List what has to be corrected before, in the order of the images",
)
async def list_problems(call: Call) -> Listing[ValidationProblem]:
    project_id, page = call.project_id, call.query
    return listing(
        await call.store.aread(
            lambda reading: validation.problems(reading, project_id, after=page.after, limit=page.limit)
        )
    )
