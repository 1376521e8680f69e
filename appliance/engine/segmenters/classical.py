"""The built-in segmenter: a random walk from the clicks, without any weights.

The picture around the object is divided into patches (`_superpixels`). From each patch somebody
walks at random, rather to neighbours of its colour than across an edge, and may give up at every
step; a patch belongs to the object when the walk from it more likely than not ends at a positive
click, before it gives up or meets a negative one. How readily the walk gives up decides how large
the object is, so several are tried. Among those the answer is the one people mean: they click in
the middle of the object, and later in the middle of what is wrong.

Source: Grady 2006, "Random walks for image segmentation"; the giving up is the restart of
Kim, Lee and Lee 2008, "Generative image segmentation using random walks with restart".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from appliance.engine.backends._graph import Stop
from appliance.engine.segmenters._base import Embedding, Prompt, Segmented, Weights
from appliance.engine.segmenters._superpixels import Patches, patches
from appliance.engine.segmenters._walks import ends

__all__ = ["SEGMENTER", "segment"]

_SIDE = 256
"""Pixels of the longer side that is looked at: the time of an answer grows with its square and more."""

_GIVE_UP = (0.15, 0.06, 0.025, 0.0125)
"""How readily the walk ends by itself, per patch of mean size: from small objects to large ones."""

_MARGIN = 0.6
"""How much of the picture around the present mask is looked at, in its longer sides."""

_WHOLE = 0.75
"""A region of more than this share of the picture is the whole picture."""

_LEAST_PX = 32

_SIZE, _CENTRED, _AGREEING, _TOWARDS = -0.06, 0.2, 0.4, 0.06
"""What makes a mask likely: its size, the click in its middle, likeness to the mask before, growth
as the click asks for."""


class _Region(NamedTuple):
    """Part of the picture, upright pixels, and how it is made small: ``small = (full - corner) * scale``."""

    x1: int
    y1: int
    x2: int
    y2: int

    def places(self, points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Return the pixels of the small picture in which points lie: int ``[n, 2]``, x and y."""
        height, width = shape
        scale = np.array([width / (self.x2 - self.x1), height / (self.y2 - self.y1)])
        small = ((points - (self.x1, self.y1)) * scale).astype(np.int64)
        return np.clip(small, 0, (width - 1, height - 1))

    def cut(self, plane: np.ndarray) -> np.ndarray:
        """Return this part of an array ``[height, width, …]``."""
        return plane[self.y1 : self.y2, self.x1 : self.x2]


def segment(picture: np.ndarray, prompt: Prompt) -> Segmented:
    """Return the mask of the object that a prompt means; the same input gives the same mask.

    What is small in the whole picture is looked at once more from nearby.

    Args:
        picture: uint8 ``[height, width, 3]``, RGB.
        prompt: At least one positive point, or a box; points in the order they were clicked.
    """
    found = _answer(picture, prompt)
    if prompt.mask is not None or prompt.box is not None:
        return found
    height, width = picture.shape[:2]
    closer = prompt._replace(mask=found.mask)
    return _answer(picture, closer) if _region(closer, width, height) != _Region(0, 0, width, height) else found


def _answer(picture: np.ndarray, prompt: Prompt) -> Segmented:
    height, width = picture.shape[:2]
    region = _region(prompt, width, height)
    small = _small(region.cut(picture))
    found = patches(small)
    shape = (small.shape[0], small.shape[1])
    before = _before(prompt, region, shape)
    masks = list(_masks(found, prompt, region))
    likely = [_likely(mask, before, prompt, region) for mask in masks]
    best = int(np.argmax(likely))
    full = np.zeros((height, width), bool)
    size = region.x2 - region.x1, region.y2 - region.y1
    region.cut(full)[:] = cv2.resize(masks[best].astype(np.float32), size, interpolation=cv2.INTER_LINEAR) >= 0.5
    if prompt.box is not None:
        full = _within(full, prompt.box)
    return Segmented(full, float(np.clip(likely[best], 0, 1)))


def _region(prompt: Prompt, width: int, height: int) -> _Region:
    """Return what is worth looking at: the object so far and as much again on each side."""
    corners = [prompt.points.reshape(-1, 2)]
    if prompt.box is not None:
        corners.append(np.array(prompt.box).reshape(2, 2))
    if prompt.mask is not None and prompt.mask.any():
        rows, columns = np.flatnonzero(prompt.mask.any(axis=1)), np.flatnonzero(prompt.mask.any(axis=0))
        corners.append(np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]], np.float64))
    elif prompt.box is None:
        return _Region(0, 0, width, height)
    (x1, y1), (x2, y2) = np.concatenate(corners).min(axis=0), np.concatenate(corners).max(axis=0)
    margin = _MARGIN * max(x2 - x1, y2 - y1, _LEAST_PX)
    left, top = max(0, int(x1 - margin)), max(0, int(y1 - margin))
    right, bottom = min(width, int(x2 + margin) + 1), min(height, int(y2 + margin) + 1)
    if max(right - left, bottom - top) > _WHOLE * max(width, height):
        return _Region(0, 0, width, height)
    return _Region(left, top, right, bottom)


