"""How a project goes: work by day and person, what became of predictions, the balance of labels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta

from appliance.store import insights
from appliance.store.days import EPOCH, Period, zone_of
from appliance.store.insights import Day, Insights, Person
from appliance.web.operations import Call, Operations, Query
from appliance.web.permissions import Permission
from appliance.web.tables import Download, csv_lines

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("insights", "How a project goes")


class Span(Query, frozen=True):
    """The last `days` days, today included, as the time zone `zone` (its IANA name) has them."""

    days: Annotated[int, Meta(ge=1, le=366)] = 30
    zone: Annotated[str, Meta(min_length=1, max_length=64)] = "UTC"


class TableOfSpan(Span, frozen=True):
    table: Literal["days", "people", "labels", "predictions", "thresholds"] = "days"


@OPERATIONS.get(
    "/api/projects/{project_id}/insights",
    permission=Permission.PROJECT_READ,
    query=Span,
    response=Insights,
    summary="Tell how the project goes",
)
async def get_insights(call: Call) -> Insights:
    """Tell how the project goes; of people all but the project's admins see only themselves."""
    return await _insights(call)


@OPERATIONS.get(
    "/api/projects/{project_id}/insights/file",
    permission=Permission.PROJECT_READ,
    query=TableOfSpan,
    response=bytes,
    summary="Download one of the tables as CSV",
)
async def get_insights_file(call: Call) -> Download:
    table = call.query.table
    found = await _insights(call)
    lines = csv_lines(_ROWS[table](found))
    return Download(_once(lines), "text/csv; charset=utf-8", f"insights-{table}.csv")


async def _insights(call: Call) -> Insights:
    project_id, person_id = call.project_id, None if call.role == "admin" else call.user.id
    period = Period(call.store.clock.now_ms(), call.query.days, zone_of(call.query.zone))
    return await call.store.aread(lambda r: insights.summary(r, project_id, period, person_id))


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


_WORK = ("submitted", "reworked", "approved", "returned")
_RATES = ("approval_rate", "rework_rate")


def _days(found: Insights) -> list[Sequence[Any]]:
    more = ("active_s", "reviewing_s", "agreed", "disagreed")
    rows = [
        (EPOCH + timedelta(d.day), *(getattr(d, name) for name in (*_WORK, *more)), *_rates(d)) for d in found.days
    ]
    return [("day", *_WORK, *more, *_RATES), *rows]


def _people(found: Insights) -> list[Sequence[Any]]:
    head = ("name", *_WORK, "reviewed", "agreed", "disagreed", "active_s", "reviewing_s", "median_s")
    return [(*head, *_RATES), *((*(getattr(p, name) for name in head), *_rates(p)) for p in found.people)]


def _rates(one: Day | Person) -> tuple[float | None, float | None]:
    """Return which share of the verdicts approves, and which share of the submissions came again."""
    judged = one.approved + one.returned
    return (
        round(one.approved / judged, 4) if judged else None,
        round(one.reworked / one.submitted, 4) if one.submitted else None,
    )


def _thresholds(found: Insights) -> list[Sequence[Any]]:
    names = {label.label_id: label.name for label in found.labels} | {0: "all"}
    rows = [
        (names.get(t.label_id, f"deleted label {t.label_id}"), t.step / 10, t.right, t.wrong, t.missed, t.best)
        for t in found.thresholds
    ]
    return [("label", "confidence_from", "right", "wrong", "missed", "best"), *rows]


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


_ROWS = {"days": _days, "people": _people, "labels": _labels, "predictions": _predictions, "thresholds": _thresholds}
