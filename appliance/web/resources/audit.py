"""The audit log, for administrators; nothing here changes it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from appliance.records import AuditEntry
from appliance.store import audit
from appliance.web.operations import Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("audit", "Who did what, newest first")


class AuditQuery(Paged, frozen=True):
    """`after` is the id of the last entry seen: older ones follow."""

    project_id: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None


@OPERATIONS.get(
    "/api/audit",
    permission=Permission.ADMIN,
    query=AuditQuery,
    response=Listing[AuditEntry],
    summary="Read the audit log",
)
async def list_audit(call: Call) -> Listing[AuditEntry]:
    query: AuditQuery = call.query
    return listing(
        await call.store.aread(
            lambda r: audit.listed(r, project_id=query.project_id, after=query.after, limit=query.limit)
        )
    )
