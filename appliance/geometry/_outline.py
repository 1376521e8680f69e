"""Pixels → rings: the outline of a mask along its pixel edges.

OpenCV's contours run through the centres of the outermost pixels and lose half a pixel all
round; these run along the edges, so that `raster.rasterize` gives the same pixels back.
Pixels that touch only at a corner count as apart, holes that do as joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.geometry._numpy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["outline"]


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
    order = np.array([corner for ring in rings for corner in ring], dtype=np.int64)
    flat = np.stack((xs[order], ys[order]), axis=1).astype(np.float64).ravel().tolist()
    start = 0
    for number, ring in enumerate(rings):
        points = flat[start : start + 2 * len(ring)]
        start += len(points)
        if owner[number] != number:
            points[::2], points[1::2] = points[-2::-2], points[::-2]
        parts.setdefault(owner[number], []).append(points)
    return list(parts.values())


def _corners(pixels: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Return x, y of the corners by rows, and each one's partner along its vertical edge."""
    height, width = pixels.shape
    padded = np.zeros((height + 2, width + 2), dtype=bool)
    padded[1:-1, 1:-1] = pixels
    # Flat, so that the four pixels around a corner are four views; a row's end meets padding.
    flat, stride = padded.ravel(), width + 2
    a, b, c, d = flat[: -stride - 1], flat[1:-stride], flat[stride:-1], flat[stride + 1 :]
    upper, lower = a ^ b, c ^ d
    saddle = upper & lower & (a ^ c)
    at = np.flatnonzero((upper ^ lower) | saddle)
    second = np.zeros(len(at), dtype=bool)
    if saddle.any():
        # At a saddle two corners meet: it stands twice, first the one whose edge comes from the left.
        at = np.repeat(at, 1 + saddle[at])
        second = np.concatenate(([False], at[1:] == at[:-1]))
        # The one from the left turns up when the pixel above left is inside, else down.
        second ^= saddle[at] & b[at]
    ys, xs = np.divmod(at, stride)
    order = np.argsort((xs * (height + 1) + ys) * 2 + second)
    partner = np.empty(len(at), dtype=np.int64)
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
        ring = [start, start ^ 1]
        add, here = ring.append, partner[start ^ 1]
        while here != start:
            across = here ^ 1
            seen[here] = 1
            seen[across] = 1
            add(here)
            add(across)
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
