"""Keypoints of the objects of a pose model."""

from __future__ import annotations

import numpy as np

from appliance.engine.decoders import _heads
from appliance.engine.decoders._base import Placement
from appliance.geometry.keypoints import Keypoints
from appliance.records import ModelInfo, Prediction

__all__ = ["SURE", "found"]

SURE = 0.5
"""From this score on a point counts as visible, below as hidden: it is there to be corrected."""


def found(rows: np.ndarray, place: Placement, info: ModelInfo) -> list[Prediction]:
    """Return the keypoints of each object in canonical pixels; those outside the picture are moved to its border.

    Args:
        rows: float32 ``[n, 6 + points * values]``, see `_heads.dense`.
        place: Where the picture lies in the input.
        info: Its details hold ``keypoint_shape``: points, and 2 values each (x, y) or 3 (and a score).
    """
    count, values = info.details["keypoint_shape"]
    points = rows[:, 6:].reshape(len(rows), count, values)
    x = np.clip((points[..., 0] - place.pad_x) / place.gain_x, 0, place.width)
    y = np.clip((points[..., 1] - place.pad_y) / place.gain_y, 0, place.height)
    visibility = np.where(points[..., 2] >= SURE, 2, 1) if values == 3 else np.full(x.shape, 2)
    triples = np.stack((x, y, visibility), axis=-1).astype(np.float64).reshape(len(rows), 3 * count)
    finite = np.isfinite(triples).all(axis=1)
    return [
        _heads.prediction(row, Keypoints(triple))
        for row, triple, good in zip(rows, triples.tolist(), finite, strict=True)
        if good
    ]
