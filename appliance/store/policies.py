"""What a project's review policy asks of an image: how many approvals, and whose."""

import hashlib
import hmac
from collections.abc import Sequence

import msgspec

from appliance.errors import Conflict
from appliance.records import ReviewPolicy, Task
from appliance.store import rows
from appliance.store.history import Kind
from appliance.store.store import Reading

__all__ = ["asks", "authors", "lacking", "needed", "of_project", "others_only", "refuse_own", "unfinished"]

_DRAWING: tuple[Kind, ...] = ("edit", "late", "restore")
"""Revisions in which somebody decides what is on an image; all others judge it, or are no person's."""

_MADE_BY_MODEL = (
    "SELECT 1 FROM annotations WHERE image_id = ? AND source = 'model' AND status <> 'rejected' "
    "AND (author_id IS NOT NULL OR status = 'approved') LIMIT 1"
)


def of_project(reading: Reading, project_id: int) -> ReviewPolicy:
    """Return the project's policy."""
    return _stored(reading, project_id)[0]


def asks(policy: ReviewPolicy) -> bool:
    """Tell whether any image is reviewed at all."""
    return policy.images != "none" or policy.model_made


def needed(reading: Reading, task: Task) -> int:
    """Return how many people must approve the image, as it is, before it is done.

    What a model handed in by itself is reviewed under every policy that asks for reviews, and
    so is what a reviewer has returned and nobody has approved since.
    """
    policy, key = _stored(reading, task.project_id)
    return _needed(reading, policy, key, task.image_id, by_model=task.assignee_id is None)


def lacking(reading: Reading, task: Task) -> int:
    """Return how many approvals are still missing."""
    return max(0, needed(reading, task) - task.approvals)


def unfinished(reading: Reading, project_id: int, image_ids: Sequence[int]) -> dict[int, str]:
    """Say of images that are not truth by the project's policy why: for whoever lets only truth pass.

    An image is left out of the answer when its task is done and as many people as the present
    policy asks for have approved it. Images that are done from before the policy was made
    stricter are named, whatever their state says.
    """
    policy, key = _stored(reading, project_id)
    said: dict[int, str] = {}
    sql = "SELECT state, approvals, assignee_id FROM tasks WHERE image_id = ? AND project_id = ?"
    for image_id in image_ids:
        for state, approvals, author_id in list(reading.execute(sql, (image_id, project_id))):
            if state != "done":
                said[image_id] = f"its task is {state.replace('_', ' ')}"
            elif asks(policy):
                missing = _needed(reading, policy, key, image_id, by_model=author_id is None) - approvals
                if missing > 0:
                    said[image_id] = f"unfinished review: {missing} more to approve it"
    return said


def authors(reading: Reading, task: Task) -> set[int]:
    """Return who made what is on the image since it was last approved: who handed it in, and who changed it."""
    sql = "SELECT stands_at FROM reviews WHERE image_id = ? AND final = 1 ORDER BY id DESC LIMIT 1"
    since = next((row[0] for row in list(reading.execute(sql, (task.image_id,)))), 0)
    drawn = "SELECT author_id, kind FROM history WHERE image_id = ? AND revision > ? AND +author_id IS NOT NULL"
    found = {author_id for author_id, kind in reading.execute(drawn, (task.image_id, since)) if kind in _DRAWING}
    return found if task.assignee_id is None else found | {task.assignee_id}


def refuse_own(reading: Reading, task: Task, reviewer_id: int) -> None:
    """Keep people from approving what is their own, where the policy says so.

    Raises:
        Conflict: They handed the image in, or changed it since it was last approved.
    """
    policy = of_project(reading, task.project_id)
    if others_only(policy) and reviewer_id in authors(reading, task):
        raise Conflict(
            "you drew or changed what is on this image: by this project's policy somebody else approves it",
            field="task_id",
        )


def others_only(policy: ReviewPolicy) -> bool:
    """Tell whether nobody approves their own work."""
    return asks(policy) and (policy.others_only or policy.reviews > 1)


def _stored(reading: Reading, project_id: int) -> tuple[ReviewPolicy, bytes]:
    sql = "SELECT review_policy, sample_key FROM projects WHERE id = ?"
    for text, key in list(reading.execute(sql, (project_id,))):
        return msgspec.json.decode(text, type=ReviewPolicy), key
    rows.found(None, "project")
    raise AssertionError


def _needed(reading: Reading, policy: ReviewPolicy, key: bytes, image_id: int, *, by_model: bool) -> int:
    if not asks(policy):
        return 0
    chosen: bool = (
        policy.images == "all"
        or by_model
        or (policy.images == "sample" and _drawn(reading, image_id, key) < policy.sample_percent / 100)
        or (policy.model_made and bool(list(reading.execute(_MADE_BY_MODEL, (image_id,)))))
        or _returned(reading, image_id)
    )
    return policy.reviews if chosen else 0


def _drawn(reading: Reading, image_id: int, key: bytes) -> float:
    """Return the picture's lot, 0 to 1: of its content and the project's key alone, so that it never shifts."""
    ((sha256,),) = list(reading.execute("SELECT sha256 FROM images WHERE id = ?", (image_id,)))
    return int.from_bytes(hmac.digest(key, sha256, hashlib.sha256)[:8], "big") / 2**64


def _returned(reading: Reading, image_id: int) -> bool:
    sql = "SELECT verdict, final FROM reviews WHERE image_id = ? ORDER BY id DESC"
    for verdict, final in list(reading.execute(sql, (image_id,))):
        if final or verdict == "return":
            return bool(verdict == "return")
    return False
