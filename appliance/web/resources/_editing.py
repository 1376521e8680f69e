"""What every edit of an image by a person goes through, whatever it does to it."""

from __future__ import annotations

from collections.abc import Callable

from appliance.records import Saved
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
        Conflict: The image is not this person's to edit now (`tasks.refuse_edit`).
    """
    project_id, user_id, role = call.project_id, call.user.id, call.role
    lease_ms = call.settings.lease_s * 1000

    def edit(tx: Transaction) -> Saved:
        before = images.get(tx, project_id, image_id)
        task = tasks.of_image(tx, image_id)
        if history.revision_of(tx, image_id, diff_id) is None:
            tasks.refuse_edit(tx, task, user_id, role, seen)
        saved = work(tx)
        if saved.revision > before.revision:
            tasks.opened_by_edit(tx, task, user_id, lease_ms)
        return saved

    return await call.store.awrite(edit)
