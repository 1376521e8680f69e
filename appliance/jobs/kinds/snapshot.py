"""Make a snapshot of a project."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from appliance.jobs._base import FOREGROUND, Context, Kind
from appliance.jobs.datasets import make_snapshot

__all__ = ["KIND", "SnapshotParameters"]


class SnapshotParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`contents` is ``approved`` for ground truth, ``everything`` for the project as it stands."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    contents: Literal["approved", "everything"] = "approved"
    seed: int = 0


def run(context: Context, parameters: SnapshotParameters) -> dict[str, Any]:
    """Write the manifest and keep it."""
    made = make_snapshot(context, parameters.name, parameters.contents, parameters.seed)
    return {"snapshot_id": made.id, "images": made.images, "annotations": made.annotations}


KIND = Kind(name="snapshot", lane="io", priority=FOREGROUND, parameters=SnapshotParameters, run=run)
