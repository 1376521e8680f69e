"""The class of a whole picture, by a classifier."""

from __future__ import annotations

import numpy as np

from appliance.engine.decoders import _heads
from appliance.engine.decoders._base import Placement, PredictOptions
from appliance.geometry.tag import Tag
from appliance.imaging.centre import centre_crop
from appliance.records import ModelInfo, Prediction

__all__ = ["found", "prepare"]


def prepare(image: np.ndarray, info: ModelInfo) -> tuple[np.ndarray, Placement]:
    """Return the middle of the picture as the model's input; a placement has no meaning for a class."""
    height, width = image.shape[:2]
    pixels = centre_crop(image, info.input_size)
    return _heads.tensor_of(pixels), Placement(width, height, *info.input_size[::-1], 1.0, 1.0, 0, 0)


def found(scores: np.ndarray, options: PredictOptions) -> list[Prediction]:
    """Return the likeliest class as a tag when it is likely enough, else nothing.

    Args:
        scores: float32 ``[labels]``, probabilities.
        options: What to keep; ``classes`` narrows the choice.
    """
    allowed = np.isfinite(scores)
    if options.classes is not None:
        allowed &= np.isin(np.arange(len(scores)), options.classes)
    if not allowed.any():
        return []
    best = int(np.where(allowed, scores, -np.inf).argmax())
    confidence = min(max(float(scores[best]), 0.0), 1.0)
    if confidence <= options.conf:
        return []
    return [Prediction(class_index=best, confidence=confidence, geometry=Tag())]
