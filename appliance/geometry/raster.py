"""Rings → run lengths: which pixels a polygon covers.

A pixel is inside when its centre is: rows and columns are ``floor``-ed half-open, so that
polygons which share an edge share no pixel and leave none out. A part is filled by the
even-odd rule, parts are united. Rings along pixel edges give back exactly those pixels.

pycocotools' rasteriser rounds vertices to a fifth of a pixel and walks each edge in whole
steps; the two differ only in pixels within one pixel of the outline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from appliance.geometry import rle
from appliance.geometry._numpy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["edges_of", "heights_at", "rasterize"]

_CHUNK = 1 << 20  # crossings worked on at a time: 8 MB an array


def rasterize(parts: Sequence[Sequence[Sequence[float]]], width: int, height: int) -> NDArray[np.int64]:
    """Return the runs of the pixels inside, column by column, of a ``width`` × ``height`` image.

    Args:
        parts: As `Polygon.parts`; may reach out of the image.
        width: Image width in pixels.
        height: Image height in pixels.
    """
    total = width * height
    masks = [rle.from_switches(_switches(edges_of(part), width, height), total) for part in parts]
    return masks[0] if len(masks) == 1 else rle.union(masks)


def edges_of(rings: Sequence[Sequence[float]]) -> Floats:
    """Return the rings' edges as float64 (n, 4) ``x1 y1 x2 y2`` with ``x1 < x2``; upright ones left out."""
    edges = []
    for ring in rings:
        points = np.asarray(ring, dtype=np.float64).reshape(-1, 2)
        edges.append(np.hstack((points, np.roll(points, -1, axis=0))))
    # One direction for all, so that an edge walked there and back crosses at the same place.
    joined = np.concatenate(edges)
    joined = np.where(joined[:, :1] <= joined[:, 2:3], joined, joined[:, [2, 3, 0, 1]])
    return joined[joined[:, 0] < joined[:, 2]]


def heights_at(edges: Floats, x: Floats) -> Floats:
    """Return the y at which each edge (n, 4) passes its `x` (n,), which lies within it."""
    # A share of the way rather than a slope, which overflows on edges that are all but upright.
    share = np.clip((x - edges[:, 0]) / (edges[:, 2] - edges[:, 0]), 0, 1)
    return np.asarray(edges[:, 1] + share * (edges[:, 3] - edges[:, 1]))


def _switches(edges: Floats, width: int, height: int) -> NDArray[np.int64]:
    """Return the sorted flat positions where a downward walk along the columns enters or leaves."""
    kept = np.empty(0, dtype=np.int64)
    for crossings in _crossings(edges, width, height):
        positions, times = np.unique(np.concatenate((kept, crossings)), return_counts=True)
        kept = positions[times % 2 == 1]
    return kept


def _crossings(edges: Floats, width: int, height: int) -> Iterator[NDArray[np.int64]]:
    """Yield the flat positions at which edges cross the columns' centre lines, a chunk at a time."""
    first = np.clip(np.ceil(edges[:, 0] - 0.5), 0, width).astype(np.int64)
    last = np.clip(np.ceil(edges[:, 2] - 0.5), 0, width).astype(np.int64)
    ends = np.cumsum(last - first)
    start = 0
    while start < len(edges):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _CHUNK)))
        counts = (last - first)[start:stop]
        which = np.repeat(np.arange(start, start + len(counts)), counts)
        columns = np.arange(len(which)) + done - (ends - last)[which]
        rows = np.clip(
            np.ceil(heights_at(edges[which], np.asarray(columns + 0.5, dtype=np.float64)) - 0.5), 0, height
        ).astype(np.int64)
        yield columns * height + rows
        start = stop
