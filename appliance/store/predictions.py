"""What a model's run does to an image: replace its own untouched predictions, nothing else."""

from collections.abc import Sequence
from itertools import count

import msgspec

from appliance.geometry import Geometry
from appliance.records import Annotation, Image, TaskState
from appliance.store import annotations, history, images, labels, uncertainty
from appliance.store.history import Changes
from appliance.store.writer import Transaction

__all__ = ["OPEN_TO_MODELS", "Proposal", "covered", "replace"]

OPEN_TO_MODELS: tuple[TaskState, ...] = ("open", "in_progress", "returned")
"""States in which a run may change an image: what is being reviewed or done stays as it is."""

_SAME_OBJECT_IOU = 0.7


class Proposal(msgspec.Struct, frozen=True):
    """A prediction with the project's label in the place of the model's class index."""

    label_id: int
    confidence: float
    geometry: Geometry


def replace(
    tx: Transaction,
    image: Image,
    proposals: Sequence[Proposal],
    *,
    model_id: int,
    job_id: int,
    round_id: str,
) -> int:
    """Put a run's predictions on an image; return how many annotations it now has from the run.

    Untouched predictions of earlier runs go. Nothing is put over a shape of the same label
    that a person made, accepted or refused, or that was imported, when the two overlap with
    IoU ≥ 0.7 of their bounds. The same run again on the same image changes nothing, and a
    run that finds what is there already makes no revision. How unsure the run was of the image
    is kept with its task. A label that was deleted while the
    run looked at the image is passed over.
    """
    diff_id = f"run:{round_id}"
    if image.state not in OPEN_TO_MODELS or history.revision_of(tx, image.id, diff_id) is not None:
        return image.predictions
    present = annotations.of_image(tx, image.project_id, image.id).annotations
    known = labels.ids(tx, image.project_id)
    untouched = [a for a in present if a.is_prediction]
    kept = [a for a in present if not a.is_prediction]
    found = [p for p in proposals if p.label_id in known]
    uncertainty.keep(tx, image.id, uncertainty.of_run(found, present, model_id))
    fresh = [p for p in found if not covered(p, kept)]
    if _same(untouched, fresh, model_id):
        return len(fresh)
    # Never an id that stands: what a person accepted keeps the id an earlier round of the job gave it.
    standing = {a.id for a in kept}
    keys = (key for number in count() if (key := f"p{job_id:06d}-{number:04d}") not in standing)
    made = [_annotation(p, model_id, key) for p, key in zip(fresh, keys, strict=False)]
    changes = Changes(put=[(None, a) for a in made], removed=untouched)
    fresh_image = images.get(tx, image.project_id, image.id)
    annotations.apply(
        tx, fresh_image, changes, diff_id=diff_id, kind="auto-label", author_id=tx.user_id, job_id=job_id
    )
    return len(made)


def _annotation(p: Proposal, model_id: int, key: str) -> Annotation:
    return Annotation(
        id=key,
        label_id=p.label_id,
        geometry=p.geometry,
        source="model",
        confidence=p.confidence,
        model_id=model_id,
    )


def covered(p: Proposal | Annotation, kept: Sequence[Annotation]) -> bool:
    """Tell whether a shape of the same label stands where a prediction would come (IoU of the bounds ≥ 0.7)."""
    import numpy as np  # not before there are predictions: a start is quicker without it

    bounds = np.array([a.geometry.bounds() for a in kept if a.label_id == p.label_id], dtype=np.float64)
    if not len(bounds):
        return False
    x1, y1, x2, y2 = p.geometry.bounds()
    widths = np.clip(np.minimum(bounds[:, 2], x2) - np.maximum(bounds[:, 0], x1), 0, None)
    heights = np.clip(np.minimum(bounds[:, 3], y2) - np.maximum(bounds[:, 1], y1), 0, None)
    shared = widths * heights
    areas = (bounds[:, 2] - bounds[:, 0]) * (bounds[:, 3] - bounds[:, 1])
    union = areas + (x2 - x1) * (y2 - y1) - shared
    return bool(np.any(shared >= _SAME_OBJECT_IOU * np.maximum(union, 1e-12)))


def _same(untouched: Sequence[Annotation], fresh: Sequence[Proposal], model_id: int) -> bool:
    if len(untouched) != len(fresh) or any(a.model_id != model_id for a in untouched):
        return False
    before = sorted(msgspec.json.encode((a.label_id, a.confidence, a.geometry)) for a in untouched)
    return before == sorted(msgspec.json.encode((p.label_id, p.confidence, p.geometry)) for p in fresh)
