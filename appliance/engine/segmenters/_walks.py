"""Random walks over patches: how likely each ends well.

One dense system of six hundred patches takes most of a click's time, and the threads of a linear
algebra library on a busy box many times that. So patches with many neighbours are set aside (the
border) and the others taken in levels, each the neighbours of the one before: a bordered block
tridiagonal system, solved exactly in blocks of some thirty.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from appliance.engine.segmenters._superpixels import Patches

__all__ = ["ends"]

_MANY = 20
"""Neighbours of a patch that is set aside: on photographs levels keep below 80 patches."""


def ends(found: Patches, on: np.ndarray, off: np.ndarray, rates: Sequence[float]) -> np.ndarray:
    """Return how likely a walk from each patch ends at one of `on`: float64 ``[rates, n]``.

    Source: Golub and Van Loan 2013, "Matrix computations", 4.5.1, block tridiagonal systems.

    Args:
        found: The patches.
        on: int ``[k]``: patches where a walk ends well.
        off: int ``[l]``: patches where it ends badly; none of `on`.
        rates: How readily a walk gives up, per patch of mean size.
    """
    free = np.ones(len(found.sizes), bool)
    free[on] = free[off] = False
    border, levels = _ordered(found, free)
    giving_up = np.asarray(rates)[:, None] * (found.sizes / found.sizes.mean())
    given = np.column_stack([found.laplacian[:, on].sum(axis=1), found.laplacian[:, border]])
    solved = _by_levels(found.laplacian, giving_up, levels, -given)
    likely = np.zeros((len(rates), len(found.sizes)))
    likely[:, on] = 1
    system = found.laplacian[np.ix_(border, border)] + giving_up[:, border, None] * np.eye(len(border))
    wanted = -given[border, :1]
    for level in levels:
        system = system + given[level, 1:].T @ solved[:, level, 1:]
        wanted = wanted - given[level, 1:].T @ solved[:, level, :1]
    likely[:, border] = np.linalg.solve(system, wanted)[:, :, 0]
    for level in levels:
        likely[:, level] = solved[:, level, 0] + (solved[:, level, 1:] @ likely[:, border, None])[:, :, 0]
    return likely


def _ordered(found: Patches, free: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the free patches with many neighbours, and the others by their steps from one side of the picture.

    Of the four sides the one that makes the smallest levels is taken.
    """
    touching = found.laplacian != 0
    crowded = touching.sum(axis=1) > _MANY
    inner = free & ~crowded
    sides = (found.of[:, 0], found.of[0], found.of[:, -1], found.of[-1])
    levels = [_levels(touching, np.unique(side), inner) for side in sides]
    return np.flatnonzero(free & crowded), min(levels, key=lambda made: sum(len(one) ** 3 for one in made))


def _levels(touching: np.ndarray, first: np.ndarray, inner: np.ndarray) -> list[np.ndarray]:
    """Return the inner patches by their steps from the first ones; what is cut off begins anew."""
    levels, left = [], inner.copy()
    level = first[left[first]]
    while left.any():
        level = level if len(level) else np.flatnonzero(left)[:1]
        levels.append(level)
        left[level] = False
        level = np.flatnonzero(touching[level].any(axis=0) & left)
    return levels


def _by_levels(
    laplacian: np.ndarray, giving_up: np.ndarray, levels: list[np.ndarray], given: np.ndarray
) -> np.ndarray:
    """Solve for several right sides, ``[n, m]``: float64 ``[rates, n, m]``."""
    solved = np.zeros((len(giving_up), *given.shape))
    onward: list[np.ndarray] = []
    for k, level in enumerate(levels):
        system = laplacian[np.ix_(level, level)] + giving_up[:, level, None] * np.eye(len(level))
        wanted = np.broadcast_to(given[level], (len(giving_up), *given[level].shape))
        if k:
            back = laplacian[np.ix_(level, levels[k - 1])]
            system, wanted = system - back @ onward[-1], wanted - back @ solved[:, levels[k - 1]]
        ahead = laplacian[np.ix_(level, levels[k + 1])] if k + 1 < len(levels) else np.zeros((len(level), 0))
        ahead = np.broadcast_to(ahead, (len(giving_up), *ahead.shape))
        found = np.linalg.solve(system, np.concatenate([ahead, wanted], axis=2))
        onward.append(found[:, :, : ahead.shape[2]])
        solved[:, level] = found[:, :, ahead.shape[2] :]
    for level, later, ahead in zip(levels[-2::-1], levels[:0:-1], onward[-2::-1], strict=True):
        solved[:, level] -= ahead @ solved[:, later]
    return solved
