"""What every edit of an image by a person goes through, whatever it does to it."""

from __future__ import annotations

from collections.abc import Callable

from appliance.errors import Conflict
from appliance.records import Saved, Task
from appliance.store import Transaction, history, images, tasks
from appliance.web.operations import Call

__all__ = ["edited"]


async def edited(call: Call, image_id: int, diff_id: str, seen: int, work: Callable[[Transaction], Saved]) -> Saved:
    """Let a person's edit through if the image is theirs to edit, and bring its task into the state that means.

    Args:
        call: The request, whose role counts.
        image_id: The image.
        diff_id: Of the edit; one that came before is answered again, whatever the image's state is by now.
        seen: The revision the person made it on.
        work: Writes the edit.

    Raises:
        Conflict: An annotator's edit of what is in review, or was finished by somebody else since.
    """
    project_id, user_id, annotator = call.project_id, call.user.id, call.role == "annotator"
    lease_ms = call.settings.lease_s * 1000

    def edit(tx: Transaction) -> Saved:
        before = images.get(tx, project_id, image_id)
        task = tasks.of_image(tx, image_id)
        frozen = _frozen(task, user_id, seen) if annotator else None
        if frozen and history.revision_of(tx, image_id, diff_id) is None:
            raise Conflict(frozen)
        saved = work(tx)
        if saved.revision > before.revision and task.state in tasks.EDITABLE:
            tasks.opened_by_edit(tx, task, user_id, lease_ms)
        return saved

    return await call.store.awrite(edit)


def _frozen(task: Task, user_id: int, seen: int) -> str | None:
    """Say why an annotator's edit is not taken: the image is in review, or was done before they saw it so."""
    if task.state not in tasks.EDITABLE:
        return "the image is in review: it can be edited when the reviewer has returned it"
    if task.state == "done" and task.assignee_id != user_id and seen < task.revision:
        return "somebody else finished this image meanwhile: look at it again"
    return None
