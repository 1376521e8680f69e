"""Flat coordinate lists ``[x1, y1, x2, y2, …]`` in canonical pixels: the arithmetic of rings and paths.

Plain Python on purpose: annotated shapes have tens of vertices, where building an array
costs more than the sum it would save.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import hypot

from appliance.geometry._base import FaultCode, refused

__all__ = [
    "bounds_of", "check_inside", "clip_ring", "is_flat_line", "path_length", "ring_area", "ring_contains",
    "transform_points",
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
            finite = x - x == 0 and y - y == 0
            problem = f"lies outside {width} × {height}" if finite else "is not finite"
            fault: FaultCode = "outside" if finite else "not-finite"
            raise refused(fault, f"{what}: point {index} ({x:g}, {y:g}) {problem}")


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
