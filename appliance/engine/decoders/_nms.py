"""Non-maximum suppression with the results of ultralytics' predict."""

from __future__ import annotations

import numpy as np

__all__ = ["CLASS_OFFSET_PX", "MAX_CANDIDATES", "probabilistic_iou", "suppress", "suppress_turned"]

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


_EPSILON = 1e-7
_TURNED_AT_ONCE = 2_000


def suppress_turned(
    boxes: np.ndarray,
    scores: np.ndarray,
    classes: np.ndarray,
    *,
    iou: float,
    limit: int,
    agnostic: bool = False,
) -> np.ndarray:
    """Return the indices of the turned boxes that stay, best first.

    A box goes when any better one overlaps it by more than `iou`, whether that one stays or not.

    Args:
        boxes: float32 ``[n, 5]``: ``cx, cy, w, h`` in pixels of the model's input, angle in radians.
        scores: float32 ``[n]``, 0..1.
        classes: ``[n]``, class indices.
        iou: The limit of `probabilistic_iou`.
        limit: At most so many.
        agnostic: Ignore classes.

    Source: Fast NMS, https://arxiv.org/abs/1904.02689, as ultralytics uses it for turned boxes.
    """
    order = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    moved = boxes[order].astype(np.float32)
    moved[:, :2] += classes[order, None].astype(np.float32) * np.float32(0 if agnostic else CLASS_OFFSET_PX)
    kept: list[int] = []
    for start in range(0, len(order), _TURNED_AT_ONCE):
        part = moved[start : start + _TURNED_AT_ONCE]
        overlaps = probabilistic_iou(moved[: start + len(part)], part) > np.float32(iou)
        better = np.arange(start + len(part))[:, None] < np.arange(start, start + len(part))[None]
        kept.extend((start + np.flatnonzero(~(overlaps & better).any(axis=0))).tolist())
        if len(kept) >= limit:
            break
    return order[np.asarray(kept[:limit], np.intp)]


def probabilistic_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return how much turned boxes overlap, as the likeness of Gaussians.

    Args:
        a: float32 ``[n, 5]``: ``cx, cy, w, h, angle`` in radians.
        b: float32 ``[m, 5]``.

    Returns:
        float32 ``[n, m]``, 0..1.

    Source: 1 minus the Hellinger distance of https://arxiv.org/abs/2106.06072, equations 3 to 7.
    """
    x1, y1 = a[:, 0, None], a[:, 1, None]
    x2, y2 = b[None, :, 0], b[None, :, 1]
    (a1, b1, c1), (a2, b2, c2) = (tuple(v[:, None] for v in _covariance(a)), tuple(v[None] for v in _covariance(b)))
    wide, high, mixed = a1 + a2, b1 + b2, c1 + c2
    volume = wide * high - mixed**2
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        far = (wide * (y1 - y2) ** 2 + high * (x1 - x2) ** 2) / (volume + _EPSILON) * 0.25
        skew = mixed * (x2 - x1) * (y1 - y2) / (volume + _EPSILON) * 0.5
        inner = np.sqrt(np.maximum(a1 * b1 - c1**2, 0) * np.maximum(a2 * b2 - c2**2, 0))
        shape = np.log(volume / (4 * inner + _EPSILON) + _EPSILON) * 0.5
    distance = np.clip(far + skew + shape, _EPSILON, 100.0)
    return np.asarray(1 - np.sqrt(1 - np.exp(-distance) + _EPSILON), np.float32)


def _covariance(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the three numbers of each box's covariance matrix ``[[a, c], [c, b]]``."""
    wide, high = boxes[:, 2] ** 2 / 12, boxes[:, 3] ** 2 / 12
    cos, sin = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    return wide * cos**2 + high * sin**2, wide * sin**2 + high * cos**2, (wide - high) * cos * sin
