"""The audit log, for administrators; nothing here changes it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from appliance.records import AuditEntry
from appliance.store import audit, chain
from appliance.store.rows import MAX_PAGE
from appliance.web.operations import Call, Listing, Operations, Query, listing
from appliance.web.permissions import Permission
from appliance.web.tables import Download, csv_lines, json_lines

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("audit", "Who did what, newest first")

_Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
_Time = Annotated[int, Meta(ge=0, le=2**53)]
_COLUMNS = ("id", "at", "user_id", "action", "subject", "project_id", "details", "hash")


class AuditFilter(Query, frozen=True):
    """Times are milliseconds since 1970; `text` is looked for in action, subject and details."""

    project_id: _Id | None = None
    user_id: _Id | None = None
    action: Annotated[str, Meta(max_length=100)] | None = None
    since_ms: _Time | None = None
    until_ms: _Time | None = None
    text: Annotated[str, Meta(max_length=200)] = ""


class AuditQuery(AuditFilter, frozen=True):
    """`after` is the id of the last entry seen: older ones follow.

    A page can hold fewer than `limit`, even none, while `next` says that there is more to look at.
    """

    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 100
    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


class AuditExport(AuditFilter, frozen=True):
    format: Literal["csv", "jsonl"] = "csv"


@OPERATIONS.get(
    "/api/audit",
    permission=Permission.ADMIN,
    query=AuditQuery,
    response=Listing[AuditEntry],
    summary="Read the audit log",
)
async def list_audit(call: Call) -> Listing[AuditEntry]:
    query, wanted = call.query, _filter(call.query)
    return listing(await call.store.aread(lambda r: audit.listed(r, wanted, after=query.after, limit=query.limit)))


@OPERATIONS.get(
    "/api/audit/actions",
    permission=Permission.ADMIN,
    response=Listing[str],
    summary="List the actions the audit log knows",
)
async def list_audit_actions(call: Call) -> Listing[str]:
    return Listing(items=await call.store.aread(audit.actions))


class ChainQuery(Query, frozen=True):
    """`after` is the last line that is known to be sound; 0 begins at the first."""

    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0


@OPERATIONS.get(
    "/api/audit/chain",
    permission=Permission.ADMIN,
    query=ChainQuery,
    response=chain.Stretch,
    summary="Check a stretch of the audit log's chain of hashes, and tell its head",
)
async def check_audit_chain(call: Call) -> chain.Stretch:
    """Ask again with `checked` as `after` until it is the head's number, or a line is `broken`."""
    after = call.query.after
    return await call.store.aread(lambda reading: chain.check(reading, after))


@OPERATIONS.get(
    "/api/audit/file",
    permission=Permission.ADMIN,
    query=AuditExport,
    response=bytes,
    summary="Download the audit log as CSV or JSON lines, newest first",
)
async def get_audit_file(call: Call) -> Download:
    """Send the lines that fit the filter. In CSV, text that begins like a formula gets an apostrophe."""
    as_csv = call.query.format == "csv"
    media_type = "text/csv; charset=utf-8" if as_csv else "application/jsonl"
    return Download(_lines(call, as_csv), media_type, f"audit.{call.query.format}")


async def _lines(call: Call, as_csv: bool) -> AsyncIterator[bytes]:
    if as_csv:
        yield csv_lines([_COLUMNS])
    wanted, after = _filter(call.query), 0
    while True:
        page = await call.store.aread(lambda r, a=after: audit.listed(r, wanted, after=a, limit=MAX_PAGE))
        if page.items:
            yield csv_lines(map(_row, page.items)) if as_csv else json_lines(page.items)
        if page.next is None:
            return
        after = page.next


def _row(entry: AuditEntry) -> tuple[object, ...]:
    at = datetime.fromtimestamp(entry.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    details = msgspec.json.encode(entry.details).decode()
    return entry.id, at, entry.user_id, entry.action, entry.subject, entry.project_id, details, entry.hash


def _filter(query: AuditFilter) -> audit.Filter:
    return audit.Filter(
        project_id=query.project_id,
        user_id=query.user_id,
        action=query.action or None,
        since_ms=query.since_ms,
        until_ms=query.until_ms,
        text=query.text,
    )
