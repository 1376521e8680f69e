"""Pixels → rings: the outline of a mask along its pixel edges.

OpenCV's contours run through the centres of the outermost pixels and lose half a pixel all
round; these run along the edges, so that `raster.rasterize` gives the same pixels back.
Pixels that touch only at a corner count as apart, holes that do as joined.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["outline"]

Ints = NDArray[np.int64]


def outline(pixels: NDArray[np.bool_]) -> list[list[list[float]]]:
    """Return the parts (outer ring clockwise on the screen, then its holes) of a bool array (height, width).

    A ring has a vertex at each turn only. The vertices of the outline are joined along rows
    and along columns: sorted by row, each odd one is the end of a horizontal edge that begins
    at the one before; likewise by column.
    """
    xs, ys, upright = _corners(pixels)
    rings = _walk(upright)
    parts: dict[int, list[list[float]]] = {}
    owner = _owners(rings, xs, ys, upright, pixels)
    for number, ring in enumerate(rings):
        if owner[number] != number:
            ring = ring[::-1]
        flat = np.column_stack((xs[ring], ys[ring])).astype(np.float64).ravel().tolist()
        parts.setdefault(owner[number], []).append(flat)
    return list(parts.values())


def _corners(pixels: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Return x, y of the corners by rows, and each one's partner along its vertical edge."""
    padded = np.pad(pixels, 1)
    a, b, c, d = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    saddle = (a == d) & (b == c) & (a != b)
    ys, xs = np.nonzero((a ^ b ^ c ^ d) | saddle)
    # At a saddle two corners meet: it stands twice, first the one whose edge comes from the left.
    index = np.repeat(np.arange(len(xs)), 1 + saddle[ys, xs])
    second = np.zeros(len(index), dtype=bool)
    second[1:] = index[1:] == index[:-1]
    ys, xs = ys[index], xs[index]
    # The one from the left turns up when the pixel above left is inside, else down.
    lower = second ^ (saddle[ys, xs] & b[ys, xs])
    order = np.lexsort((lower, ys, xs))
    partner = np.empty(len(xs), dtype=np.int64)
    partner[order[::2]], partner[order[1::2]] = order[1::2], order[::2]
    return xs, ys, partner


def _walk(upright: Ints) -> list[list[int]]:
    """Return the rings as corner indices, each from its top left one to the right."""
    partner = upright.tolist()
    seen = bytearray(len(partner))
    rings = []
    for start in range(0, len(partner), 2):
        if seen[start]:
            continue
        ring, here = [], start
        while not seen[here]:
            across = here ^ 1
            seen[here] = seen[across] = 1
            ring += [here, across]
            here = partner[across]
        rings.append(ring)
    return rings


def _owners(rings: list[list[int]], xs: Ints, ys: Ints, upright: Ints, pixels: NDArray[np.bool_]) -> list[int]:
    """Return for each ring the number of the outer ring it belongs to: itself, unless it is a hole."""
    starts = np.array([ring[0] for ring in rings], dtype=np.int64)
    if not len(starts):
        return []
    hole = ~pixels[ys[starts], xs[starts]]
    owners = list(range(len(rings)))
    if not hole.any():
        return owners
    keys, numbers = _upright_edges(rings, xs, ys, upright, pixels.shape[1] + 1)
    # To the left of a hole's first corner the next edge is of the outer ring or of an earlier hole.
    places = np.searchsorted(keys, ys[starts] * (pixels.shape[1] + 1) + xs[starts])
    for number in np.flatnonzero(hole).tolist():
        owners[number] = owners[numbers[places[number] - 1]]
    return owners


def _upright_edges(rings: list[list[int]], xs: Ints, ys: Ints, upright: Ints, stride: int) -> tuple[Ints, Ints]:
    """Return sorted keys ``y * stride + x`` of the vertical pixel edges, and their rings' numbers."""
    ring_of = np.empty(len(xs), dtype=np.int64)
    ring_of[np.concatenate([np.asarray(ring) for ring in rings])] = np.repeat(
        np.arange(len(rings)), [len(ring) for ring in rings]
    )
    tops = np.flatnonzero(ys < ys[upright])
    lengths = ys[upright[tops]] - ys[tops]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    keys = (np.repeat(ys[tops], lengths) + within) * stride + np.repeat(xs[tops], lengths)
    order = np.argsort(keys)
    return keys[order], np.repeat(ring_of[tops], lengths)[order]
