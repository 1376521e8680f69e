"""A picture as some hundred patches of one colour, and how strongly neighbours belong together."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

__all__ = ["Patches", "patches"]

_STEP = 9
"""Pixels between the seeds of two patches."""

_AFFINITY = 0.125
"""Falloff of the affinity with the contrast, per unit of CIE Lab; fitted, as all numbers here, on
objects of coco128 that the bench does not use."""

_LEAST = 1e-4
"""What neighbours have in common across the strongest edge."""


class Patches(NamedTuple):
    """Patches and the graph of their neighbourhood.

    Attributes:
        of: int ``[height, width]``: the patch of each pixel, from 0.
        sizes: float64 ``[n]``: pixels of each.
        laplacian: float64 ``[n, n]``: of the graph, weighted by affinity and length of the common edge.
    """

    of: np.ndarray
    sizes: np.ndarray
    laplacian: np.ndarray


def patches(picture: np.ndarray) -> Patches:
    """Divide a picture along its edges.

    Source: Machairas et al. 2014, "Waterpixels", for patches as a watershed from a grid of minima.

    Args:
        picture: uint8 ``[height, width, 3]``, RGB; a few hundred pixels a side.
    """
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    edges = _edges(lab)
    of = _flooded(edges)
    count = int(of.max()) + 1
    sizes = np.bincount(of.ravel(), minlength=count).astype(np.float64)
    colours = np.stack([np.bincount(of.ravel(), lab[..., c].ravel(), minlength=count) for c in range(3)], 1)
    return Patches(of, sizes, _laplacian(of, edges, colours / sizes[:, None]))


def _edges(lab: np.ndarray) -> np.ndarray:
    """Return the strongest gradient of the three channels, Lab units a pixel: float32 ``[height, width]``."""
    smooth = cv2.GaussianBlur(cv2.bilateralFilter(lab, 5, 12, 3), (0, 0), 1.0)
    found = np.zeros(lab.shape[:2], np.float32)
    for channel in cv2.split(smooth):
        across, down = cv2.Scharr(channel, cv2.CV_32F, 1, 0), cv2.Scharr(channel, cv2.CV_32F, 0, 1)
        found = np.maximum(found, cv2.magnitude(across, down) / 32)
    return found


def _flooded(edges: np.ndarray) -> np.ndarray:
    """Return the patch of each pixel: water rises from the flattest pixel of each cell of a grid."""
    height, width = edges.shape
    rows, columns = -(-height // _STEP), -(-width // _STEP)
    padded = np.full((rows * _STEP, columns * _STEP), np.inf, np.float32)
    padded[:height, :width] = edges
    margin = _STEP // 4
    cells = padded.reshape(rows, _STEP, columns, _STEP).swapaxes(1, 2)
    inner = cells[:, :, margin : _STEP - margin, margin : _STEP - margin].reshape(rows, columns, -1)
    side = _STEP - 2 * margin
    flattest = inner.argmin(axis=2)
    y = np.arange(rows)[:, None] * _STEP + margin + flattest // side
    x = np.arange(columns)[None, :] * _STEP + margin + flattest % side
    y, x = np.minimum(y, height - 1).ravel(), np.minimum(x, width - 1).ravel()
    seeds = np.zeros((height, width), np.int32)
    seeds[y, x] = np.arange(1, len(y) + 1)
    steep = np.clip(edges * 12, 0, 255).astype(np.uint8)
    flooded = cv2.watershed(cv2.merge([steep] * 3), seeds)
    return _without_ridges(flooded)


def _without_ridges(flooded: np.ndarray) -> np.ndarray:
    """Give the watershed's ridges (-1) to their nearest patch, and number the patches from 0."""
    ridge = flooded <= 0
    _, nearest = cv2.distanceTransformWithLabels(
        ridge.astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    patch_of = np.zeros(int(nearest.max()) + 1, np.int32)
    patch_of[nearest[~ridge]] = flooded[~ridge]
    full = np.where(ridge, patch_of[nearest], flooded)
    numbers = np.cumsum(np.bincount(full.ravel()) > 0) - 1
    renumbered: np.ndarray = numbers[full]
    return renumbered


def _laplacian(of: np.ndarray, edges: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Weigh neighbours by the length of their border, its gradient and the difference of their colours."""
    count = len(colours)
    one = np.concatenate([of[:, :-1].ravel(), of[:-1].ravel()])
    other = np.concatenate([of[:, 1:].ravel(), of[1:].ravel()])
    steep = np.concatenate(
        [np.maximum(edges[:, :-1], edges[:, 1:]).ravel(), np.maximum(edges[:-1], edges[1:]).ravel()]
    )
    border = one != other
    pairs = np.minimum(one, other)[border] * count + np.maximum(one, other)[border]
    pair, which, length = np.unique(pairs, return_inverse=True, return_counts=True)
    gradient = np.bincount(which, steep[border]) / length
    a, b = pair // count, pair % count
    contrast = np.hypot(np.linalg.norm(colours[a] - colours[b], axis=1), gradient)
    affinity = length * (np.exp(-_AFFINITY * contrast) + _LEAST)
    laplacian = np.zeros((count, count))
    laplacian[a, b] = laplacian[b, a] = -affinity
    laplacian[np.diag_indices(count)] = -laplacian.sum(axis=1)
    return laplacian
