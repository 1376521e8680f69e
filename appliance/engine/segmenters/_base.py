"""What every segmenter is: a picture and a few clicks in, the mask of one object out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from appliance.engine.backends._graph import Stop
from appliance.records import ModelInfo
from appliance.registry import discover

__all__ = ["BUILT_IN", "Embedding", "Prompt", "Segmented", "Segmenter", "Session", "Weights", "segmenters"]

BUILT_IN = "classical"
"""The segmenter that needs no weights, and answers where no other can."""

Embedding = Mapping[str, np.ndarray]
"""What a segmenter keeps of a picture, by name: made once, used by every click on it."""


class Prompt(NamedTuple):
    """What somebody says of the object, in pixels of the picture that is segmented.

    Attributes:
        points: float64 ``[n, 2]``, x and y.
        positive: bool ``[n]``: on the object, or beside it.
        box: x1, y1, x2, y2 around the object, or None.
        mask: bool ``[height, width]``, the answer to the prompt before, or None.
        logits: That answer as `Segmented.logits` had it, which goes before `mask`, or None.
    """

    points: np.ndarray
    positive: np.ndarray
    box: tuple[float, float, float, float] | None = None
    mask: np.ndarray | None = None
    logits: np.ndarray | None = None


class Segmented(NamedTuple):
    """The object: bool ``[height, width]`` of the picture, and how sure the segmenter is, 0..1.

    `logits` is the segmenter's own form of the mask, to go on from; None where it has no other.
    """

    mask: np.ndarray
    score: float
    logits: np.ndarray | None = None


class Weights(NamedTuple):
    """A model's files by role, what they say of themselves, and the device to run on."""

    files: Mapping[str, Path]
    info: ModelInfo
    device: str = "cpu"


class Session(Protocol):
    """A segmenter that is ready to run; while one thread encodes, others may decode."""

    def encode(self, picture: np.ndarray, stop: Stop | None = None) -> Embedding:
        """Look at a picture, once for all its clicks.

        Args:
            picture: uint8 ``[height, width, 3]``, RGB.
            stop: Ends it from another thread, where it takes long.

        Raises:
            Stopped: `stop` was set.
            BackendUnavailable: The runtime gave up.
        """
        ...

    def decode(self, embedding: Embedding, prompt: Prompt, width: int, height: int) -> Segmented:
        """Answer a prompt about the picture that was encoded.

        Args:
            embedding: From `encode`; arrays may have been kept with half the precision.
            width: Of the picture.
            height: Of the picture.
            prompt: At least one positive point, or a box.
        """
        ...

    def close(self) -> None:
        """Free the memory; the session cannot run afterwards."""
        ...


class Segmenter(Protocol):
    """A family. Each is the constant ``SEGMENTER`` of one module.

    Attributes:
        name: The family's.
        title: What the console calls it.
        side: Pixels of the longer side of a picture beyond which it sees no more detail.
        costly: Looking at a picture takes so long that the embedding is kept and made ahead.
    """

    name: str
    title: str
    side: int
    costly: bool

    def open(self, weights: Weights | None) -> Session:
        """Get ready to run, with the weights of a model of this family where it needs some.

        Raises:
            UnusableModel: The runtime refuses them.
            BackendUnavailable: The device is not there or has no room.
        """
        ...


def segmenters() -> dict[str, Segmenter]:
    """Return all segmenters by name."""
    return discover("appliance.engine.segmenters", "SEGMENTER")
