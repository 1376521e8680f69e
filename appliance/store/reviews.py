"""Reviews: a verdict on a whole image at one revision."""

from typing import Any

import msgspec

from appliance.errors import Conflict, InvalidInput
from appliance.records import Annotation, Image, Review, Task, TaskState, Verdict
from appliance.store import annotations, comments, history, images, insights, members, policies, rows, tasks, threads
from appliance.store.history import Changes
from appliance.store.store import Reading
from appliance.store.threads import Pin
from appliance.store.writer import Transaction

__all__ = ["latest", "may_approve", "of_image", "review", "withdraw"]

_COLUMNS = rows.columns(Review)
_DIFF_ID = "review:{}:{}"


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
    active_ms: int | None = None,
) -> Review:
    """Approve an image or return it.

    Approving approves every annotation that is not rejected. Predictions nobody accepted stay
    predictions, unless the image came to review from the model itself: then they are what is
    judged. Verdicts inside name single annotations to approve or reject.

    Where the project's policy asks for two approvals, the image stays in review after the first;
    whatever changes it in between voids that one. A return by either ends the round. `active_ms` is
    what the reviewer's browser measured that they looked at it.

    Raises:
        StaleRevision: The image changed since the reviewer saw it.
        Conflict: The task is not in review; it is the reviewer's own work, or they have approved it.
        InvalidInput: A return without a reason, or a verdict on what is not on the image.
    """
    task = tasks.get(tx, project_id, task_id)
    if task.state != "in_review":
        raise Conflict(f"the task is {task.state.replace('_', ' ')}, not in review", field="task_id")
    if verdict == "return" and not (reason or "").strip():
        raise InvalidInput("returning an image needs a reason", field="reason")
    image = images.get(tx, project_id, task.image_id)
    tasks.require_revision(image, revision)
    if verdict == "approve":
        _refuse_approval(tx, task, reviewer_id)
    insights.spent_reviewing(tx, task, reviewer_id, active_ms)
    present = annotations.of_image(tx, project_id, image.id).annotations
    said = _single(present, verdicts or [])
    corrected = _corrected(present, said, reviewer_id)
    approvals = (1 + (0 if corrected else task.approvals)) if verdict == "approve" else 0
    final = verdict == "approve" and approvals >= policies.needed(tx, task)
    judged = final or verdict == "return"
    changes = _judged(task, present, said, approved=final) if judged else Changes(put=corrected)
    diff_id = _DIFF_ID.format(image.id, f"{revision}:{reviewer_id}")
    after = annotations.apply(tx, image, changes, diff_id=diff_id, kind="review", author_id=reviewer_id)
    review_id = tx.insert(
        "INSERT INTO reviews (task_id, image_id, revision, reviewer_id, verdict, reason, verdicts, round, stands_at, "
        "final, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            task.id, image.id, revision, reviewer_id, verdict, reason, rows.encode(verdicts or []), task.round, after,
            int(final), tx.now_ms,
        ),
    )  # fmt: skip
    fields: dict[str, Any] = {"approvals": approvals, "revision": after, "lease_until_ms": None, "reason": reason}
    if verdict == "return":
        fields |= {"round": task.round + 1, **_returned_to(tx, task)}
    fields |= {"state": _state(verdict, final), "reviewer_id": None if _waits(verdict, final) else reviewer_id}
    tasks.change(tx, task, **fields)
    insights.reviewed(tx, task, reviewer_id, verdict, final=final)
    insights.agreement(tx, task, rows.found(latest(tx, image.id), "review"))
    if final:
        insights.judged(tx, project_id, image.id)
        threads.resolve_reviewed(tx, image, reviewer_id)
    elif verdict == "return":
        comments.pin_rejected(tx, image, review_id, reviewer_id, _pins(image, changes, verdicts or [], reason or ""))
    facts = {"verdict": verdict, "revision": revision}
    tx.audit("review.make", f"image {image.id}", project_id=project_id, approvals=approvals, **facts)
    tx.event("review.made", {"review_id": review_id, "image_id": image.id, "verdict": verdict}, project_id=project_id)
    return rows.found(latest(tx, image.id), "review")


def may_approve(reading: Reading, task: Task, reviewer_id: int) -> bool:
    """Tell whether this reviewer's approval would count: it is not their own work, nor approved by them."""
    try:
        _refuse_approval(reading, task, reviewer_id)
    except Conflict:
        return False
    return True


