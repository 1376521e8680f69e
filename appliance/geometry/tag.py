"""The whole image."""

from __future__ import annotations

from typing import ClassVar, Self

from appliance.geometry._base import Bounds, Shape

__all__ = ["GEOMETRY", "Tag"]


class Tag(Shape, frozen=True, forbid_unknown_fields=True, tag="tag", tag_field="type"):
    """A label for the image as a whole: it has no coordinates, so bounds and area are 0."""

    name: ClassVar[str] = "tag"

    def check(self, width: int, height: int) -> None:
        """Accept: there is nothing that could be wrong."""

    def bounds(self) -> Bounds:
        return 0.0, 0.0, 0.0, 0.0

    def area(self) -> float:
        return 0.0

    def clipped(self, width: int, height: int) -> Self | None:  # noqa: ARG002
        return self

    def transformed(self, scale_x: float, scale_y: float, dx: float, dy: float) -> Self:  # noqa: ARG002
        return self


GEOMETRY = Tag
