"""Polygon of one or more parts, each an outer ring with holes."""

from __future__ import annotations

from typing import ClassVar, Self

from appliance.geometry._base import Bounds, Shape, refused
from appliance.geometry._rings import (
    bounds_of,
    check_inside,
    clip_ring,
    is_flat_line,
    ring_area,
    ring_contains,
    transform_points,
)
from appliance.geometry._simplify import simplify_rings

__all__ = ["GEOMETRY", "MAX_POINTS", "Polygon"]

MAX_POINTS = 100_000
"""Vertices one polygon may have; far beyond what anybody draws, and what a request can make us sort."""


class Polygon(Shape, frozen=True, forbid_unknown_fields=True, tag="polygon", tag_field="type"):
    """``parts[p][0]`` is the outer ring of part p, ``parts[p][1:]`` its holes.

    A ring is a flat list ``[x1, y1, x2, y2, …]`` of at least three points, not closed by
    repeating the first, in either direction. A part is filled by the even-odd rule, the
    polygon is the union of its parts. Self-crossing rings are allowed:
    `measure.self_crossings` finds them.
    """

    name: ClassVar[str] = "polygon"

    parts: list[list[list[float]]]

    def check(self, width: int, height: int) -> None:
        if not self.parts:
            raise refused("too-few-points", "a polygon needs at least one part")
        points = 0
        for p, part in enumerate(self.parts, start=1):
            if not part:
                raise refused("too-few-points", f"part {p} of the polygon has no ring")
            for r, ring in enumerate(part, start=1):
                _check_ring(ring, width, height, f"part {p}, ring {r}")
                points += len(ring) // 2
        if points > MAX_POINTS:
            raise refused(
                "too-many-points",
                f"the polygon has {points} points, {MAX_POINTS} are allowed: simplify it, or use a mask",
            )

    def bounds(self) -> Bounds:
        if len(self.parts) == 1 == len(self.parts[0]):
            return bounds_of(self.parts[0][0])
        x1, y1, x2, y2 = zip(*(bounds_of(ring) for part in self.parts for ring in part), strict=True)
        return min(x1), min(y1), max(x2), max(y2)

    def strokes(self) -> tuple[list[list[float]], bool]:
        return [ring for part in self.parts for ring in part], True

    def area(self) -> float:
        """Return outer rings less holes; a self-crossing ring counts by its winding."""
        return sum(abs(ring_area(part[0])) - sum(abs(ring_area(r)) for r in part[1:]) for part in self.parts)

    def clipped(self, width: int, height: int) -> Self | None:
        x1, y1, x2, y2 = self.bounds()
        whole = all(_has_area(ring) for part in self.parts for ring in part)
        if whole and x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height:
            return self
        parts = []
        for part in self.parts:
            rings = [clip_ring(ring, width, height) for ring in part]
            if _has_area(rings[0]):
                parts.append([rings[0], *filter(_has_area, rings[1:])])
        return type(self)(parts) if parts else None

    def transformed(self, scale_x: float, scale_y: float, dx: float, dy: float) -> Self:
        return type(self)(
            [[transform_points(ring, scale_x, scale_y, dx, dy) for ring in part] for part in self.parts]
        )

    def simplified(self, tolerance: float) -> Self:
        if tolerance <= 0:
            return self
        rings = iter(simplify_rings([ring for part in self.parts for ring in part], tolerance))
        return type(self)([[next(rings) for _ in part] for part in self.parts])

    def contains(self, x: float, y: float) -> bool:
        """Say whether the point is inside a part by the even-odd rule."""
        return any(sum(ring_contains(ring, x, y) for ring in part) % 2 for part in self.parts)


def _check_ring(ring: list[float], width: int, height: int, what: str) -> None:
    if len(ring) % 2:
        raise refused("malformed", f"{what} has {len(ring)} numbers; x and y come in pairs")
    if len(ring) < 6:
        count = len(ring) // 2
        points = "1 point" if count == 1 else f"{count} points"
        raise refused("too-few-points", f"{what} has {points}, at least 3 are needed")
    check_inside(ring, width, height, what)
    if is_flat_line(ring):
        raise refused("no-area", f"{what} encloses no area: all its points lie on one line")


def _has_area(ring: list[float]) -> bool:
    return len(ring) >= 6 and not is_flat_line(ring)


GEOMETRY = Polygon
