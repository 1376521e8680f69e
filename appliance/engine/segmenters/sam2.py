"""SAM 2 and 2.1."""

from __future__ import annotations

from appliance.engine.segmenters._base import Weights
from appliance.engine.segmenters._sam import SIDE, SamSession
from appliance.errors import UnusableModel

__all__ = ["SEGMENTER"]


class Sam2:
    """The segmenter; a session has the graphs."""

    name = "sam2"
    title = "SAM 2"
    side = SIDE
    costly = True

    def open(self, weights: Weights | None) -> SamSession:
        if weights is None:
            raise UnusableModel("a SAM model needs its files: choose one among the models")
        return SamSession(weights, second=True)


SEGMENTER = Sam2()
