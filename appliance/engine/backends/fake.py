"""A backend that runs no graph: what it predicts follows from the pixels alone.

It makes demos and tests exact and fast, through the same decoder, queues and jobs as a real
model. Its model has three labels, red, green and blue. For each it finds the pixels where
that channel exceeds both others by a quarter of the full range, and answers with their
bounding box, as an end-to-end YOLO head would (``[n, 300, 6]``; with masks
``[n, 300, 6 + 3]`` and prototypes ``[n, 3, height / 4, width / 4]``). The score is 0.5 plus
half the share of the box that is of the colour, so a filled rectangle scores 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from appliance.engine.backends._base import Availability
from appliance.engine.backends._graph import Stop
from appliance.errors import BackendUnavailable
from appliance.records import ModelInfo

__all__ = ["BACKEND", "fake_info"]

_LEAD = 0.25
_ROWS = 300
_MASK_STEP = 4


def fake_info(task: Literal["detect", "segment"] = "detect", input_size: tuple[int, int] = (320, 320)) -> ModelInfo:
    """Return the facts of the fake model.

    Args:
        task: With or without masks.
        input_size: Height and width in pixels, multiples of 32.
    """
    return ModelInfo(
        family="yolo",
        task=task,
        labels=["red", "green", "blue"],
        input_size=input_size,
        batch=None,
        end_to_end=True,
    )


class FakeSession:
    """Answers from pixel content; see the module's docstring."""

    def __init__(self, masks: bool) -> None:
        self._masks = masks
        self._open = True

    def run(self, batch: np.ndarray, stop: Stop | None = None) -> list[np.ndarray]:  # noqa: ARG002
        if not self._open:
            raise BackendUnavailable("this model was unloaded; load it again")
        coloured = _coloured(batch)
        rows = np.zeros((len(batch), _ROWS, 9 if self._masks else 6), np.float32)
        for image, found in zip(coloured, rows, strict=True):
            _fill_rows(image, found)
        if not self._masks:
            return [rows]
        sampled = coloured[:, :, _MASK_STEP // 2 :: _MASK_STEP, _MASK_STEP // 2 :: _MASK_STEP]
        return [rows, np.where(sampled, 4, -4).astype(np.float32)]

    def close(self) -> None:
        self._open = False


def _coloured(batch: np.ndarray) -> np.ndarray:
    """Return bool ``[n, 3, height, width]``: where each channel leads both others."""
    return np.stack([batch[:, k] > np.maximum(batch[:, k - 1], batch[:, k - 2]) + _LEAD for k in range(3)], axis=1)


def _fill_rows(coloured: np.ndarray, rows: np.ndarray) -> None:
    """Write ``x1, y1, x2, y2, score, index`` and one-hot mask weights, best score first."""
    found = []
    for index, where in enumerate(coloured):
        ys, xs = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
        if len(ys):
            x1, y1, x2, y2 = xs[0], ys[0], xs[-1] + 1, ys[-1] + 1
            share = where.sum() / ((x2 - x1) * (y2 - y1))
            found.append((0.5 + share / 2, index, (x1, y1, x2, y2)))
    for row, (score, index, box) in zip(rows, sorted(found, reverse=True), strict=False):
        row[:6] = (*box, score, index)
        if len(row) > 6:
            row[6 + index] = 1


class Fake:
    """The adapter; never chosen unasked."""

    name = "fake"
    rank: int | None = None

    def probe(self) -> Availability:
        return Availability(True, "always there", ("cpu",))

    def load(self, path: Path, info: ModelInfo, device: str, threads: int | None = None) -> FakeSession:  # noqa: ARG002
        if device != "cpu":
            raise BackendUnavailable(f"the fake backend runs on cpu only, not on {device!r}")
        return FakeSession(masks=info.task == "segment")


BACKEND = Fake()
