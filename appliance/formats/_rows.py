"""Rings for formats that know only one ring per object, and numbers as text, fast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.geometry import convert
from appliance.geometry.polygon import Polygon

__all__ = ["CELL_BYTES", "cells", "one_ring", "parts_of"]

Ring = list[float]

DECIMALS = 8
CELL_BYTES = DECIMALS + 3
_CELL = np.dtype([("whole", "u1"), ("point", "u1"), ("high", "S4"), ("low", "S4"), ("blank", "u1")])
_QUADS = np.array([b"%04d" % number for number in range(10_000)], dtype="S4")
_PAIRS = 1 << 22


def cells(numbers: NDArray[np.float64]) -> bytes:
    """Return each number of 0…1 as eight decimals and a blank, `CELL_BYTES` bytes each.

    Eight decimals keep a coordinate within 0.001 pixels in pictures of up to 200,000 pixels a side.
    """
    scaled = np.rint(np.clip(numbers, 0.0, 1.0) * 10.0**DECIMALS).astype(np.int64)
    high, low = np.divmod(scaled, 10_000)
    whole, high = np.divmod(high, 10_000)
    text = np.empty(len(scaled), dtype=_CELL)
    text["whole"] = whole + ord("0")
    text["point"] = ord(".")
    text["high"] = _QUADS[high]
    text["low"] = _QUADS[low]
    text["blank"] = ord(" ")
    return text.tobytes()


def one_ring(polygon: Polygon) -> Ring:
    """Return a polygon as one ring: holes and further parts are joined by slits of no width."""
    rings = convert.polygon_to_coco(polygon)
    joined = rings[0]
    for ring in rings[1:]:
        joined = _joined(joined, ring)
    return joined


def _joined(ring: Ring, other: Ring) -> Ring:
    """Walk from the first ring along the shortest way to the other, around it and back.

    Both run in the same direction, which tells parts from holes when the slit is undone.
    """
    a, b = (np.array(points, dtype=np.float64).reshape(-1, 2) for points in (ring, other))
    if (_turn(a) > 0) != (_turn(b) > 0):
        b = b[::-1]
    few = b[: max(1, _PAIRS // len(a))]
    squared = ((a[:, None] - few[None]) ** 2).sum(axis=2)
    squared[squared == 0] = np.inf  # a slit of no length could not be found again
    at, start = np.unravel_index(int(squared.argmin()), squared.shape)
    turn = np.concatenate((b[start:], b[: start + 1]))
    return np.concatenate((a[: at + 1], turn, a[at:])).ravel().tolist()


def _turn(points: NDArray[np.float64]) -> float:
    x, y = (points - points[0]).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def parts_of(ring: Sequence[float]) -> list[list[Ring]]:
    """Return a polygon's parts from one ring of three points or more; slits are undone."""
    count = len(ring) // 2
    xs, ys = ring[::2], ring[1::2]
    if len(set(xs)) == count or len(set(ys)) == count or len(set(zip(xs, ys, strict=True))) == count:
        return [[list(ring)]]
    return convert.polygon_from_coco([ring]).parts  # touches itself: closed by its first point, or slits
