"""How a project goes: work by day and person, what became of predictions, the balance of labels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta

from appliance.errors import Forbidden
from appliance.store import insights
from appliance.store.insights import Insights
from appliance.web.operations import Call, Operations, Query
from appliance.web.permissions import Permission
from appliance.web.tables import Download, csv_lines

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("insights", "How a project goes")

_EPOCH = date(1970, 1, 1)


class Period(Query, frozen=True):
    """The last `days` days, today included; days begin at midnight UTC."""

    days: Annotated[int, Meta(ge=1, le=366)] = 30


class TableOfPeriod(Period, frozen=True):
    table: Literal["days", "people", "labels", "predictions"] = "days"


@OPERATIONS.get(
    "/api/projects/{project_id}/insights",
    permission=Permission.PROJECT_READ,
    query=Period,
    response=Insights,
    summary="Tell how the project goes",
)
async def get_insights(call: Call) -> Insights:
    """Tell how the project goes; who did what is for the project's admins only."""
    return await _insights(call)


@OPERATIONS.get(
    "/api/projects/{project_id}/insights/file",
    permission=Permission.PROJECT_READ,
    query=TableOfPeriod,
    response=bytes,
    summary="Download one of the tables as CSV",
)
async def get_insights_file(call: Call) -> Download:
    table = call.query.table
    if table == "people" and call.role != "admin":
        raise Forbidden("who did what is for the project's admins: ask one of them")
    found = await _insights(call)
    lines = csv_lines(_ROWS[table](found))
    return Download(_once(lines), "text/csv; charset=utf-8", f"insights-{table}.csv")


async def _insights(call: Call) -> Insights:
    project_id, people = call.project_id, call.role == "admin"
    last_day = insights.today(call.store.clock.now_ms())
    first_day = last_day - call.query.days + 1
    return await call.store.aread(
        lambda r: insights.summary(r, project_id, first_day=first_day, last_day=last_day, people=people)
    )


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _days(found: Insights) -> list[Sequence[Any]]:
    head = ("day", "submitted", "reworked", "approved", "returned")
    rows = [(_EPOCH + timedelta(d.day), d.submitted, d.reworked, d.approved, d.returned) for d in found.days]
    return [head, *rows]


def _people(found: Insights) -> list[Sequence[Any]]:
    head = ("name", "submitted", "reworked", "approved", "returned", "reviewed", "median_s")
    return [head, *([getattr(person, name) for name in head] for person in found.people or [])]


def _labels(found: Insights) -> list[Sequence[Any]]:
    head = ("name", "manual", "imported", "accepted", "prediction", "rejected")
    return [head, *([getattr(label, name) for name in head] for label in found.labels)]


def _predictions(found: Insights) -> list[Sequence[Any]]:
    names = {label.label_id: label.name for label in found.labels}
    fates = ("accepted", "adjusted", "replaced", "rejected", "left")
    rows = [
        (names.get(o.label_id, f"deleted label {o.label_id}"), o.step / 10, *(getattr(o, fate) for fate in fates))
        for o in found.outcomes
    ]
    return [("label", "confidence_from", *fates), *rows]


_ROWS = {"days": _days, "people": _people, "labels": _labels, "predictions": _predictions}
