"""What every geometry is."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import msgspec

from appliance.errors import InvalidGeometry

__all__ = ["Bounds", "FaultCode", "Shape", "refused"]

Bounds = tuple[float, float, float, float]
"""``(x1, y1, x2, y2)`` in canonical pixels."""

FaultCode = Literal[
    "malformed", "too-few-points", "too-many-points", "not-finite", "outside", "no-area", "self-crossing"
]
"""What can be wrong with a shape; the console knows the same words."""


def refused(fault: FaultCode, message: str) -> InvalidGeometry:
    """Return the error of a shape that has this fault."""
    return InvalidGeometry(message, field="geometry", details={"fault": fault})


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """The interface the variants share; see the package's docstring for the contract."""

    name: ClassVar[str]

    def check(self, width: int, height: int) -> None:
        """Raise `InvalidGeometry` unless this is a valid shape inside ``width`` × ``height``."""
        raise NotImplementedError

    def bounds(self) -> Bounds:
        """Return the smallest upright box around the shape."""
        raise NotImplementedError

    def area(self) -> float:
        """Return the area in square pixels; 0 for what has none."""
        raise NotImplementedError

    def clipped(self, width: int, height: int) -> Self | None:
        """Return the part inside the image, or None when nothing of positive extent is left."""
        raise NotImplementedError

    def transformed(self, scale_x: float, scale_y: float, dx: float, dy: float) -> Self:
        """Return the shape under ``x * scale_x + dx``, ``y * scale_y + dy``."""
        raise NotImplementedError

    def strokes(self) -> tuple[list[list[float]], bool] | None:
        """Return the flat lines ``[x, y, …]`` that draw the shape and whether they close; None for its bounds."""
        return None

    def simplified(self, tolerance: float) -> Self:  # noqa: ARG002
        """Return the shape with fewer vertices, its outline at most `tolerance` pixels off."""
        return self