def withdraw(tx: Transaction, project_id: int, task_id: int, reviewer_id: int) -> Task:
    """Take the reviewer's own last verdict back; the image is in review again as it was.

    Raises:
        Conflict: There is no verdict of theirs, or somebody went on working since.
    """
    task = tasks.get(tx, project_id, task_id)
    last = latest(tx, task.image_id)
    if last is None or last.reviewer_id != reviewer_id or task.state != _state(last.verdict, last.final):
        raise Conflict("there is no verdict of yours to withdraw", field="task_id")
    image = images.get(tx, project_id, task.image_id)
    if image.revision != last.stands_at or last.round != task.round - (last.verdict == "return"):
        raise Conflict("somebody changed the image since your verdict", field="task_id")
    if last.stands_at != last.revision:
        back = history.inverse(history.changes_at(tx, image.id, image.revision))
        annotations.apply(tx, image, back, diff_id=f"withdraw:{last.id}", kind="withdraw", author_id=reviewer_id)
    threads.withdraw(tx, image, last.id, reviewer_id, last.created_at_ms)
    tx.execute("DELETE FROM reviews WHERE id = ?", (last.id,))
    insights.reviewed(tx, task, reviewer_id, last.verdict, final=last.final, sign=-1, at_ms=last.created_at_ms)
    insights.agreement(tx, task, last, sign=-1)
    tx.audit("review.withdraw", f"image {image.id}", project_id=project_id, verdict=last.verdict)
    approvals = _standing(tx, image.id, last)
    fields: dict[str, Any] = {"state": "in_review", "reason": None, "approvals": approvals, "round": last.round}
    return tasks.change(tx, task, **fields)


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


def _refuse_approval(reading: Reading, task: Task, reviewer_id: int) -> None:
    policies.refuse_own(reading, task, reviewer_id)
    if not task.approvals:
        return
    sql = "SELECT reviewer_id FROM reviews WHERE image_id = ? AND verdict = 'approve' ORDER BY id DESC LIMIT ?"
    if (reviewer_id,) in list(reading.execute(sql, (task.image_id, task.approvals))):
        raise Conflict("you have approved this image already: another reviewer has to", field="task_id")


def _standing(reading: Reading, image_id: int, withdrawn: Review) -> int:
    """Return how many approvals stood for the image when the verdict was given that is withdrawn."""
    sql = "SELECT verdict, revision, stands_at FROM reviews WHERE image_id = ? AND round = ? AND id < ? "
    standing, at = 0, withdrawn.revision
    for verdict, revision, stands_at in list(
        reading.execute(f"{sql} ORDER BY id DESC", (image_id, withdrawn.round, withdrawn.id))
    ):
        if verdict != "approve" or stands_at != at:
            break
        standing, at = standing + 1, revision
        if revision != stands_at:
            break
    return standing


def _state(verdict: str, final: bool) -> TaskState:
    return "returned" if verdict == "return" else "done" if final else "in_review"


def _waits(verdict: str, final: bool) -> bool:
    return verdict == "approve" and not final


def _returned_to(reading: Reading, task: Task) -> dict[str, Any]:
    """Return whose the work is now: its author's, unless they are gone or the policy gives it to anyone."""
    stays = policies.of_project(reading, task.project_id).returned_to == "author"
    if stays and task.assignee_id is not None and members.works_in(reading, task.project_id, task.assignee_id):
        return {}
    return {"assignee_id": None, "assigned": 0}


_Put = list[tuple[Annotation | None, Annotation]]


def _single(present: list[Annotation], verdicts: list[Verdict]) -> dict[str, str]:
    single: dict[str, str] = {v.annotation_id: v.verdict for v in verdicts}
    unknown = single.keys() - {a.id for a in present}
    if unknown:
        raise InvalidInput(f"the image has no annotation {min(unknown)!r}", field="verdicts")
    return single


def _corrected(present: list[Annotation], single: dict[str, str], reviewer_id: int) -> _Put:
    """Return what single verdicts change about what is on the image.

    A rejection takes a shape away, an approval takes a prediction or a rejected one in. Others
    who approved the image have not seen that.
    """
    put: _Put = []
    for a in present:
        said = single.get(a.id)
        if said == "reject" and a.status != "rejected":
            put.append((a, annotations.with_status(a, "rejected")))
        elif said == "approve" and (a.is_prediction or a.status == "rejected"):
            put.append((a, msgspec.structs.replace(a, status="draft", author_id=a.author_id or reviewer_id)))
    return put


def _judged(task: Task, present: list[Annotation], single: dict[str, str], *, approved: bool) -> Changes:
    machine = task.assignee_id is None
    put: _Put = []
    for a in present:
        said = single.get(a.id)
        if said is None and approved and a.status != "rejected" and (machine or not a.is_prediction):
            said = "approve"
        status = {"approve": "approved", "reject": "rejected"}.get(said or "", a.status)
        if status != a.status:
            put.append((a, annotations.with_status(a, status)))
    return Changes(put=put)
