"""What the heads of all YOLO tasks have in common: rows of objects out of a tensor."""

from __future__ import annotations

import numpy as np

from appliance.engine.decoders._base import PredictOptions
from appliance.engine.decoders._nms import suppress, suppress_turned
from appliance.geometry import Geometry
from appliance.records import Prediction

__all__ = ["dense", "end_to_end", "prediction", "tensor_of"]


def tensor_of(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 ``[height, width, 3]`` BGR as float32 ``[3, height, width]`` RGB, 0..1."""
    tensor = np.empty((3, *pixels.shape[:2]), np.float32)
    for channel in range(3):
        np.divide(pixels[..., 2 - channel], np.float32(255), out=tensor[channel])
    return tensor


def dense(head: np.ndarray, labels: int, options: PredictOptions, *, turned: bool) -> np.ndarray:
    """Return rows of the objects found, best first.

    Args:
        head: float32 ``[4 + labels + m, anchors]``, boxes as centre and size in input pixels.
        labels: How many labels.
        options: What to keep.
        turned: The boxes are turned by the last value, radians.

    Returns:
        float32 ``[n, 6 + m]``: ``x1, y1, x2, y2`` (``cx, cy, w, h`` of turned ones) in input
        pixels, score, class index, and what else there is.
    """
    best = head[4 : 4 + labels].max(axis=0)
    found = head[:, np.flatnonzero(best > options.conf)]
    classes = found[4 : 4 + labels].argmax(axis=0)
    scores = found[4 : 4 + labels].max(axis=0)
    centre, size = found[0:2], found[2:4]
    box = (centre, size) if turned else (centre - size / 2, centre + size / 2)
    rows = np.concatenate((*box, scores[None], classes[None], found[4 + labels :])).T
    rows = _wanted(rows.astype(np.float32, copy=False), options)
    limits = {"iou": options.iou, "limit": options.max_det, "agnostic": options.agnostic}
    if turned:
        return rows[suppress_turned(rows[:, [0, 1, 2, 3, -1]], rows[:, 4], rows[:, 5], **limits)]
    return rows[suppress(rows[:, :4], rows[:, 4], rows[:, 5], **limits)]


def end_to_end(head: np.ndarray, labels: int, options: PredictOptions, *, turned: bool) -> np.ndarray:  # noqa: ARG001
    """Return the rows above the threshold of ``[300, 6 + m]``; they come best first and suppressed."""
    sure = head[head[:, 4] > options.conf]
    known = (sure[:, 5] >= 0) & (sure[:, 5] < labels)
    return _wanted(sure[known], options)[: options.max_det]


def prediction(row: np.ndarray, geometry: Geometry) -> Prediction:
    """Return one object; a rounding above 1 is no confidence."""
    confidence = min(max(float(row[4]), 0.0), 1.0)
    return Prediction(class_index=int(row[5]), confidence=confidence, geometry=geometry)


def _wanted(rows: np.ndarray, options: PredictOptions) -> np.ndarray:
    """Return the rows whose box is finite and whose class is asked for."""
    keep = np.isfinite(rows[:, :4]).all(axis=1)
    if options.classes is not None:
        keep &= np.isin(rows[:, 5], options.classes)
    return rows[keep]
