"""Box turned about its centre."""

from __future__ import annotations

from math import atan2, cos, degrees, hypot, inf, isfinite, radians, sin
from typing import ClassVar, Self

from appliance.geometry._base import Bounds, Shape, refused
from appliance.geometry._rings import bounds_of, clip_ring, is_flat_line

__all__ = ["GEOMETRY", "RotatedBox", "normalized_angle"]


def normalized_angle(angle: float) -> float:
    """Bring degrees into ``-180 ≤ angle < 180``."""
    turned = (angle + 180.0) % 360.0 - 180.0
    return turned if turned < 180.0 else -180.0


class RotatedBox(Shape, frozen=True, forbid_unknown_fields=True, tag="rotated_box", tag_field="type"):
    """Centre, side lengths in pixels, and angle in degrees, clockwise on the screen.

    ``width`` runs along +x at angle 0. Corners may reach out of the image: a turned object
    cut by the border has no turned box inside it. The centre may not.
    """

    name: ClassVar[str] = "rotated_box"

    cx: float
    cy: float
    width: float
    height: float
    angle: float

    def check(self, width: int, height: int) -> None:
        if not (0 <= self.cx <= width and 0 <= self.cy <= height):
            raise refused(
                "outside" if isfinite(self.cx) and isfinite(self.cy) else "not-finite",
                f"the centre of a rotated box must be finite and inside {width} × {height}, "
                f"got {self.cx:g}, {self.cy:g}",
            )
        if not (0 < self.width < inf and 0 < self.height < inf):
            raise refused(
                "no-area" if self.width <= 0 or self.height <= 0 else "not-finite",
                f"a rotated box needs a finite width and height above 0, got {self.width:g}, {self.height:g}",
            )
        if not -180 <= self.angle < 180:
            raise refused(
                "malformed" if isfinite(self.angle) else "not-finite",
                f"the angle of a rotated box is -180 ≤ angle < 180 degrees, got {self.angle:g}",
            )

    def corners(self) -> list[float]:
        """Return the flat ring of the four corners, clockwise from the box's own top left."""
        c, s = cos(radians(self.angle)), sin(radians(self.angle))
        ux, uy = c * self.width / 2, s * self.width / 2
        vx, vy = -s * self.height / 2, c * self.height / 2
        x, y = self.cx, self.cy
        return [
            x - ux - vx, y - uy - vy, x + ux - vx, y + uy - vy,
            x + ux + vx, y + uy + vy, x - ux + vx, y - uy + vy,
        ]  # fmt: skip

    def bounds(self) -> Bounds:
        return bounds_of(self.corners())

    def strokes(self) -> tuple[list[list[float]], bool]:
        return [self.corners()], True

    def area(self) -> float:
        return self.width * self.height

    def clipped(self, width: int, height: int) -> Self | None:
        """Return the box itself while its centre is inside, else the one of this angle around what is."""
        if 0 <= self.cx <= width and 0 <= self.cy <= height:
            return self
        ring = clip_ring(self.corners(), width, height)
        if len(ring) < 6 or is_flat_line(ring):
            return None
        c, s = cos(radians(self.angle)), sin(radians(self.angle))
        along = [x * c + y * s for x, y in zip(ring[::2], ring[1::2], strict=True)]
        across = [y * c - x * s for x, y in zip(ring[::2], ring[1::2], strict=True)]
        u, v = (min(along) + max(along)) / 2, (min(across) + max(across)) / 2
        return type(self)(
            min(max(u * c - v * s, 0.0), float(width)),
            min(max(u * s + v * c, 0.0), float(height)),
            max(along) - min(along),
            max(across) - min(across),
            self.angle,
        )

    def transformed(self, scale_x: float, scale_y: float, dx: float, dy: float) -> Self:
        """Return the moved box: exact for mirrors and equal scales.

        Unequal scales shear a turned box; what comes back follows its width side and has
        the sheared shape's area.
        """
        c, s = cos(radians(self.angle)), sin(radians(self.angle))
        stretch = hypot(c * scale_x, s * scale_y)
        return type(self)(
            self.cx * scale_x + dx,
            self.cy * scale_y + dy,
            self.width * stretch,
            self.height * abs(scale_x * scale_y) / stretch,
            normalized_angle(degrees(atan2(s * scale_y, c * scale_x))),
        )


GEOMETRY = RotatedBox
