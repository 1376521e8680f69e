"""Taking a job back as a whole, and nothing that anybody did since.

Annotations are judged one by one: what is still as the job left it goes back, what somebody changed
or removed since stays as it is. An image that was handed in or judged since is left alone. Each image
gets one revision more for each of the job's, so that the undoing can itself be undone.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from appliance.errors import Conflict
from appliance.records import Annotation, Image, Job, Record
from appliance.store import (
    annotations,
    history,
    images,
    jobs,
    labels,
    predictions,
    restore,
    task_changes,
    tasks,
    withdrawn,
)
from appliance.store.history import Changes
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["Kept", "Place", "Preview", "Undone", "check", "count", "of_job", "preview", "revisions", "take_back"]

Kept = Literal["changed-since", "judged-since", "covered", "label-gone", "there-already"]
"""Why something stays as it is."""

_CLOSED = ("in_review", "done")
_JUDGED = "(t.state IN ('in_review', 'done') AND t.updated_at_ms > h.at_ms)"


class Preview(Record, frozen=True):
    """What an undo would do, in numbers.

    Attributes:
        images: Revisions of images it looks at.
        annotations: That are as the job left them, and go back.
        returning: That the job removed, and come back unless something is in their place.
        pictures: Images the job brought that nobody has touched: they go.
        pictures_back: Images that an undo took away: they come back.
        tasks: Whose state or assignee the job changed.
        kept: Annotations that somebody changed or removed since: they stay.
        kept_images: Images that were handed in or judged since: they stay as they are.
        kept_pictures: Images the job brought that somebody has worked on: they stay.
        undone_by: The newest job that took this one back.
    """

    images: int
    annotations: int
    returning: int
    pictures: int
    pictures_back: int
    tasks: int
    kept: int
    kept_images: int
    kept_pictures: int
    undone_by: int | None


class Place(NamedTuple):
    """A revision of a job."""

    at_ms: int
    image_id: int
    revision: int


class Undone(NamedTuple):
    """What taking one revision back did: annotations by what happened to them, and what was kept why."""

    removed: int
    returned: int
    kept: Counter[Kept]


def check(reading: Reading, project_id: int, job_id: int) -> Job:
    """Return the job if it can be taken back.

    Raises:
        NotFound: The project has no such job.
        Conflict: It is not over, or it deleted images, which do not come back.
    """
    job = jobs.of_project(reading, project_id, job_id)
    if job.state not in ("done", "failed", "cancelled"):
        raise Conflict(f"job {job.id} is {job.state}: wait until it is over, or cancel it", field="job_id")
    if job.kind == "change-images" and job.parameters.get("action") == "delete":
        raise Conflict("deleted images do not come back: add them again", field="job_id")
    return job


def of_job(reading: Reading, job_id: int) -> int | None:
    """Return the newest job that takes this one back, or None."""
    sql = (
        "SELECT id FROM jobs WHERE kind = 'undo' AND parameters ->> '$.job_id' = ? AND state != 'cancelled' "
        "ORDER BY id DESC LIMIT 1"
    )
    return next((int(found) for (found,) in reading.execute(sql, (job_id,))), None)


def count(reading: Reading, job_id: int) -> int:
    """Return how many revisions a job made on images that are there."""
    ((found,),) = reading.execute("SELECT count(*) FROM history WHERE job_id = ?", (job_id,)).fetchall()
    return int(found)


def preview(reading: Reading, project_id: int, job_id: int) -> Preview:
    """Count what an undo would do, in one pass of the database over the job's revisions."""
    standing = "(SELECT count(*) FROM annotations AS a WHERE a.image_id = h.image_id AND a.revision = h.revision)"
    sql = (
        f"SELECT count(*), sum({_JUDGED}), sum(iif({_JUDGED}, 0, h.added + h.changed)), "
        f"sum(iif({_JUDGED}, 0, h.removed)), sum(iif({_JUDGED}, 0, {standing})) "
        "FROM history AS h INDEXED BY history_job CROSS JOIN tasks AS t ON t.image_id = h.image_id WHERE h.job_id = ?"
    )
    ((number, judged, put, removed, left),) = reading.execute(sql, (job_id,)).fetchall()
    there, untouched = withdrawn.number_brought(reading, project_id, job_id)
    return Preview(
        images=number,
        annotations=left or 0,
        returning=removed or 0,
        pictures=untouched,
        pictures_back=withdrawn.count(reading, job_id),
        tasks=task_changes.count(reading, job_id),
        kept=(put or 0) - (left or 0),
        kept_images=judged or 0,
        kept_pictures=there - untouched,
        undone_by=of_job(reading, job_id),
    )


def revisions(reading: Reading, job_id: int, below: Place | None, limit: int) -> list[Place]:
    """Return the next revisions of a job, the newest first."""
    sql = (
        "SELECT at_ms, image_id, revision FROM history INDEXED BY history_job WHERE job_id = ? "
        "AND (at_ms, image_id, revision) < (?, ?, ?) ORDER BY at_ms DESC, image_id DESC, revision DESC LIMIT ?"
    )
    return [Place(*row) for row in reading.execute(sql, (job_id, *(below or (1 << 62, 0, 0)), limit))]


def take_back(tx: Transaction, project_id: int, place: Place, undo_id: int) -> Undone:
    """Take one revision of a job back as far as it still stands, as a new revision of the job `undo_id`."""
    image = images.get(tx, project_id, place.image_id)
    done = history.changes_at(tx, image.id, place.revision)
    task = tasks.of_image(tx, image.id)
    if task.state in _CLOSED and task.updated_at_ms > place.at_ms:
        return Undone(0, 0, Counter({"judged-since": len(done.put) + len(done.removed)}))
    kept: Counter[Kept] = Counter()
    changes = _way_back(tx, image, place.revision, done, kept)
    diff_id = f"undo:{undo_id}:{place.revision}"
    annotations.apply(tx, image, changes, diff_id=diff_id, kind="undo", author_id=tx.user_id, job_id=undo_id)
    return Undone(len(changes.removed), len(changes.put), kept)


def _way_back(tx: Transaction, image: Image, revision: int, done: Changes, kept: Counter[Kept]) -> Changes:
    standing = {a.id: a for a in annotations.of_image(tx, image.project_id, image.id).annotations}
    known = labels.ids(tx, image.project_id)
    back = Changes()
    for old, new in done.put:
        now = standing.get(new.id)
        if now is None or now.revision != revision:
            kept["changed-since"] += 1
        elif old is None:
            back.removed.append(now)
        elif old.label_id not in known:
            kept["label-gone"] += 1
        else:
            back.put.append((now, restore.fitting(tx, old)))
    going = {a.id for a in back.removed}
    people = [a for a in standing.values() if a.id not in going and not a.is_prediction]
    for gone in done.removed:
        why = _why_not(gone, standing, known, people)
        if why:
            kept[why] += 1
        else:
            back.put.append((None, restore.fitting(tx, gone)))
    return back


def _why_not(
    gone: Annotation, standing: dict[str, Any], known: set[int], people: Sequence[Annotation]
) -> Kept | None:
    """Say why what a job removed does not come back, or None when it does."""
    if gone.id in standing:
        return "there-already"
    if gone.label_id not in known:
        return "label-gone"
    return "covered" if gone.is_prediction and predictions.covered(gone, people) else None
