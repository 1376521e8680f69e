"""Which shapes may go into ground truth, with a code for each fault; `src/geometry/validity.ts` says the same.

What `check` refuses can never be saved. A polygon that crosses itself can: somebody may be in the
middle of correcting it, and models make such outlines. It is no ground truth all the same, because
programs disagree about what is inside it.
"""

from __future__ import annotations

import msgspec

from appliance.errors import InvalidGeometry
from appliance.geometry import measure
from appliance.geometry._base import FaultCode, Shape
from appliance.geometry.polygon import Polygon

__all__ = ["Fault", "fault_of"]

_FEW_EDGES = 64
"""Up to so many edges plain Python is faster than making arrays of them."""

Place = tuple[float, float]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a shape: a code for programs, words for people."""

    code: FaultCode
    words: str


def fault_of(shape: Shape, width: int, height: int) -> Fault | None:
    """Return the first thing that keeps the shape out of ground truth, or None."""
    try:
        shape.check(width, height)
    except InvalidGeometry as error:
        return Fault(error.details["fault"], error.message)
    if isinstance(shape, Polygon):
        for part in shape.parts:
            at = _crossing(part)
            if at is not None:
                return Fault("self-crossing", f"the outline crosses itself near ({at[0]:g}, {at[1]:g})")
    return None


def _crossing(part: list[list[float]]) -> Place | None:
    if sum(map(len, part)) // 2 > _FEW_EDGES:
        return next(iter(measure.self_crossings(Polygon([part]), limit=1)), None)
    edges = sorted((edge for ring in part for edge in _edges(ring)), key=lambda e: min(e[0], e[2]))
    open_: list[tuple[float, float, float, float]] = []
    for edge in edges:
        left = min(edge[0], edge[2])
        open_ = [other for other in open_ if max(other[0], other[2]) >= left]
        for other in open_:
            found = _meeting(edge, other)
            if found is not None:
                return found
        open_.append(edge)
    return None


def _edges(ring: list[float]) -> list[tuple[float, float, float, float]]:
    xs, ys = ring[::2], ring[1::2]
    return list(zip(xs, ys, xs[1:] + xs[:1], ys[1:] + ys[:1], strict=True))


def _meeting(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> Place | None:
    """Return where two edges cross within both of them; None where they touch or run along each other."""
    rx, ry, sx, sy = a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]
    cross = rx * sy - ry * sx
    if cross == 0:
        return None
    gx, gy = b[0] - a[0], b[1] - a[1]
    t, u = (gx * sy - gy * sx) / cross, (gx * ry - gy * rx) / cross
    return (a[0] + t * rx, a[1] + t * ry) if 0 < t < 1 and 0 < u < 1 else None
