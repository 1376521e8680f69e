"""Which images of a project: one filter, walked along an index in any of three orders.

A filter becomes a stream of image ids that SQLite reads off an index in order, so that a page
costs what is on it. One of the conditions chooses the index, the others are looked at image by
image; where those rarely hold (a confidence that hardly any prediction has, two common
conditions that exclude one another, fewer than three characters of a name), a page walks past
the images between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from appliance.errors import InvalidInput
from appliance.records import Split, TaskState
from appliance.store import splits
from appliance.store.store import Reading

__all__ = ["EVERYTHING", "NOBODY", "ImageFilter", "Sort", "count", "ids", "packed"]

Sort = Literal["oldest", "newest", "name"]
Fraction = Annotated[float, Meta(ge=0, le=1)]

NOBODY = 0
"""As an assignee: images whose task is nobody's."""

_LAST_ID = 2**63 - 1
_UNRESOLVED = "i.threads > 0"
_UNREAD = (
    "EXISTS (SELECT 1 FROM unread AS u WHERE u.user_id = ? AND u.project_id = i.project_id AND u.image_id = i.id)"
)
_DUE = (
    "{0}.due_at_ms >= ? AND {0}.due_at_ms < ? AND {0}.due_at_ms IS NOT NULL"
    " AND {0}.state IN ('open', 'in_progress', 'returned')"
)
_TRIGRAM = 3
_MOST_TRIGRAMS = 30


class ImageFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All of these hold; of several states, or labels, one.

    `confidence` is a range in which an untouched prediction lies, `folder` as `images.folders`
    tells it, `job_id` the import that brought the image; `since_ms` counts in, `until_ms` does
    not; `text` is part of the name; `comments` asks for threads nobody has resolved, `unread_by` for
    comments this user has not read; `splits` are those into which the newest snapshot's seed puts an
    image, or while there is no snapshot the next one will; `priorities` are those of its task, and
    `due_since_ms` and `due_until_ms` enclose as the others do when that is wanted, unless it is in
    review or finished.
    """

    states: Annotated[list[TaskState], Meta(max_length=6)] = field(default_factory=list)
    labels: Annotated[list[int], Meta(max_length=100)] = field(default_factory=list)
    assignee: int | None = None
    confidence: tuple[Fraction, Fraction] | None = None
    folder: str | None = None
    job_id: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    text: Annotated[str, Meta(max_length=200)] | None = None
    comments: Literal["unresolved"] | None = None
    unread_by: int | None = None
    splits: Annotated[list[Split], Meta(max_length=3)] = field(default_factory=list)
    priorities: Annotated[list[int], Meta(max_length=10)] = field(default_factory=list)
    due_since_ms: int | None = None
    due_until_ms: int | None = None


EVERYTHING = ImageFilter()


def ids(
    reading: Reading,
    project_id: int,
    wanted: ImageFilter,
    *,
    sort: Sort = "oldest",
    after: int | str | None = None,
    limit: int = -1,
) -> list[int]:
    """Return the ids of the images that match, in order; `after` is the last one's id, or name.

    Raises:
        InvalidInput: `after` is no cursor of this order.
    """
    sql, parameters = _stream(reading, project_id, wanted, sort, after)
    return [row[0] for row in reading.execute(sql, [*parameters, limit])]


def packed(
    reading: Reading, project_id: int, wanted: ImageFilter, *, sort: Sort, after: int | None = None
) -> list[int]:
    """Return what `ids` returns for the whole list, made in one row: half the time for many."""
    sql, parameters = _stream(reading, project_id, wanted, sort, after)
    ((joined,),) = reading.execute(f"SELECT group_concat(id) FROM ({sql})", [*parameters, -1]).fetchall()
    return [int(image_id) for image_id in joined.split(",")] if joined else []


def count(reading: Reading, project_id: int, wanted: ImageFilter) -> int:
    """Return how many images match; walks all of them, but for those of whole projects and states."""
    if wanted == ImageFilter(states=wanted.states):
        states = set(wanted.states)
        sql = "SELECT state, images FROM image_counts WHERE project_id = ?"
        return sum(n for state, n in reading.execute(sql, (project_id,)) if state in states or not states)
    sql, parameters = _stream(reading, project_id, wanted, "oldest", None)
    ((found,),) = reading.execute(f"SELECT count(*) FROM ({sql})", [*parameters, -1]).fetchall()
    return int(found)


class _Arm(msgspec.Struct):
    """One SELECT of ids: where they come from, and what that fulfils already."""

    source: str
    key: str
    where: list[str]
    parameters: list[Any]
    fulfils: str = ""
    once: bool = False


def _stream(
    reading: Reading, project_id: int, wanted: ImageFilter, sort: Sort, after: int | str | None
) -> tuple[str, list[Any]]:
    """Return the SELECT of the ids, whose last parameter is the limit."""
    low, high = _span(reading, project_id, wanted)
    backwards = sort == "newest"
    if sort == "name":
        arms = [_by_name(project_id, after)]
    else:
        arms = _arms(project_id, wanted)
        if after is not None:
            low, high = (low, min(high, _id(after))) if backwards else (max(low, _id(after)), high)
    selects, parameters = [], []
    for arm in arms:
        rest, values = _residual(project_id, wanted, arm.fulfils)
        where = [*arm.where, f"{arm.key} > ?", f"{arm.key} < ?", *rest]
        group = f" GROUP BY {arm.key}" if arm.once and len(arms) == 1 else ""
        selects.append(f"SELECT {arm.key} AS id FROM {arm.source} WHERE {' AND '.join(where)}{group}")
        parameters += [*arm.parameters, low, high, *values]
    order = "i.name" if sort == "name" else "id DESC" if backwards else "id"
    # An image may have several of the labels, and several times: UNION merges what is the same.
    joined = (" UNION " if arms[0].once else " UNION ALL ").join(selects)
    return f"{joined} ORDER BY {order} LIMIT ?", parameters


def _by_name(project_id: int, after: int | str | None) -> _Arm:
    source = "images AS i INDEXED BY images_name"
    return _Arm(
        source, "+i.id", ["i.project_id = ?", "i.name > ?"], [project_id, "" if after is None else str(after)]
    )


def _arms(project_id: int, wanted: ImageFilter) -> list[_Arm]:
    """Choose the index: first what few images share, last what many do."""

    def along(index: str, fulfils: str = "", condition: str = "", value: Any = None) -> _Arm:
        where = ["i.project_id = ?", *([condition] if condition else [])]
        parameters = [project_id, *([value] if "?" in condition else [])]
        return _Arm(f"images AS i INDEXED BY {index}", "i.id", where, parameters, fulfils)

    if wanted.job_id is not None:
        return [along("images_job", "job_id", "i.job_id = ?", wanted.job_id)]
    if wanted.folder is not None:
        return [along("images_folder", "folder", "i.folder = ?", wanted.folder)]
    if wanted.text is not None and len(wanted.text) >= _TRIGRAM:
        source = "image_names AS f CROSS JOIN images AS i ON i.id = f.rowid"
        conditions = ["f.image_names MATCH ?", "i.project_id = ?"]
        return [_Arm(source, "f.rowid", conditions, [_trigrams(wanted.text), project_id])]
    if wanted.unread_by is not None:
        source = "unread AS u CROSS JOIN images AS i ON i.id = u.image_id"
        conditions = ["u.user_id = ?", "u.project_id = ?"]
        return [_Arm(source, "u.image_id", conditions, [wanted.unread_by, project_id], "unread_by", once=True)]
    due = _due(wanted)
    if due:
        source = "tasks AS t INDEXED BY tasks_planned CROSS JOIN images AS i ON i.id = t.image_id"
        return [_Arm(source, "t.image_id", ["t.project_id = ?", _DUE.format("t")], [project_id, *due], "due")]
    if wanted.priorities and 0 not in wanted.priorities:
        source = "tasks AS t INDEXED BY tasks_urgent CROSS JOIN images AS i ON i.id = t.image_id"
        conditions = ["t.project_id = ?", "t.priority = ?", "t.priority <> 0"]
        return [
            _Arm(source, "t.image_id", conditions, [project_id, priority], "priorities")
            for priority in dict.fromkeys(wanted.priorities)
        ]
    if wanted.comments is not None:
        return [along("images_threads", "comments", _UNRESOLVED)]
    if wanted.labels:
        source = "annotations AS a INDEXED BY annotations_label CROSS JOIN images AS i ON i.id = a.image_id"
        conditions = ["a.label_id = ?", "i.project_id = ?"]
        return [
            _Arm(source, "a.image_id", conditions, [label_id, project_id], "labels", once=True)
            for label_id in dict.fromkeys(wanted.labels)
        ]
    if wanted.assignee is not None:
        return [along("images_assignee", "assignee", *_assigned(wanted.assignee))]
    if wanted.states:
        return [along("images_state", "states", "i.state = ?", state) for state in dict.fromkeys(wanted.states)]
    return [along("images_project")]


def _residual(project_id: int, wanted: ImageFilter, fulfilled: str) -> tuple[list[str], list[Any]]:
    """Return the conditions that the chosen index does not fulfil."""
    where: list[str] = []
    values: list[Any] = []

    def add(name: str, condition: str, *parameters: Any) -> None:
        if name != fulfilled:
            where.append(condition)
            values.extend(parameters)

    if wanted.job_id is not None:
        add("job_id", "i.job_id = ?", wanted.job_id)
    if wanted.folder is not None:
        add("folder", "i.folder = ?", wanted.folder)
    if wanted.assignee is not None:
        condition, value = _assigned(wanted.assignee)
        add("assignee", condition, *([value] if "?" in condition else []))
    if wanted.states:
        add("states", f"i.state IN ({_marks(wanted.states)})", *wanted.states)
    if wanted.text:
        add("text", r"i.name LIKE ? ESCAPE '\'", f"%{_escaped(wanted.text)}%")
    if wanted.comments is not None:
        add("comments", _UNRESOLVED)
    if wanted.splits:
        add("splits", f"{splits.OF_NEWEST} IN ({_marks(wanted.splits)})", project_id, *wanted.splits)
    if wanted.unread_by is not None:
        add("unread_by", _UNREAD, wanted.unread_by)
    due = _due(wanted)
    if due:
        condition = f"d.project_id = i.project_id AND d.image_id = i.id AND {_DUE.format('d')}"
        add("due", f"EXISTS (SELECT 1 FROM tasks AS d INDEXED BY tasks_planned WHERE {condition})", *due)
    if wanted.priorities:
        urgent = f"p.image_id = i.id AND p.priority IN ({_marks(wanted.priorities)})"
        add("priorities", f"EXISTS (SELECT 1 FROM tasks AS p WHERE {urgent})", *wanted.priorities)
    if wanted.labels:
        add("labels", _exists(f"annotations_label WHERE o.label_id IN ({_marks(wanted.labels)})"), *wanted.labels)
    if wanted.confidence is not None:
        untouched = "o.source = 'model' AND o.status = 'draft' AND o.author_id IS NULL"
        condition = f"annotations_confidence WHERE o.confidence BETWEEN ? AND ? AND {untouched}"
        add("confidence", _exists(condition), *wanted.confidence)
    return where, values


def _assigned(user_id: int) -> tuple[str, int]:
    return ("i.assignee_id IS NULL" if user_id == NOBODY else "i.assignee_id = ?", user_id)


def _due(wanted: ImageFilter) -> tuple[int, int] | None:
    """Return the times between which something is wanted, or None when that is not asked for."""
    if wanted.due_since_ms is None and wanted.due_until_ms is None:
        return None
    return wanted.due_since_ms or 0, _LAST_ID if wanted.due_until_ms is None else wanted.due_until_ms


def _exists(condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM annotations AS o INDEXED BY {condition} AND o.image_id = i.id)"


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _trigrams(text: str) -> str:
    """Return the query for names that have all threes of the text; that they stand in a row is looked at after."""
    threes = (text[at : at + _TRIGRAM] for at in range(min(len(text) - _TRIGRAM + 1, _MOST_TRIGRAMS)))
    return " AND ".join('"' + three.replace('"', '""') + '"' for three in dict.fromkeys(threes))


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _id(after: int | str) -> int:
    try:
        return int(after)
    except ValueError as error:
        raise InvalidInput("`after` is the `next` of the page before, in the same order", field="after") from error


def _span(reading: Reading, project_id: int, wanted: ImageFilter) -> tuple[int, int]:
    """Return ids between which, themselves not included, the images of these times lie.

    Ids grow with the store's clock, which never runs back: two binary searches instead of an index.
    """

    def before(at_ms: int) -> int:
        """Return an id: images below it came before the time, images from it on did not."""
        sql = "SELECT id, created_at_ms FROM images WHERE project_id = ? AND id >= ? ORDER BY id LIMIT 1"
        low, high = 0, _newest(reading, project_id) + 1
        while low < high:
            middle = (low + high) // 2
            found = reading.execute(sql, (project_id, middle)).fetchall()
            if found and found[0][1] < at_ms:
                low = found[0][0] + 1
            else:
                high = middle
        return low

    low = 0 if wanted.since_ms is None else before(wanted.since_ms) - 1
    high = _LAST_ID if wanted.until_ms is None else before(wanted.until_ms)
    return low, high


def _newest(reading: Reading, project_id: int) -> int:
    sql = "SELECT id FROM images WHERE project_id = ? ORDER BY id DESC LIMIT 1"
    for (image_id,) in reading.execute(sql, (project_id,)).fetchall():
        return int(image_id)
    return 0
