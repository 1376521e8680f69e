"""Non-maximum suppression with the results of ultralytics' predict."""

from __future__ import annotations

import numpy as np

__all__ = ["CLASS_OFFSET_PX", "MAX_CANDIDATES", "suppress"]

CLASS_OFFSET_PX = 7680
"""Moves the boxes of each class away from all others, so that one pass keeps classes apart.

Source: ultralytics `non_max_suppression`, ``max_wh``.
"""

MAX_CANDIDATES = 30_000
"""Candidates that take part, best first. Source: ultralytics `non_max_suppression`, ``max_nms``."""


def suppress(
    boxes: np.ndarray,
    scores: np.ndarray,
    classes: np.ndarray,
    *,
    iou: float,
    limit: int,
    agnostic: bool = False,
) -> np.ndarray:
    """Return the indices of the boxes that stay, best first.

    The arithmetic is float32 on boxes moved by their class, as in the original: at class 79
    the offset leaves a sixteenth of a pixel, and parity includes that rounding.

    Args:
        boxes: float32 ``[n, 4]``, xyxy in pixels of the model's input.
        scores: float32 ``[n]``, 0..1.
        classes: ``[n]``, class indices.
        iou: Of two boxes of a class that overlap by more than this, the lower score goes.
        limit: Stop after so many.
        agnostic: Ignore classes.

    Source: greedy suppression as in torchvision `nms` (strictly greater IoU is suppressed).
    """
    order = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    offset = 0 if agnostic else CLASS_OFFSET_PX
    x1, y1, x2, y2 = (boxes[order] + classes[order, None].astype(np.float32) * np.float32(offset)).T.copy()
    areas = (x2 - x1) * (y2 - y1)
    alive = np.arange(len(order))
    kept: list[int] = []
    while len(alive) and len(kept) < limit:
        best, rest = alive[0], alive[1:]
        kept.append(best)
        wide = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
        high = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        with np.errstate(divide="ignore", invalid="ignore"):  # two empty boxes: 0 / 0 is no overlap
            overlap = shared / (areas[best] + areas[rest] - shared)
        alive = rest[~(overlap > np.float32(iou))]
    return order[np.asarray(kept, np.intp)]
