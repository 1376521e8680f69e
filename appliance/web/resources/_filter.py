"""The filter of images as it stands in an address."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, ValidationError, convert

from appliance.store.filters import ImageFilter, Sort
from appliance.web.operations import Query
from appliance.web.problems import from_validation
from appliance.web.resources._common import Id

__all__ = ["FilterQuery"]

_NUMBERS = r"^\d{1,18}(,\d{1,18})*\Z"
Time = Annotated[int, Meta(ge=0, le=2**53)]


class FilterQuery(Query, frozen=True):
    """Which images: several states and labels are separated by commas, of each one has to hold.

    `assignee` is a user or 0 for nobody; `confidence` a range such as ``0.2-0.5`` in which an
    untouched prediction lies; `folder` as the list of folders tells it; `job` the import that
    brought the image; `since` counts in, `until` does not, both in milliseconds; `text` is part
    of the name; `comments=unresolved` asks for threads nobody has resolved, `unread_by` for comments
    that this user has not read; `split` those into which the newest snapshot's seed puts an image;
    `priority` that of the task, several separated by commas; `due_since` and `due_until` when unfinished
    work is wanted.
    """

    state: Annotated[str, Meta(pattern=r"^[a-z_]+(,[a-z_]+)*\Z", max_length=100)] | None = None
    label: Annotated[str, Meta(pattern=_NUMBERS, max_length=1_000)] | None = None
    assignee: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    confidence: Annotated[str, Meta(pattern=r"^[01](\.\d{1,6})?-[01](\.\d{1,6})?\Z")] | None = None
    folder: Annotated[str, Meta(min_length=1, max_length=600)] | None = None
    job: Id | None = None
    since: Time | None = None
    until: Time | None = None
    text: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    comments: Literal["unresolved"] | None = None
    unread_by: Id | None = None
    split: Annotated[str, Meta(pattern=r"^[a-z]+(,[a-z]+)*\Z", max_length=20)] | None = None
    priority: Annotated[str, Meta(pattern=r"^-?\d{1,4}(,-?\d{1,4}){0,9}\Z")] | None = None
    due_since: Time | None = None
    due_until: Time | None = None
    sort: Sort = "oldest"

    def wanted(self) -> ImageFilter:
        """Return the filter.

        Raises:
            InvalidInput: A state that is none, or a share above 1.
        """
        facts: dict[str, Any] = {
            "states": self.state.split(",") if self.state else [],
            "labels": [int(part) for part in self.label.split(",")] if self.label else [],
            "assignee": self.assignee,
            "confidence": [float(part) for part in self.confidence.split("-")] if self.confidence else None,
            "folder": self.folder,
            "job_id": self.job,
            "since_ms": self.since,
            "until_ms": self.until,
            "text": self.text,
            "comments": self.comments,
            "unread_by": self.unread_by,
            "priorities": [int(part) for part in self.priority.split(",")] if self.priority else [],
            "due_since_ms": self.due_since,
            "due_until_ms": self.due_until,
            "splits": self.split.split(",") if self.split else [],
        }
        try:
            return convert(facts, ImageFilter)
        except ValidationError as error:
            raise from_validation(error) from error
