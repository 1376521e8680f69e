"""Open path."""

from __future__ import annotations

from typing import ClassVar, Self

from appliance.geometry._base import Bounds, Shape, refused
from appliance.geometry._rings import bounds_of, check_inside, path_length, transform_points
from appliance.geometry._simplify import simplify_path

__all__ = ["GEOMETRY", "MAX_POINTS", "Polyline"]

MAX_POINTS = 100_000


class Polyline(Shape, frozen=True, forbid_unknown_fields=True, tag="polyline", tag_field="type"):
    """Flat list ``[x1, y1, x2, y2, …]`` of at least two points; it has a length and no area."""

    name: ClassVar[str] = "polyline"

    points: list[float]

    def check(self, width: int, height: int) -> None:
        if len(self.points) % 2:
            raise refused("malformed", f"the polyline has {len(self.points)} numbers; x and y come in pairs")
        if not 2 <= len(self.points) // 2 <= MAX_POINTS:
            raise refused(
                "too-few-points" if len(self.points) < 4 else "too-many-points",
                f"a polyline needs 2 to {MAX_POINTS} points, got {len(self.points) // 2}",
            )
        check_inside(self.points, width, height, "the polyline")
        x1, y1, x2, y2 = self.bounds()
        if x1 == x2 and y1 == y2:
            raise refused("no-area", "the polyline has no length: all its points are one")

    def bounds(self) -> Bounds:
        return bounds_of(self.points)

    def strokes(self) -> tuple[list[list[float]], bool]:
        return [self.points], False

    def area(self) -> float:
        return 0.0

    def length(self) -> float:
        """Return the length in pixels."""
        return path_length(self.points)

    def clipped(self, width: int, height: int) -> Self | None:
        """Return the longest stretch inside the image (the first of equals), or None."""
        x1, y1, x2, y2 = self.bounds()
        if x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height and (x1 < x2 or y1 < y2):
            return self
        pieces = _pieces_inside(self.points, float(width), float(height))
        best = max(pieces, key=path_length, default=None)
        return type(self)(best) if best and path_length(best) > 0 else None

    def transformed(self, scale_x: float, scale_y: float, dx: float, dy: float) -> Self:
        return type(self)(transform_points(self.points, scale_x, scale_y, dx, dy))

    def simplified(self, tolerance: float) -> Self:
        return type(self)(simplify_path(self.points, tolerance)) if tolerance > 0 else self


def _pieces_inside(points: list[float], width: float, height: float) -> list[list[float]]:
    """Cut the path at the image's edges into the stretches inside."""
    pieces: list[list[float]] = []
    for i in range(0, len(points) - 2, 2):
        cut = _clip_segment(points[i], points[i + 1], points[i + 2], points[i + 3], width, height)
        if cut is None:
            continue
        if pieces and pieces[-1][-2:] == [cut[0], cut[1]]:
            pieces[-1] += cut[2:]
        else:
            pieces.append(list(cut))
    return pieces


def _clip_segment(
    ax: float, ay: float, bx: float, by: float, width: float, height: float
) -> tuple[float, float, float, float] | None:
    """Cut one segment at the image's edges.

    Source: Y.-D. Liang, B. Barsky, ACM Transactions on Graphics 3 (1984).
    """
    start, end = 0.0, 1.0
    dx, dy = bx - ax, by - ay
    for step, room in ((-dx, ax), (dx, width - ax), (-dy, ay), (dy, height - ay)):
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            start = max(start, room / step)
        else:
            end = min(end, room / step)
    if start >= end:
        return None
    x1, y1 = (ax + start * dx, ay + start * dy) if start > 0 else (ax, ay)
    x2, y2 = (ax + end * dx, ay + end * dy) if end < 1 else (bx, by)
    # Rounding may leave a cut point a hair outside.
    return (
        min(max(x1, 0.0), width), min(max(y1, 0.0), height),
        min(max(x2, 0.0), width), min(max(y2, 0.0), height),
    )  # fmt: skip


GEOMETRY = Polyline
