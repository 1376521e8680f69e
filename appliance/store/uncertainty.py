"""How unsure a model's run is of an image: what a queue that begins with the most uncertain goes by.

The doubt of a prediction is 1 where its confidence is a half and 0 where it is 0 or 1; an
image is as doubtful as its most doubtful prediction. Beside that, a run is held against what
people drew and accepted, and against what another model had found: what only one of two has
counts as disagreement.
Source: Settles, "Active Learning Literature Survey" (2009), 3.1, the margin of a binary
choice; Brust, Käding and Denzler, "Active Learning for Deep Object Detection" (2019), 3.2,
the maximum over an image's detections.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from appliance.geometry import Geometry
from appliance.records import Annotation
from appliance.store.writer import Transaction

__all__ = ["keep", "of_run"]

_SAME_OBJECT_IOU = 0.5
"""Source: PASCAL VOC's measure of a hit, Everingham et al. (2010), 4.2."""


Bounds: TypeAlias = tuple[float, float, float, float]


class _Proposed(Protocol):
    @property
    def label_id(self) -> int: ...
    @property
    def confidence(self) -> float: ...
    @property
    def geometry(self) -> Geometry: ...


def keep(tx: Transaction, image_id: int, uncertainty: float) -> None:
    """Write down how unsure the last run was of an image."""
    tx.execute("UPDATE tasks SET uncertainty = ? WHERE image_id = ?", (uncertainty, image_id))


def of_run(found: Sequence[_Proposed], present: Sequence[Annotation], model_id: int) -> float:
    """Return how unsure a run is, 0 to 1.

    Args:
        found: All that the model found on the image.
        present: The annotations on the image before the run.
        model_id: The model; what others left untouched is another model's opinion.
    """
    people = [a for a in present if not a.is_prediction and a.status != "rejected"]
    others = [a for a in present if a.is_prediction and a.model_id != model_id]
    doubts = [1 - abs(2 * p.confidence - 1) for p in found]
    disagreements = [_disagreement(found, other) for other in (people, others) if other]
    return round(max([0.0, *doubts, *disagreements]), 6)


def _disagreement(found: Sequence[_Proposed], other: Sequence[Annotation]) -> float:
    """Return the share of both that has no counterpart of its label, 0 to 1."""
    hits = 0
    for label_id in {p.label_id for p in found} & {a.label_id for a in other}:
        hits += _hits(
            [p.geometry.bounds() for p in found if p.label_id == label_id],
            [a.geometry.bounds() for a in other if a.label_id == label_id],
        )
    return 1 - 2 * hits / (len(found) + len(other))


def _hits(ours: Sequence[Bounds], theirs: Sequence[Bounds]) -> int:
    """Count pairs of bounds that lie over one another, the best pair first, none twice."""
    import numpy as np  # not before there are predictions: a start is quicker without it

    from appliance.geometry.measure import box_iou

    over = box_iou(np.array(ours, dtype=np.float64), np.array(theirs, dtype=np.float64))
    hits = 0
    while over.size and over.max() >= _SAME_OBJECT_IOU:
        one, other = np.unravel_index(int(over.argmax()), over.shape)
        over[one, :] = over[:, other] = 0
        hits += 1
    return hits
