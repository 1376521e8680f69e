"""Instance masks from prototypes, only inside each box.

The result is that of ultralytics' `process_mask` (weigh the prototypes, enlarge them
bilinearly to the input size, keep what is above 0, crop to the box), but only the pixels of
the box are ever computed, so a picture with 300 objects needs no 300 full-size planes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from appliance.engine.decoders import _heads
from appliance.engine.decoders._base import Placement
from appliance.geometry.convert import polygon_from_array
from appliance.geometry.polygon import Polygon
from appliance.records import Prediction

__all__ = ["MIN_PART_PX", "MIN_PART_SHARE", "TOLERANCE_PX", "Crop", "crop_of", "found", "instance_mask", "outlines"]

TOLERANCE_PX = 0.75
"""Pixels of the model's input an outline may move: a staircase of 45° has a depth of 0.71. Measured on
coco128, the polygon overlaps its mask with a mean IoU of 0.994 and has 40 % of the vertices."""

MIN_PART_PX = 8
"""A part or hole of fewer square pixels of the model's input is noise of the prototypes."""

MIN_PART_SHARE = 0.01
"""So is one that is smaller than this share of the largest part."""

Crop = tuple[int, int, int, int]
"""``(x1, y1, x2, y2)``: whole pixels of the model's input, the right and lower edge excluded."""


def found(rows: np.ndarray, prototypes: np.ndarray, place: Placement) -> list[Prediction]:
    """Return the objects' outlines in canonical pixels.

    Args:
        rows: float32 ``[n, 6 + m]``, see `_heads.dense`.
        prototypes: float32 ``[m, rows, columns]``.
        place: Where the picture lies in the input.
    """
    crops = [crop_of(row[:4], place) for row in rows]
    solid = [(row, crop) for row, crop in zip(rows, crops, strict=True) if crop[0] < crop[2] and crop[1] < crop[3]]
    size = place.input_height, place.input_width
    masks = ((instance_mask(prototypes, row[6:], crop, size), crop) for row, crop in solid)
    polygons = outlines(masks, place)
    return [
        _heads.prediction(row, polygon)
        for (row, _), polygon in zip(solid, polygons, strict=True)
        if polygon is not None
    ]


def crop_of(box: np.ndarray, place: Placement) -> Crop:
    """Return the pixels of a box whose coordinate is inside it and which show the picture.

    Args:
        box: float32 ``[4]``, xyxy in pixels of the model's input.
        place: Where the picture lies; its padding is left out.
    """
    x1, y1, x2, y2 = (math.ceil(v) for v in box.tolist())
    right = place.pad_x + round(place.width * place.gain_x)
    lower = place.pad_y + round(place.height * place.gain_y)
    return max(x1, place.pad_x), max(y1, place.pad_y), min(x2, right), min(y2, lower)


def instance_mask(prototypes: np.ndarray, weights: np.ndarray, crop: Crop, input_size: tuple[int, int]) -> np.ndarray:
    """Return one object's mask inside its crop.

    Args:
        prototypes: float32 ``[m, rows, columns]``.
        weights: float32 ``[m]``.
        crop: A crop of positive size.
        input_size: Height and width of the model's input.

    Returns:
        bool ``[height, width]`` of the crop.
    """
    _, rows, columns = prototypes.shape
    x1, y1, x2, y2 = crop
    top, bottom, down = _taps(y1, y2, rows, input_size[0])
    left, right, across = _taps(x1, x2, columns, input_size[1])
    y, x = slice(top[0], bottom[-1] + 1), slice(left[0], right[-1] + 1)
    # Not a matrix product: BLAS would wake its own threads, on the cores that run the model.
    coarse = np.einsum("m,mrc->rc", weights, prototypes[:, y, x])
    tall = _mixed(coarse, top - top[0], bottom - top[0], down[:, None])
    return _mixed(tall.T, left - left[0], right - left[0], across[:, None]).T > 0


def _mixed(values: np.ndarray, first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return for each pair of rows their mean, weighted by the share of the second."""
    low = values[first]
    return low + (values[second] - low) * share


def _taps(start: int, stop: int, source: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where the samples ``start..stop`` of `source` values made `target` long come from.

    Returns:
        Two indices into the source for each sample, and the share of the second, float32 0..1.

    Source: bilinear with half-pixel centres, edges repeated (`torch.nn.functional.interpolate`,
    ``align_corners=False``).
    """
    at = np.maximum((np.arange(start, stop, dtype=np.float32) + 0.5) * (source / target) - 0.5, 0)
    first = np.minimum(at.astype(np.intp), source - 1)
    return first, np.minimum(first + 1, source - 1), (at - first).astype(np.float32)


def outlines(masks: Iterable[tuple[np.ndarray, Crop]], place: Placement) -> list[Polygon | None]:
    """Return the outlines of a picture's masks in canonical pixels, None for an empty one.

    Every part and hole stays but the specks, and an outline moves by at most `TOLERANCE_PX`.

    Args:
        masks: bool ``[height, width]`` of a crop, and where it lies in the model's input.
        place: Where the picture lies in the model's input.
    """
    crops: list[Crop] = []
    parts: list[list[list[list[float]]]] = []
    for mask, crop in masks:
        crops.append(crop)
        parts.append(_without_specks(polygon_from_array(mask).parts) if mask.any() else [])
    # All objects at once: the vertices of one are too few to be worth an array operation.
    simple = iter(Polygon([part for shape in parts for part in shape]).simplified(TOLERANCE_PX).parts)
    shapes = [Polygon([next(simple) for _ in shape]) if shape else None for shape in parts]
    return [shape and _placed(shape, crop, place) for shape, crop in zip(shapes, crops, strict=True)]


def _placed(shape: Polygon, crop: Crop, place: Placement) -> Polygon | None:
    """Return a shape of the crop's pixels in canonical ones."""
    dx, dy = (crop[0] - place.pad_x) / place.gain_x, (crop[1] - place.pad_y) / place.gain_y
    return shape.transformed(1 / place.gain_x, 1 / place.gain_y, dx, dy).clipped(place.width, place.height)


def _without_specks(parts: list[list[list[float]]]) -> list[list[list[float]]]:
    """Return the parts worth keeping, the largest always among them, with their holes."""
    if len(parts) == 1 == len(parts[0]):
        return parts
    areas = [[Polygon([[ring]]).area() for ring in part] for part in parts]
    sizes = [ring_areas[0] - sum(ring_areas[1:]) for ring_areas in areas]
    least = min(max(MIN_PART_PX, MIN_PART_SHARE * max(sizes)), max(sizes))
    return [
        [part[0], *(hole for hole, area in zip(part[1:], ring_areas[1:], strict=True) if area >= least)]
        for part, ring_areas, size in zip(parts, areas, sizes, strict=True)
        if size >= least
    ]
