"""From one geometry to another, and COCO's segmentations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from appliance.errors import InvalidGeometry
from appliance.geometry import _bridges, _outline, raster, rle
from appliance.geometry._base import Shape
from appliance.geometry._numpy import np
from appliance.geometry.box import Box
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon
from appliance.geometry.rotated_box import RotatedBox

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "mask_from_coco", "polygon_from_array", "polygon_from_coco", "polygon_to_coco", "to_box", "to_mask", "to_polygon",
]  # fmt: skip


def to_box(shape: Shape) -> Box:
    """Return the upright box around a shape.

    Raises:
        InvalidGeometry: The shape has no extent in one direction (a tag, a single keypoint).
    """
    if isinstance(shape, Box):
        return shape
    x1, y1, x2, y2 = shape.bounds()
    if not (x1 < x2 and y1 < y2):
        raise InvalidGeometry(f"a {shape.name} without extent has no box", field="geometry")
    return Box(x1, y1, x2, y2)


def to_polygon(shape: Shape, tolerance: float = 0.0) -> Polygon:
    """Return the outline of a shape with an area.

    A mask's outline runs along its pixel edges; at tolerance 0 it rasterises back to the very
    same mask.

    Args:
        shape: A box, rotated box, polygon or mask.
        tolerance: How far, in pixels, the outline may move to save vertices.

    Raises:
        InvalidGeometry: The shape has no area.
    """
    if isinstance(shape, Polygon):
        polygon = shape
    elif isinstance(shape, Box):
        return Polygon([[[shape.x1, shape.y1, shape.x2, shape.y1, shape.x2, shape.y2, shape.x1, shape.y2]]])
    elif isinstance(shape, RotatedBox):
        return Polygon([[shape.corners()]])
    elif isinstance(shape, Mask):
        polygon = _mask_outline(shape)
    else:
        raise InvalidGeometry(f"a {shape.name} has no area and no outline", field="geometry")
    return polygon.simplified(tolerance) if tolerance > 0 else polygon


def _mask_outline(mask: Mask) -> Polygon:
    height, width = mask.size
    runs = rle.parse(mask.counts, height, width)
    pixels, x0, y0 = rle.cropped(runs, height)
    return polygon_from_array(pixels).transformed(1.0, 1.0, x0, y0)


def polygon_from_array(pixels: NDArray[np.bool_]) -> Polygon:
    """Return the outline of a bool array of shape (height, width) along its pixel edges.

    Raises:
        InvalidGeometry: No pixel is inside.
    """
    parts = _outline.outline(pixels)
    if not parts:
        raise InvalidGeometry("an empty mask has no outline", field="geometry")
    return Polygon(parts)


def to_mask(shape: Shape, width: int, height: int) -> Mask:
    """Return the pixels of an image whose centres are inside a shape; there may be none.

    Raises:
        InvalidGeometry: The shape has no area, or is a mask of another size.
    """
    if isinstance(shape, Mask):
        if shape.size != [height, width]:
            raise InvalidGeometry(
                f"the mask's size is {shape.size}, the image's [height, width] is {[height, width]}",
                field="geometry",
            )
        return shape
    runs = raster.rasterize(to_polygon(shape).parts, width, height)
    return Mask([height, width], rle.compress(runs))


def polygon_to_coco(polygon: Polygon) -> list[list[float]]:
    """Return COCO's list of rings, each part one ring; holes are joined by slits of no width."""
    return [list(part[0]) if len(part) == 1 else _bridges.bridged(part) for part in polygon.parts]


def polygon_from_coco(segmentation: Sequence[Sequence[float]]) -> Polygon:
    """Return the polygon of COCO's list of rings; slits that join holes are undone.

    What the rings are worth is for `Polygon.check` to say.

    Raises:
        InvalidGeometry: A ring is empty, has an odd length or holds something else than numbers.
    """
    parts: list[list[list[float]]] = []
    for number, ring in enumerate(segmentation, start=1):
        numbers = isinstance(ring, Sequence) and all(type(value) in (int, float) for value in ring)
        if not numbers or not ring or len(ring) % 2:
            raise InvalidGeometry(
                f"ring {number} of the segmentation is not a list of x, y pairs", field="segmentation"
            )
        parts += _bridges.unbridged([float(value) for value in ring])
    return Polygon(parts)


def mask_from_coco(size: Sequence[int], counts: str | bytes | Sequence[int]) -> Mask:
    """Return the mask of a COCO run-length segmentation, compressed or as a list.

    Args:
        size: ``[height, width]``.
        counts: The string, or the list of run lengths.

    Raises:
        InvalidGeometry: The counts do not cover the size exactly.
    """
    if len(size) != 2 or not all(type(side) is int and side > 0 for side in size):
        raise InvalidGeometry(f"the mask's size is {size!r}, not [height, width]", field="segmentation")
    height, width = size
    if isinstance(counts, bytes):
        counts = counts.decode("ascii", errors="replace")
    if isinstance(counts, str):
        runs = rle.parse(counts, height, width)
    else:
        runs = rle.from_list(counts, height, width)
    return Mask([height, width], rle.compress(runs))
