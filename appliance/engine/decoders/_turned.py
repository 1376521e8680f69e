"""Turned boxes of an obb model."""

from __future__ import annotations

import math

import numpy as np

from appliance.engine.decoders import _heads
from appliance.engine.decoders._base import Placement
from appliance.geometry.rotated_box import RotatedBox, normalized_angle
from appliance.records import ModelInfo, Prediction

__all__ = ["found"]


def found(rows: np.ndarray, place: Placement, _info: ModelInfo) -> list[Prediction]:
    """Return turned boxes in canonical pixels, those whose centre is outside cut down to what is inside.

    Args:
        rows: float32 ``[n, 7]``: ``cx, cy, w, h`` in input pixels, score, class index, and the angle in
            radians, clockwise on the screen.
        place: Where the picture lies in the input.
    """
    predictions = []
    for row in rows:
        cx, cy, width, height = row[:4].tolist()
        angle = float(row[6])
        if width <= 0 or height <= 0 or not math.isfinite(angle):
            continue
        box = RotatedBox(
            cx=(cx - place.pad_x) / place.gain_x,
            cy=(cy - place.pad_y) / place.gain_y,
            width=width / place.gain_x,
            height=height / place.gain_y,
            angle=normalized_angle(math.degrees(angle)),
        ).clipped(place.width, place.height)
        if box is not None:
            predictions.append(_heads.prediction(row, box))
    return predictions
