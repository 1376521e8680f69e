"""Reviews: a verdict on a whole image at one revision."""

from appliance.errors import Conflict, InvalidInput
from appliance.records import Annotation, Image, Review, Task, Verdict
from appliance.store import annotations, comments, history, images, insights, rows, tasks, threads
from appliance.store.history import Changes
from appliance.store.store import Reading
from appliance.store.threads import Pin
from appliance.store.writer import Transaction

__all__ = ["latest", "of_image", "review", "withdraw"]

_COLUMNS = rows.columns(Review)
_DIFF_ID = "review:{}:{}"
_STATE = {"approve": "done", "return": "returned"}


def review(
    tx: Transaction,
    project_id: int,
    task_id: int,
    *,
    reviewer_id: int,
    revision: int,
    verdict: str,
    reason: str | None = None,
    verdicts: list[Verdict] | None = None,
) -> Review:
    """Approve an image or return it.

    Approving approves every annotation that is not rejected. Predictions nobody accepted stay
    predictions, unless the image came to review from the model itself: then they are what is
    judged. Verdicts inside name single annotations to approve or reject.

    Raises:
        StaleRevision: The image changed since the reviewer saw it.
        Conflict: The task is not in review.
        InvalidInput: A return without a reason, or a verdict on what is not on the image.
    """
    task = tasks.get(tx, project_id, task_id)
    if task.state != "in_review":
        raise Conflict(f"the task is {task.state.replace('_', ' ')}, not in review", field="task_id")
    if verdict == "return" and not (reason or "").strip():
        raise InvalidInput("returning an image needs a reason", field="reason")
    image = images.get(tx, project_id, task.image_id)
    tasks.require_revision(image, revision)
    changes = _judged(tx, task, verdict, verdicts or [])
    diff_id = _DIFF_ID.format(image.id, revision)
    after = annotations.apply(tx, image, changes, diff_id=diff_id, kind="review", author_id=reviewer_id)
    review_id = tx.insert(
        "INSERT INTO reviews (task_id, image_id, revision, reviewer_id, verdict, reason, verdicts, created_at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (task.id, image.id, revision, reviewer_id, verdict, reason, rows.encode(verdicts or []), tx.now_ms),
    )
    rounds = task.round + (verdict == "return")
    tasks.change(
        tx,
        task,
        state=_STATE[verdict],
        reviewer_id=reviewer_id,
        reason=reason,
        revision=after,
        round=rounds,
        lease_until_ms=None,
    )
    insights.reviewed(tx, task, reviewer_id, verdict)
    if verdict == "approve":
        insights.judged(tx, project_id, image.id)
        threads.resolve_reviewed(tx, image, reviewer_id)
    else:
        comments.pin_rejected(tx, image, review_id, reviewer_id, _pins(image, changes, verdicts or [], reason or ""))
    tx.audit("review.make", f"image {image.id}", project_id=project_id, verdict=verdict, revision=revision)
    tx.event("review.made", {"review_id": review_id, "image_id": image.id, "verdict": verdict}, project_id=project_id)
    return rows.found(latest(tx, image.id), "review")


def withdraw(tx: Transaction, project_id: int, task_id: int, reviewer_id: int) -> Task:
    """Take the reviewer's own last verdict back; the image is in review again as it was.

    Raises:
        Conflict: There is no verdict of theirs, or somebody went on working since.
    """
    task = tasks.get(tx, project_id, task_id)
    last = latest(tx, task.image_id)
    if last is None or last.reviewer_id != reviewer_id or task.state != _STATE[last.verdict]:
        raise Conflict("there is no verdict of yours to withdraw", field="task_id")
    image = images.get(tx, project_id, task.image_id)
    own = history.revision_of(tx, image.id, _DIFF_ID.format(image.id, last.revision))
    if image.revision != (own or last.revision):
        raise Conflict("somebody changed the image since your verdict", field="task_id")
    if own is not None:
        back = history.inverse(history.changes_at(tx, image.id, image.revision))
        annotations.apply(tx, image, back, diff_id=f"withdraw:{last.id}", kind="withdraw", author_id=reviewer_id)
    threads.withdraw(tx, image, last.id, reviewer_id, last.created_at_ms)
    tx.execute("DELETE FROM reviews WHERE id = ?", (last.id,))
    insights.reviewed(tx, task, reviewer_id, last.verdict, sign=-1, at_ms=last.created_at_ms)
    tx.audit("review.withdraw", f"image {image.id}", project_id=project_id, verdict=last.verdict)
    rounds = task.round - (last.verdict == "return")
    return tasks.change(tx, task, state="in_review", reason=None, round=rounds)


def _pins(image: Image, changes: Changes, verdicts: list[Verdict], reason: str) -> list[tuple[Pin, str]]:
    """Return a pin with its reason for each annotation that was rejected."""
    rejected = {v.annotation_id: v.reason or reason for v in verdicts if v.verdict == "reject"}
    found = [new for _, new in changes.put if new.id in rejected]
    return [(_pin(image, a), rejected[a.id]) for a in found]


def _pin(image: Image, a: Annotation) -> Pin:
    """Return a pin at the top of the annotation; of a turned box that may reach out of the image."""
    x1, y1, x2, _ = a.geometry.bounds()
    x, y = min(max((x1 + x2) / 2, 0.0), image.width), min(max(y1, 0.0), image.height)
    return Pin(x=x, y=y, annotation_id=a.id)


def latest(reading: Reading, image_id: int) -> Review | None:
    """Return the newest review of the image, or None."""
    sql = f"SELECT {_COLUMNS} FROM reviews WHERE image_id = ? ORDER BY id DESC LIMIT 1"
    return rows.first(Review, reading.execute(sql, (image_id,)))


def of_image(reading: Reading, image_id: int) -> list[Review]:
    """Return the image's reviews, newest first."""
    sql = f"SELECT {_COLUMNS} FROM reviews WHERE image_id = ? ORDER BY id DESC"
    return rows.made(Review, reading.execute(sql, (image_id,)))


def _judged(tx: Transaction, task: Task, verdict: str, verdicts: list[Verdict]) -> Changes:
    present = annotations.of_image(tx, task.project_id, task.image_id).annotations
    single = {v.annotation_id: v.verdict for v in verdicts}
    unknown = single.keys() - {a.id for a in present}
    if unknown:
        raise InvalidInput(f"the image has no annotation {min(unknown)!r}", field="verdicts")
    machine = task.assignee_id is None
    put: list[tuple[Annotation | None, Annotation]] = []
    for a in present:
        said = single.get(a.id)
        if said is None and verdict == "approve" and a.status != "rejected" and (machine or not a.is_prediction):
            said = "approve"
        status = {"approve": "approved", "reject": "rejected"}.get(said or "", a.status)
        if status != a.status:
            put.append((a, annotations.with_status(a, status)))
    return Changes(put=put)
