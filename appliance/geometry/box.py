"""Upright box."""

from __future__ import annotations

from math import isfinite
from typing import ClassVar, Self

from appliance.geometry._base import Bounds, FaultCode, Shape, refused

__all__ = ["GEOMETRY", "Box"]


class Box(Shape, frozen=True, forbid_unknown_fields=True, tag="box", tag_field="type"):
    """Edges ``x1 < x2``, ``y1 < y2`` in canonical pixels."""

    name: ClassVar[str] = "box"

    x1: float
    y1: float
    x2: float
    y2: float

    def check(self, width: int, height: int) -> None:
        if not (0 <= self.x1 < self.x2 <= width and 0 <= self.y1 < self.y2 <= height):
            raise refused(
                _fault(self),
                f"a box needs 0 ≤ x1 < x2 ≤ {width} and 0 ≤ y1 < y2 ≤ {height}, "
                f"got {self.x1:g}, {self.y1:g}, {self.x2:g}, {self.y2:g}",
            )

    def bounds(self) -> Bounds:
        return self.x1, self.y1, self.x2, self.y2

    def area(self) -> float:
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    def clipped(self, width: int, height: int) -> Self | None:
        x1, x2 = max(self.x1, 0.0), min(self.x2, float(width))
        y1, y2 = max(self.y1, 0.0), min(self.y2, float(height))
        return type(self)(x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None

    def transformed(self, scale_x: float, scale_y: float, dx: float, dy: float) -> Self:
        xs = sorted((self.x1 * scale_x + dx, self.x2 * scale_x + dx))
        ys = sorted((self.y1 * scale_y + dy, self.y2 * scale_y + dy))
        return type(self)(xs[0], ys[0], xs[1], ys[1])


def _fault(box: Box) -> FaultCode:
    if not all(isfinite(edge) for edge in box.bounds()):
        return "not-finite"
    return "no-area" if box.x1 >= box.x2 or box.y1 >= box.y2 else "outside"


GEOMETRY = Box
