"""Delete a large project, a few images at a time.

The job belongs to no project, since it would go with it. Between two slices everybody else's
saves go ahead; an interrupted run goes on with what is left.
"""

from __future__ import annotations

from typing import Any

import msgspec

from appliance.errors import NotFound
from appliance.jobs._base import FOREGROUND, Context, Kind
from appliance.store import Transaction, projects

__all__ = ["KIND", "DeleteProjectParameters"]

_IMAGES_AT_ONCE = 8
"""About as many as fit into the writer's slice of 5 ms."""


class DeleteProjectParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The project to delete."""

    project_id: int


def run(context: Context, parameters: DeleteProjectParameters) -> dict[str, Any]:
    """Empty the project slice by slice, then delete it."""
    project_id = parameters.project_id
    done = int(context.checkpoint.get("images", 0))
    try:
        left = context.store.read(lambda reading: projects.summary(reading, project_id)).images
        context.store.read(lambda reading: projects.get(reading, project_id))
    except NotFound:
        return {"images": done}  # the last slice was committed, the job's end was not
    total = done + left

    def some(tx: Transaction) -> int:
        return projects.empty(tx, project_id, _IMAGES_AT_ONCE)

    while handled := context.commit(some, checkpoint={"images": done}, progress=done, total=total):
        done += handled
        context.pause_point()
    context.commit(lambda tx: projects.delete(tx, project_id), progress=done)
    return {"images": done}


KIND = Kind(name="delete-project", lane="io", priority=FOREGROUND, parameters=DeleteProjectParameters, run=run)
