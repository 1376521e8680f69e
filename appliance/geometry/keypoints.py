"""Named points of a skeleton."""

from __future__ import annotations

from typing import ClassVar, Self

from appliance.geometry._base import Bounds, Shape, refused
from appliance.geometry._rings import bounds_of, check_inside

__all__ = ["ABSENT", "GEOMETRY", "HIDDEN", "VISIBLE", "Keypoints"]

ABSENT, HIDDEN, VISIBLE = 0, 1, 2

MAX_POINTS = 10_000


class Keypoints(Shape, frozen=True, forbid_unknown_fields=True, tag="keypoints", tag_field="type"):
    """Flat triples ``[x, y, visibility, …]`` in the order of the label's skeleton.

    Visibility is 0 (absent: its coordinates mean nothing), 1 (hidden behind something) or
    2 (visible). At least one point is present.
    """

    name: ClassVar[str] = "keypoints"

    points: list[float]

    def check(self, width: int, height: int) -> None:
        if not self.points or len(self.points) % 3:
            raise refused("malformed", f"keypoints are triples x, y, visibility; got {len(self.points)} numbers")
        if len(self.points) > 3 * MAX_POINTS:
            raise refused("too-many-points", f"at most {MAX_POINTS} keypoints are allowed")
        for index, visibility in enumerate(self.points[2::3], start=1):
            if visibility not in (ABSENT, HIDDEN, VISIBLE):
                raise refused("malformed", f"keypoint {index} has visibility {visibility:g}; it is 0, 1 or 2")
        self._check_coordinates(width, height)

    def _check_coordinates(self, width: int, height: int) -> None:
        for index, (x, y, visibility) in enumerate(self.triples(), start=1):
            if visibility:
                check_inside((x, y), width, height, f"keypoint {index}")
            elif x - x != 0 or y - y != 0:
                raise refused("not-finite", f"keypoint {index}: ({x:g}, {y:g}) is not finite")
        if not self.present():
            raise refused("no-area", "all keypoints are absent: at least one must be present")

    def triples(self) -> list[tuple[float, float, float]]:
        """Return the points as ``(x, y, visibility)``."""
        return list(zip(self.points[::3], self.points[1::3], self.points[2::3], strict=True))

    def present(self) -> list[float]:
        """Return the flat ``[x, y, …]`` of the points that are not absent."""
        return [value for x, y, visibility in self.triples() if visibility for value in (x, y)]

    def bounds(self) -> Bounds:
        return bounds_of(self.present() or (0.0, 0.0))

    def area(self) -> float:
        return 0.0

    def clipped(self, width: int, height: int) -> Self | None:
        """Return the points with those outside the image made absent, or None when none is left."""
        kept = [
            (x, y, v) if v and 0 <= x <= width and 0 <= y <= height else (0.0, 0.0, 0.0) for x, y, v in self.triples()
        ]
        if not any(v for _, _, v in kept):
            return None
        return type(self)([value for triple in kept for value in triple])

    def transformed(self, scale_x: float, scale_y: float, dx: float, dy: float) -> Self:
        """Return the points moved; absent ones stay as they are, for they are nowhere."""
        moved = [(x * scale_x + dx, y * scale_y + dy, v) if v else (x, y, v) for x, y, v in self.triples()]
        return type(self)([value for triple in moved for value in triple])


GEOMETRY = Keypoints
