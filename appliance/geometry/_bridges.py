"""Holes for formats that know only rings: a slit of no width joins each hole to its outer ring.

The slit is walked there and back, so area and even-odd filling stay exact, and it can be
found again and undone.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.geometry._numpy import np
from appliance.geometry._rings import ring_area

__all__ = ["bridged", "unbridged"]

Point = tuple[float, float]

_PAIRS = 1 << 22  # vertex pairs looked at for the shortest slit


def bridged(part: Sequence[Sequence[float]]) -> list[float]:
    """Return outer ring and holes as one flat ring."""
    joined = list(part[0])
    sign = ring_area(joined)
    for hole in part[1:]:
        points = [(hole[i], hole[i + 1]) for i in range(0, len(hole), 2)]
        if ring_area(hole) * sign > 0:
            points.reverse()
        at, start = _nearest(joined, [value for point in points for value in point])
        turn = points[start:] + points[: start + 1]
        slit = [value for point in turn for value in point]
        joined[2 * at + 2 : 2 * at + 2] = [*slit, joined[2 * at], joined[2 * at + 1]]
    return joined


def _nearest(ring: list[float], hole: list[float]) -> tuple[int, int]:
    """Return the indices of the two vertices that are closest without being one."""
    a, b = (np.asarray(points, dtype=np.float64).reshape(-1, 2) for points in (ring, hole))
    b = b[: max(1, _PAIRS // len(a))]
    squared = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    # A hole that touches the ring in a vertex would leave a slit of no length, which cannot be found again.
    squared[squared == 0] = np.inf
    at, start = np.unravel_index(int(squared.argmin()), squared.shape)
    return int(at), int(start)


def unbridged(ring: Sequence[float]) -> list[list[list[float]]]:
    """Return the parts a flat ring was joined from: mostly one, holes behind their outer ring."""
    points = list(zip(ring[::2], ring[1::2], strict=True))
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    loops = [[value for point in loop for value in point] for loop in _split(points)]
    solid = [loop for loop in loops if ring_area(loop)] or loops
    sign = ring_area(solid[0])
    outer = [loop for loop in solid if ring_area(loop) * sign >= 0]
    holes = [loop for loop in solid if ring_area(loop) * sign < 0]
    return [[outer[0], *holes], *([loop] for loop in outer[1:])]


def _split(points: list[Point]) -> list[list[Point]]:
    """Cut a ring at the edges it walks there and back; the ring it began with comes first."""
    if len(set(points)) == len(points):
        return [points]
    loops: list[list[Point]] = []
    path: list[Point] = []
    steps: dict[tuple[Point, Point], int] = {}
    for point in [*points, points[0]]:
        if path:
            opened = steps.pop((point, path[-1]), None)
            if opened is not None:
                loops.append(path[opened + 1 : -1])
                _forget(steps, path, opened)
                del path[opened + 1 :]
                continue
            steps[path[-1], point] = len(path) - 1
        path.append(point)
    if len(path) > 1 and path[0] == path[-1]:
        path.pop()
    return [path, *(loop for loop in loops if len(loop) >= 3)]


def _forget(steps: dict[tuple[Point, Point], int], path: list[Point], opened: int) -> None:
    """Drop the steps of a loop that was cut off the path."""
    for i in range(opened + 1, len(path) - 1):
        steps.pop((path[i], path[i + 1]), None)
