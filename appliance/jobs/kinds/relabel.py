"""Delete a label that is in use: its annotations get another label, or go too.

Small labels are done with by whoever asks, step by step; a label on many images becomes a job
of the same steps. A step takes the next few images that still have the label, so that an
interrupted run goes on where it was, and the last one deletes the label.
"""

from __future__ import annotations

from typing import Any

import msgspec

from appliance.errors import InvalidInput
from appliance.jobs._base import FOREGROUND, Context, Kind
from appliance.store import Reading, Transaction, annotations, images, labels, model_labels
from appliance.store.filters import ImageFilter

__all__ = ["KIND", "RelabelParameters", "affected", "check", "step"]

_IMAGES_AT_ONCE = 8
"""About as many as fit into the writer's slice of 5 ms."""


class RelabelParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The label to delete, and the one its annotations get; without one they are deleted."""

    label_id: int
    merge_into: int | None = None


def check(reading: Reading, project_id: int, parameters: RelabelParameters) -> None:
    """Check that both labels are the project's.

    Raises:
        NotFound: The label to delete is not.
        InvalidInput: The label to merge into is not, or they are the same.
    """
    labels.get(reading, project_id, parameters.label_id)
    into_id = parameters.merge_into
    if into_id == parameters.label_id:
        raise InvalidInput("a label cannot be merged into itself", field="merge_into")
    if into_id is not None and all(label.id != into_id for label in labels.listed(reading, project_id)):
        raise InvalidInput(f"the project has no label {into_id}", field="merge_into")


def affected(reading: Reading, label_id: int, at_most: int = 1 << 40) -> int:
    """Count the images that have annotations of the label, no further than `at_most`."""
    sql = "SELECT COUNT(*) FROM (SELECT DISTINCT image_id FROM annotations WHERE label_id = ? LIMIT ?)"
    ((count,),) = reading.execute(sql, (label_id, at_most)).fetchall()
    return int(count)


def step(tx: Transaction, project_id: int, parameters: RelabelParameters, job_id: int | None = None) -> int:
    """Do the next few images and return how many; with none left, delete the label and return 0."""
    check(tx, project_id, parameters)
    label_id, into_id = parameters.label_id, parameters.merge_into
    page = images.listed(tx, project_id, ImageFilter(labels=[label_id]), limit=_IMAGES_AT_ONCE)
    for image in page.items:
        if into_id is None:
            annotations.delete_label(tx, project_id, image.id, label_id, job_id=job_id)
        else:
            annotations.merge_label(tx, project_id, image.id, label_id, into_id, job_id=job_id)
    if not page.items:
        if into_id is not None:
            model_labels.merge(tx, label_id, into_id)
            tx.audit("label.merge", f"label {label_id}", project_id=project_id, into=into_id)
        labels.delete(tx, project_id, label_id)
    return len(page.items)


def run(context: Context, parameters: RelabelParameters) -> dict[str, Any]:
    """Take step after step until the label is gone; the checkpoint keeps what it was, for an undo."""
    project_id = context.job.project_id
    if project_id is None:
        raise InvalidInput("a label belongs to a project", field="project_id")
    done = int(context.checkpoint.get("images", 0))
    left = context.store.read(lambda reading: affected(reading, parameters.label_id))
    present = context.store.read(lambda reading: labels.listed(reading, project_id))
    if context.checkpoint and all(label.id != parameters.label_id for label in present):
        return {"images": done}  # the last step was committed, the job's end was not
    label = context.checkpoint.get("label") or next(
        (msgspec.to_builtins(label) for label in present if label.id == parameters.label_id), None
    )
    total = done + left
    while True:
        context.pause_point()
        handled = context.commit(
            lambda tx: step(tx, project_id, parameters, context.job.id),
            checkpoint={"images": done, "label": label},
            progress=done,
            total=total,
        )
        if not handled:
            return {"images": done}
        done += handled


KIND = Kind(name="relabel", lane="io", priority=FOREGROUND, parameters=RelabelParameters, run=run)
