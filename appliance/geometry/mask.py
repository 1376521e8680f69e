"""Every pixel of an object, run-length encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from msgspec import Meta

from appliance.geometry import rle
from appliance.geometry._base import Bounds, Shape, refused
from appliance.geometry._numpy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GEOMETRY", "Mask"]


class Mask(Shape, frozen=True, forbid_unknown_fields=True, tag="mask", tag_field="type"):
    """COCO's compressed run-length string over the whole image, column by column.

    ``size`` is ``[height, width]`` of the image; runs alternate between outside and inside,
    starting outside.
    """

    name: ClassVar[str] = "mask"

    size: Annotated[list[int], Meta(min_length=2, max_length=2)]
    counts: str

    @classmethod
    def from_array(cls, pixels: NDArray[np.bool_]) -> Self:
        """Encode a bool array of shape (height, width)."""
        return cls([int(pixels.shape[0]), int(pixels.shape[1])], rle.encode(pixels))

    def to_array(self) -> NDArray[np.bool_]:
        """Decode into a bool array of shape (height, width)."""
        return rle.decode(self.counts, self.size[0], self.size[1])

    def check(self, width: int, height: int) -> None:
        if self.size != [height, width]:
            raise refused(
                "malformed", f"the mask's size is {self.size}, the image's [height, width] is {[height, width]}"
            )
        if not rle.area(rle.parse(self.counts, height, width)):
            raise refused("no-area", "the mask is empty: no pixel is inside")

    def bounds(self) -> Bounds:
        return rle.bounds(rle.parse(self.counts, *self.size), self.size[0])

    def area(self) -> float:
        return float(rle.area(rle.parse(self.counts, *self.size)))

    def clipped(self, width: int, height: int) -> Self | None:
        """Return the mask cut or padded at the right and bottom to the size of the image."""
        if self.size == [height, width]:
            return self if self.area() else None
        pixels = np.zeros((height, width), dtype=bool)
        inside = self.to_array()[:height, :width]
        pixels[: inside.shape[0], : inside.shape[1]] = inside
        return type(self).from_array(pixels) if pixels.any() else None

    def transformed(self, scale_x: float, scale_y: float, dx: float, dy: float) -> Self:
        """Return the mask resampled by nearest pixel; its size ends where the image's far corner lands.

        So a scale gives the mask of the scaled image, a mirror keeps the size, and a shift by
        ``-x0, -y0`` followed by `clipped` is a crop.
        """
        height, width = self.size
        columns = _sources(width, scale_x, dx)
        rows = _sources(height, scale_y, dy)
        pixels = self.to_array()[np.ix_(np.maximum(rows, 0), np.maximum(columns, 0))]
        pixels &= (rows >= 0)[:, None] & (columns >= 0)[None, :]
        return type(self).from_array(pixels)


def _sources(length: int, scale: float, offset: float) -> NDArray[np.int64]:
    """Return for each new pixel the old one its centre falls into, -1 where there is none."""
    new_length = max(1, round(max(offset, length * scale + offset)))
    centres = (np.arange(new_length) + 0.5 - offset) / scale
    source = np.floor(centres).astype(np.int64)
    return np.where((source >= 0) & (source < length), source, -1)


GEOMETRY = Mask
