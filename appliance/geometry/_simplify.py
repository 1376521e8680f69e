"""Fewer vertices within a tolerance.

OpenCV's Douglas–Peucker is fast but measures some distances from the line instead of the
segment and thins its result once more, so vertices may end up further away than asked. Its
answer is where we begin: all stretches are measured at once, and the few that are too far off
are split until none is.

Source: D. Douglas, T. Peucker, Cartographica 10 (1973); distance to the segment, not its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from appliance.geometry._numpy import np
from appliance.geometry._rings import is_flat_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Points = NDArray[np.complex128]
    Ints = NDArray[np.int64]

__all__ = ["simplify_path", "simplify_rings"]


def simplify_path(points: Sequence[float], tolerance: float) -> list[float]:
    """Drop vertices of an open path so that none dropped is over `tolerance` pixels from it."""
    path = np.array(points, dtype=np.float64).view(np.complex128)
    keep = _proposed(path, tolerance, closed=False)
    keep[[0, -1]] = True
    return _flat(path[_enough(path, keep, tolerance)])


def simplify_rings(rings: Sequence[Sequence[float]], tolerance: float) -> list[list[float]]:
    """Simplify closed rings together; one that would lose its area comes back as it is.

    Args:
        rings: Flat lists of at least one point.
        tolerance: Pixels a dropped vertex may be from the ring that stays.
    """
    # Each ring is closed by its first point: the stretch to the next ring's has nothing inside.
    path = np.array([v for ring in rings for v in (*ring, *ring[:2])], dtype=np.float64).view(np.complex128)
    keep = np.ones(len(path), dtype=bool)
    counts = np.array([len(ring) // 2 + 1 for ring in rings], dtype=np.int64)
    stops = np.cumsum(counts)
    starts = stops - counts
    for first, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        keep[first : stop - 1] = _proposed(path[first : stop - 1], tolerance, closed=True)
    keep[starts] = True
    kept = _enough(path, keep, tolerance)
    ends = np.searchsorted(kept, stops).tolist()
    flat = _flat(path[kept])
    results = []
    for ring, first, last in zip(rings, [0, *ends], ends, strict=False):
        result = flat[2 * first : 2 * last - 2]
        results.append(result if len(result) >= 6 and not is_flat_line(result) else list(ring))
    return results


def _flat(points: Points) -> list[float]:
    return list(points.view(np.float64).tolist())


def _proposed(points: Points, tolerance: float, *, closed: bool) -> NDArray[np.bool_]:
    """Say which vertices OpenCV keeps; where it goes through a point twice, both."""
    import cv2

    rounded = points.view(np.float64).astype(np.float32)
    chosen = cv2.approxPolyDP(rounded.reshape(-1, 1, 2), tolerance, closed)
    keys: Ints = rounded.view(np.int64)
    wanted: Ints = np.sort(chosen.reshape(-1).view(np.int64))
    found: NDArray[np.bool_] = wanted[np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)] == keys
    return found


def _enough(points: Points, keep: NDArray[np.bool_], tolerance: float) -> Ints:
    """Return the indices of the vertices that stay: those kept, and more until none is too far off.

    Args:
        points: x + iy of the vertices.
        keep: Which stay in any case, the first and the last among them.
        tolerance: In pixels.
    """
    corners = np.flatnonzero(keep)
    first, last = corners[:-1], corners[1:]
    while len(first):
        long = last - first > 1
        first, last = first[long], last[long]
        if len(first):
            middle, distance = _furthest(points, first, last)
            far = distance > tolerance
            first, middle, last = first[far], middle[far], last[far]
            keep[middle] = True
            first, last = np.concatenate((first, middle)), np.concatenate((middle, last))
    return np.flatnonzero(keep)


def _furthest(points: Points, first: Ints, last: Ints) -> tuple[Ints, Floats]:
    """Return for each stretch the vertex furthest from the segment between its ends, and its distance."""
    counts = last - first - 1
    begins = np.cumsum(counts) - counts
    which = np.repeat(np.arange(len(first)), counts)
    inside = np.arange(len(which)) + (first + 1 - begins)[which]
    step = points[last] - points[first]
    length = np.abs(step)
    back = np.where(length > 0, step.conj(), 1.0) / np.where(length > 0, length, 1.0)
    # Turned and moved so that the segment lies on the real axis, from 0 to its length.
    turned = (points[inside] - points[first][which]) * back[which]
    turned -= np.minimum(np.maximum(turned.real, 0.0), length[which])
    distances = np.abs(turned)
    most = np.maximum.reduceat(distances, begins)
    ties = np.flatnonzero(distances == most[which])
    return inside[ties[np.searchsorted(ties, begins)]], most
