"""The built-in segmenter: GrabCut from clicks and boxes, without any weights.

Source: Rother, Kolmogorov and Blake 2004, "GrabCut: interactive foreground extraction using
iterated graph cuts", as OpenCV has it.
"""

from __future__ import annotations

import cv2
import numpy as np

from appliance.engine.backends._graph import Stop
from appliance.engine.segmenters._base import Embedding, Prompt, Segmented, Weights

__all__ = ["SEGMENTER", "segment"]

_SIDE = 384
"""Pixels of the longer side that GrabCut works on: its time grows with their number."""

_ITERATIONS = 3
_NEAR = 0.08
"""Radius, as a share of the longer side, in which a click makes the object likely."""

_SURE_PX = 2


def segment(picture: np.ndarray, prompt: Prompt) -> Segmented:
    """Return the mask of the object that a prompt means; the same input gives the same mask.

    Args:
        picture: uint8 ``[height, width, 3]``, RGB.
        prompt: At least one positive point, or a box.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    trimap = _trimap(size, prompt, (size[0] / width, size[1] / height))
    inside = _cut(small, trimap)
    inside = _around_clicks(inside, trimap)
    score = _contrast(small, inside)
    full = cv2.resize(inside.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) >= 0.5
    return Segmented(full, score)


def _trimap(size: tuple[int, int], prompt: Prompt, scale: tuple[float, float]) -> np.ndarray:
    """Return what is known of each pixel: uint8 ``[height, width]`` of GrabCut's classes."""
    width, height = size
    known = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    if prompt.mask is not None:
        known[cv2.resize(prompt.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0] = cv2.GC_PR_FGD
    near = max(_SURE_PX + 1, round(_NEAR * max(size)))
    places = [(round(float(x) * scale[0]), round(float(y) * scale[1])) for x, y in prompt.points]
    for place, positive in zip(places, prompt.positive, strict=True):
        if positive and prompt.mask is None and prompt.box is None:
            cv2.circle(known, place, near, cv2.GC_PR_FGD, -1)
    if prompt.box is not None:
        _outside(known, prompt.box, scale, fill=prompt.mask is None)
    for place, positive in zip(places, prompt.positive, strict=True):
        cv2.circle(known, place, _SURE_PX, cv2.GC_FGD if positive else cv2.GC_BGD, -1)
    return known


def _outside(
    known: np.ndarray, box: tuple[float, float, float, float], scale: tuple[float, float], *, fill: bool
) -> None:
    """Rule out everything beyond a box; with `fill`, what is in it is likely the object."""
    x1, y1 = int(box[0] * scale[0]), int(box[1] * scale[1])
    x2, y2 = int(np.ceil(box[2] * scale[0])), int(np.ceil(box[3] * scale[1]))
    within = np.zeros(known.shape, bool)
    within[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)] = True
    known[~within] = cv2.GC_BGD
    if fill:
        known[within] = cv2.GC_PR_FGD


def _cut(picture: np.ndarray, trimap: np.ndarray) -> np.ndarray:
    """Return bool ``[height, width]``; where one of the sides has no pixel at all, what is known stands."""
    inside = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
    if not inside.any() or inside.all():
        return inside
    cv2.setRNGSeed(0)  # GrabCut starts from k-means, which starts at random
    found = trimap.copy()
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(picture, found, None, *models, _ITERATIONS, cv2.GC_INIT_WITH_MASK)
    cut = np.asarray((found == cv2.GC_FGD) | (found == cv2.GC_PR_FGD))
    return cut if cut.any() else inside  # colours alone do not tell it apart: what was said stands


def _around_clicks(inside: np.ndarray, trimap: np.ndarray) -> np.ndarray:
    """Keep the pieces with a click in them; without clicks the largest."""
    count, pieces, facts, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    if count <= 2:
        return inside
    clicked = np.unique(pieces[(trimap == cv2.GC_FGD) & inside])
    kept = clicked if len(clicked) else [1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))]
    return np.isin(pieces, kept)


def _contrast(picture: np.ndarray, inside: np.ndarray) -> float:
    """Return how much the colours inside differ from those around, 0..1: Bhattacharyya's distance."""
    around = (cv2.dilate(inside.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0) & ~inside
    if not inside.any() or not around.any():
        return 0.0
    shades = [
        cv2.calcHist([picture], [0, 1, 2], where.astype(np.uint8), [8, 8, 8], [0, 256] * 3)
        for where in (inside, around)
    ]
    return float(cv2.compareHist(shades[0], shades[1], cv2.HISTCMP_BHATTACHARYYA))


class _Ready:
    """GrabCut needs nothing but the picture."""

    def encode(self, picture: np.ndarray, stop: Stop | None = None) -> Embedding:  # noqa: ARG002
        return {"picture": picture}

    def decode(self, embedding: Embedding, prompt: Prompt, width: int, height: int) -> Segmented:  # noqa: ARG002
        return segment(embedding["picture"], prompt)

    def close(self) -> None:
        pass


class Classical:
    """The segmenter that is always there."""

    name = "classical"
    title = "Built-in"
    side = 1024
    costly = False

    def open(self, weights: Weights | None) -> _Ready:  # noqa: ARG002
        return _Ready()


SEGMENTER = Classical()
