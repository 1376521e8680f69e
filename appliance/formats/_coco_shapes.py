"""COCO's annotations as canonical geometries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from appliance.errors import InvalidGeometry
from appliance.formats._rows import parts_of
from appliance.geometry import Geometry, convert
from appliance.geometry.box import Box
from appliance.geometry.keypoints import Keypoints
from appliance.geometry.mask import Mask
from appliance.geometry.polygon import Polygon

__all__ = ["CocoAnnotation", "LooseAnnotation", "geometry_of"]

Report = Callable[[str, str], None]
"""Count a problem: its code, and what is wrong."""

UNBOUNDED = 1_000_000
"""Side in pixels that stands for that of an image of unknown size."""

_ROUNDING = 0.01
"""Pixels a coordinate may be outside the image by rounding alone; it is clipped without a word."""


class Rle(msgspec.Struct):
    """A run-length mask; counts are a string (compressed) or a list."""

    size: list[int]
    counts: str | list[int]


class CocoAnnotation(msgspec.Struct):
    """One entry of ``annotations`` as it should be."""

    image_id: int | str | None = None
    category_id: int | str | None = None
    bbox: list[float] | None = None
    segmentation: list[list[float]] | Rle | None = None
    iscrowd: int | bool | None = None
    keypoints: list[float] | None = None
    score: float | None = None
    attributes: dict[str, Any] | None = None
    problem: str | None = None


class LooseAnnotation(msgspec.Struct):
    """One entry of ``annotations`` of which some field may be anything."""

    image_id: int | str | None = None
    category_id: int | str | None = None
    bbox: Any = None
    segmentation: Any = None
    iscrowd: Any = None
    keypoints: Any = None
    score: Any = None
    attributes: Any = None

    def tightened(self) -> CocoAnnotation:
        """Return the entry with what does not fit left out and named in `problem`."""
        entry = CocoAnnotation(image_id=self.image_id, category_id=self.category_id)
        if isinstance(self.segmentation, list) and not any(isinstance(x, list) for x in self.segmentation):
            self.segmentation = [self.segmentation] if self.segmentation else None  # one ring, not in a list
        problems = []
        for field in msgspec.structs.fields(CocoAnnotation)[2:-1]:
            try:
                value = msgspec.convert(getattr(self, field.name), field.type, strict=False)
            except (msgspec.ValidationError, OverflowError) as error:
                problems.append(f"{field.name}: {error}")
            else:
                setattr(entry, field.name, value)
        entry.problem = "; ".join(problems) or None
        return entry


def geometry_of(entry: CocoAnnotation, width: int, height: int, report: Report) -> Geometry | None:
    """Return the entry's geometry inside the image: keypoints, else the segmentation, else the box.

    Args:
        entry: The annotation.
        width, height: The image's size in pixels; 0 when it is not known.
        report: Told of everything that is left out or changed.
    """
    width, height = width or UNBOUNDED, height or UNBOUNDED
    if entry.problem:
        report("bad-field", f"a field was left out: {entry.problem}")
    if entry.keypoints and any(entry.keypoints[2::3]):
        found = _checked(_keypoints, entry, width, height, report)
        if found is not None:
            return found
    if entry.segmentation:
        found = _checked(_segmentation, entry, width, height, report)
        if found is not None:
            return found
    if entry.bbox:
        return _checked(_box, entry, width, height, report)
    if not (entry.keypoints or entry.segmentation):
        report("no-geometry", "left out: it has neither a box nor a segmentation")
    return None


_Make = Callable[[CocoAnnotation, int, int, Report], Geometry]


def _checked(make: _Make, entry: CocoAnnotation, width: int, height: int, report: Report) -> Geometry | None:
    try:
        geometry = make(entry, width, height, report)
        if isinstance(geometry, Mask) and width == UNBOUNDED:
            height, width = geometry.size
        try:
            geometry.check(width, height)
        except InvalidGeometry:
            return _clipped(geometry, width, height, report)
    except InvalidGeometry as error:
        report("bad-geometry", f"{make.__name__.strip('_')} left out: {error.message}")
        return None
    return geometry


def _clipped(geometry: Geometry, width: int, height: int, report: Report) -> Geometry | None:
    """Return the part of a geometry inside the image, where that is what is wrong with it.

    Raises:
        InvalidGeometry: Something else is.
    """
    x1, y1, x2, y2 = geometry.bounds()
    if not (x1 < 0 or y1 < 0 or x2 > width or y2 > height):
        geometry.check(width, height)
    clipped = geometry.clipped(width, height)
    if clipped is None:
        report("outside", "left out: it lies outside its image")
        return None
    clipped.check(width, height)
    if x1 < -_ROUNDING or y1 < -_ROUNDING or x2 > width + _ROUNDING or y2 > height + _ROUNDING:
        report("clipped", "reaches out of its image and was clipped")
    return clipped


def _box(entry: CocoAnnotation, width: int, height: int, report: Report) -> Geometry:  # noqa: ARG001
    if entry.bbox is None or len(entry.bbox) != 4:
        raise InvalidGeometry("a bbox has four numbers: x, y, width, height")
    x, y, w, h = entry.bbox
    if w <= 0 or h <= 0:
        raise InvalidGeometry(f"the bbox has the size {w:g} × {h:g}")
    return Box(x, y, x + w, y + h)


def _keypoints(entry: CocoAnnotation, width: int, height: int, report: Report) -> Geometry:
    shape = Keypoints(entry.keypoints or [])
    if len(shape.points) % 3:
        raise InvalidGeometry(f"keypoints are triples x, y, visibility; got {len(shape.points)} numbers")
    if entry.segmentation:
        report("shape-of-keypoints", "has keypoints and a segmentation; the keypoints were kept")
    elif entry.bbox and not _same_bounds(entry.bbox, shape):
        report("box-of-keypoints", "has keypoints and a box of its own; the keypoints were kept")
    if any(v and not (0 <= x <= width and 0 <= y <= height) for x, y, v in shape.triples()):
        report("clipped", "has keypoints outside the image; they became absent")
        kept = shape.clipped(width, height)
        if kept is None:
            raise InvalidGeometry("all keypoints are outside the image")
        return kept
    return shape


def _same_bounds(bbox_xywh: list[float], shape: Keypoints) -> bool:
    x1, y1, x2, y2 = shape.bounds()
    pairs = zip(bbox_xywh, (x1, y1, x2 - x1, y2 - y1), strict=False)
    return len(bbox_xywh) == 4 and all(abs(a - b) <= _ROUNDING for a, b in pairs)


def _segmentation(entry: CocoAnnotation, width: int, height: int, report: Report) -> Geometry:  # noqa: ARG001
    found = entry.segmentation
    if isinstance(found, Rle):
        return convert.mask_from_coco(found.size, found.counts)
    parts: list[list[list[float]]] = []
    for ring in found or []:
        if len(ring) < 6 or len(ring) % 2:
            report("bad-ring", f"a ring of {len(ring)} numbers was left out; three points or more are needed")
        else:
            parts += parts_of(ring)
    if not parts:
        raise InvalidGeometry("no ring of the segmentation has three points")
    return Polygon(parts)