def _small(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    scale = _SIDE / max(height, width)
    size = max(_LEAST_PX, round(width * scale)), max(_LEAST_PX, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _before(prompt: Prompt, region: _Region, shape: tuple[int, int]) -> np.ndarray | None:
    if prompt.mask is None or not prompt.mask.any():
        return None
    part = region.cut(prompt.mask).astype(np.uint8)
    return cv2.resize(part, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST) > 0


def _masks(found: Patches, prompt: Prompt, region: _Region) -> Iterator[np.ndarray]:
    """Yield a mask for each readiness to give up, the small ones first: bool ``[height, width]``."""
    places = region.places(prompt.points.reshape(-1, 2), found.of.shape)
    on, off = _ends(found, prompt, region, places)
    for likely in ends(found, on, off, _GIVE_UP):
        yield _around((likely > 0.5)[found.of], places[prompt.positive])


def _ends(found: Patches, prompt: Prompt, region: _Region, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the patches that are the object's, and those that are not: int ``[n]`` each."""
    clicked = found.of[places[:, 1], places[:, 0]]
    on, off = np.unique(clicked[prompt.positive]), np.unique(clicked[~prompt.positive])
    if prompt.box is not None:
        corners = region.places(np.array(prompt.box).reshape(2, 2), found.of.shape)
        (x1, y1), (x2, y2) = corners
        outside = np.ones(found.of.shape, bool)
        outside[y1 : y2 + 1, x1 : x2 + 1] = False
        beyond = np.bincount(found.of.ravel(), outside.ravel(), minlength=len(found.sizes)) > found.sizes / 2
        off = np.union1d(off, np.flatnonzero(beyond))
        if not prompt.positive.any():
            third_x, third_y = (x2 - x1) // 3, (y2 - y1) // 3
            on = np.unique(found.of[y1 + third_y : y2 - third_y + 1, x1 + third_x : x2 - third_x + 1])
    return on, np.setdiff1d(off, on)


def _around(mask: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Keep the pieces with a positive click in them; without clicks the largest."""
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    clicked = np.unique(pieces[places[:, 1], places[:, 0]])
    clicked = clicked[clicked > 0]
    if not len(clicked) and len(facts) > 1:
        clicked = np.array([1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))])
    return np.isin(pieces, clicked)


def _likely(mask: np.ndarray, before: np.ndarray | None, prompt: Prompt, region: _Region) -> float:
    """Say how likely somebody means a mask who clicked last where they did; comparable, not a probability."""
    share = max(float(mask.mean()), 1e-4)
    if prompt.box is not None and not len(prompt.points):
        return _fills(mask, region.places(np.array(prompt.box).reshape(2, 2), (mask.shape[0], mask.shape[1])))
    x, y = region.places(prompt.points[-1:], (mask.shape[0], mask.shape[1]))[0]
    positive = bool(prompt.positive[-1])
    likely = 0.5 + _SIZE * np.log(share / 0.05) ** 2 / 4
    if before is None:
        return float(likely + _CENTRED * _middle(mask, x, y))
    changed = (mask & ~before) if positive else (before & ~mask)
    growth = np.log((mask.sum() + 1) / (before.sum() + 1)) * (1 if positive else -1)
    union = (mask | before).sum()
    agreeing = (mask & before).sum() / union if union else 0.0
    return float(
        likely + _CENTRED / 2 * _middle(changed, x, y) + _AGREEING * agreeing + _TOWARDS * np.clip(growth, -2, 2)
    )


def _middle(mask: np.ndarray, x: int, y: int) -> float:
    """Return how near a place is to the middle of a mask: 1 at its innermost pixel, 0 outside."""
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    deepest = float(depth.max())
    return float(depth[y, x]) / deepest if deepest else 0.0


def _fills(mask: np.ndarray, corners: np.ndarray) -> float:
    """Return the overlap (IoU) of a mask's bounds with a box, 0..1."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0.0
    (x1, y1), (x2, y2) = corners
    shared_x = min(x2, columns[-1]) - max(x1, columns[0]) + 1
    shared_y = min(y2, rows[-1]) - max(y1, rows[0]) + 1
    shared = max(0, shared_x) * max(0, shared_y)
    area = (x2 - x1 + 1) * (y2 - y1 + 1) + (columns[-1] - columns[0] + 1) * (rows[-1] - rows[0] + 1)
    return float(shared / (area - shared))


def _within(mask: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Cut off what reaches beyond a box."""
    x1, y1 = max(0, int(box[0])), max(0, int(box[1]))
    x2, y2 = int(np.ceil(box[2])), int(np.ceil(box[3]))
    cut = np.zeros_like(mask)
    cut[y1:y2, x1:x2] = mask[y1:y2, x1:x2]
    return cut


class _Ready:
    """It needs nothing but the picture."""

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
