"""Delete, reopen or assign many images, a few at a time; an interrupted run goes on behind the last one."""

from __future__ import annotations

from typing import Any

import msgspec

from appliance.errors import InvalidInput
from appliance.jobs._base import FOREGROUND, Context, Kind
from appliance.store import Transaction, bulk, jobs
from appliance.store.bulk import Change, Changed

__all__ = ["KIND"]


def run(context: Context, change: Change) -> dict[str, Any]:
    """Take step after step until no image is left."""
    project_id = context.job.project_id
    if project_id is None:
        raise InvalidInput("images belong to a project", field="project_id")
    so_far = msgspec.convert(context.checkpoint or {}, Changed)
    left = context.store.read(lambda reading: bulk.number(reading, project_id, change.selection))
    total = max(left, so_far.images) if change.action != "delete" else so_far.images + left

    def some(tx: Transaction) -> Changed:
        done = bulk.step(tx, project_id, change, so_far, context.job.id)
        jobs.advance(tx, context.job.id, checkpoint=msgspec.to_builtins(done), progress=done.images, total=total)
        return done

    while True:
        context.pause_point()
        done = context.commit(some)
        context.checkpoint = msgspec.to_builtins(done)
        if done is so_far:
            return {"images": so_far.images, "changed": so_far.changed}
        so_far = done


KIND = Kind(name="change-images", lane="io", priority=FOREGROUND, parameters=Change, run=run)
