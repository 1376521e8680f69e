"""Flat coordinate lists ``[x1, y1, x2, y2, …]`` in canonical pixels: the arithmetic of rings and paths.

Plain Python on purpose: annotated shapes have tens of vertices, where building an array
costs more than the sum it would save.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import hypot

import numpy as np
from numpy.typing import NDArray

from appliance.errors import InvalidGeometry

__all__ = [
    "bounds_of", "check_inside", "clip_ring", "is_flat_line", "path_length", "ring_area", "ring_contains",
    "simplify_path", "simplify_ring", "transform_points",
]  # fmt: skip

Bounds = tuple[float, float, float, float]


def check_inside(points: Sequence[float], width: int, height: int, what: str) -> None:
    """Refuse coordinates that are not finite or lie outside ``width`` × ``height``.

    Args:
        points: Flat list of at least one point.
        width: Image width in pixels.
        height: Image height in pixels.
        what: The name of the list for the message.

    Raises:
        InvalidGeometry: Naming the first offending point.
    """
    xs, ys = points[::2], points[1::2]
    # A NaN or an infinity anywhere survives the sum; min and max alone may overlook a NaN.
    total = sum(points)
    if total - total == 0 and min(points) >= 0 and max(xs) <= width and max(ys) <= height:
        return
    for index, (x, y) in enumerate(zip(xs, ys, strict=True), start=1):
        if not (0 <= x <= width and 0 <= y <= height):
            problem = "is not finite" if x - x != 0 or y - y != 0 else f"lies outside {width} × {height}"
            raise InvalidGeometry(f"{what}: point {index} ({x:g}, {y:g}) {problem}", field="geometry")


def bounds_of(points: Sequence[float]) -> Bounds:
    """Return ``(x1, y1, x2, y2)`` around a flat list of at least one point."""
    xs, ys = points[::2], points[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def ring_area(ring: Sequence[float]) -> float:
    """Return the signed area: positive when the ring runs clockwise on the screen."""
    xs, ys = ring[::2], ring[1::2]
    # Relative to the first vertex, so that shapes far from the origin keep their digits.
    x0, y0 = xs[0], ys[0]
    total = 0.0
    px, py = xs[-1] - x0, ys[-1] - y0
    for x, y in zip(xs, ys, strict=True):
        qx, qy = x - x0, y - y0
        total += px * qy - qx * py
        px, py = qx, qy
    return total / 2


def is_flat_line(ring: Sequence[float]) -> bool:
    """Say whether all points lie on one line (or are one point), so that the ring encloses nothing."""
    x0, y0 = ring[0], ring[1]
    dx = dy = 0.0
    for x, y in zip(ring[2::2], ring[3::2], strict=True):
        if dx == 0 and dy == 0:
            dx, dy = x - x0, y - y0
        elif dx * (y - y0) != dy * (x - x0):
            return False
    return True


def path_length(points: Sequence[float]) -> float:
    """Return the length in pixels of the open path through the points."""
    xs, ys = points[::2], points[1::2]
    steps = zip(xs, ys, xs[1:], ys[1:], strict=False)
    return sum(hypot(bx - ax, by - ay) for ax, ay, bx, by in steps)


def transform_points(points: Sequence[float], scale_x: float, scale_y: float, dx: float, dy: float) -> list[float]:
    """Return the flat list under ``x * scale_x + dx``, ``y * scale_y + dy``."""
    result = [0.0] * len(points)
    result[::2] = [x * scale_x + dx for x in points[::2]]
    result[1::2] = [y * scale_y + dy for y in points[1::2]]
    return result


def ring_contains(ring: Sequence[float], x: float, y: float) -> bool:
    """Say whether the point is inside the ring by the even-odd rule."""
    inside = False
    ax, ay = ring[-2], ring[-1]
    for bx, by in zip(ring[::2], ring[1::2], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
        ax, ay = bx, by
    return inside


def clip_ring(ring: Sequence[float], width: float, height: float) -> list[float]:
    """Cut a ring at the four image edges.

    Where a concave ring leaves the image and comes back, the pieces stay joined by
    zero-width runs along the border: area and even-odd filling are those of the exact
    intersection.

    Returns:
        The flat ring inside the image, possibly with fewer than three points.

    Source: I. Sutherland, G. Hodgman, Reentrant polygon clipping, CACM 17 (1974).
    """
    x1, y1, x2, y2 = bounds_of(ring)
    points = list(zip(ring[::2], ring[1::2], strict=True))
    if x1 < 0:
        points = _cut(points, 0, 0.0, 1)
    if x2 > width:
        points = _cut(points, 0, float(width), -1)
    if y1 < 0:
        points = _cut(points, 1, 0.0, 1)
    if y2 > height:
        points = _cut(points, 1, float(height), -1)
    return _flat_without_repeats(points)


Point = tuple[float, float]


def _cut(points: list[Point], axis: int, limit: float, side: int) -> list[Point]:
    """Keep what lies where ``side * (coordinate - limit) >= 0``."""
    kept: list[Point] = []
    for index, b in enumerate(points):
        a = points[index - 1]
        a_in, b_in = side * (a[axis] - limit) >= 0, side * (b[axis] - limit) >= 0
        if a_in != b_in:
            t = (limit - a[axis]) / (b[axis] - a[axis])
            across = a[1 - axis] + t * (b[1 - axis] - a[1 - axis])
            kept.append((limit, across) if axis == 0 else (across, limit))
        if b_in:
            kept.append(b)
    return kept


def _flat_without_repeats(points: Iterable[Point]) -> list[float]:
    kept: list[Point] = []
    for point in points:
        if not kept or point != kept[-1]:
            kept.append(point)
    while len(kept) > 1 and kept[0] == kept[-1]:
        kept.pop()
    return [value for point in kept for value in point]


def simplify_path(points: Sequence[float], tolerance: float) -> list[float]:
    """Drop vertices of an open path so that none dropped is over `tolerance` pixels from it.

    Source: D. Douglas, T. Peucker, Cartographica 10 (1973); iterative, distance to the segment.
    """
    count = len(points) // 2
    array = np.array(points, dtype=np.float64).reshape(-1, 2) if count > _SPAN else None
    keep = bytearray(count)
    keep[0] = keep[-1] = 1
    pending = [(0, count - 1)]
    while pending:
        first, last = pending.pop()
        if array is not None and last - first > _SPAN:
            index, distance = _furthest_of_many(array, first, last)
        else:
            index, distance = _furthest(points, first, last)
        if distance > tolerance:
            keep[index] = 1
            pending += [(first, index), (index, last)]
    return [value for i in range(count) if keep[i] for value in (points[2 * i], points[2 * i + 1])]


_SPAN = 64  # vertices from which an array is faster than a loop


def _furthest(points: Sequence[float], first: int, last: int) -> tuple[int, float]:
    """Return index and distance of the vertex between `first` and `last` furthest from their segment."""
    ax, ay = points[2 * first], points[2 * first + 1]
    dx, dy = points[2 * last] - ax, points[2 * last + 1] - ay
    length = dx * dx + dy * dy
    best, squared = first, 0.0
    for index in range(first + 1, last):
        px, py = points[2 * index] - ax, points[2 * index + 1] - ay
        along = (px * dx + py * dy) / length if length else 0.0
        along = 0.0 if along < 0 else 1.0 if along > 1 else along
        ex, ey = px - along * dx, py - along * dy
        if ex * ex + ey * ey > squared:
            best, squared = index, ex * ex + ey * ey
    return best, squared**0.5


def _furthest_of_many(points: NDArray[np.float64], first: int, last: int) -> tuple[int, float]:
    """Do the same for a long stretch of points (n, 2)."""
    step = points[last] - points[first]
    away = points[first + 1 : last] - points[first]
    length = float(step @ step)
    along = np.clip(away @ step / length, 0, 1) if length else np.zeros(len(away))
    squared = ((away - along[:, None] * step) ** 2).sum(axis=1)
    best = int(squared.argmax())
    return first + 1 + best, float(squared[best]) ** 0.5


def simplify_ring(ring: Sequence[float], tolerance: float) -> list[float]:
    """Simplify a closed ring; one that would lose its area comes back as it is."""
    count = len(ring) // 2
    if tolerance <= 0 or count <= 3:
        return list(ring)
    x0, y0 = ring[0], ring[1]
    far = max(range(count), key=lambda i: (ring[2 * i] - x0) ** 2 + (ring[2 * i + 1] - y0) ** 2)
    there = simplify_path(ring[: 2 * far + 2], tolerance)
    back = simplify_path([*ring[2 * far :], x0, y0], tolerance)
    result = there + back[2:-2]
    return result if len(result) >= 6 and not is_flat_line(result) else list(ring)
