"""Parse the rows of YOLO label files."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.errors import InvalidGeometry
from appliance.formats._rows import parts_of
from appliance.geometry import Geometry
from appliance.geometry.box import Box
from appliance.geometry.polygon import Polygon

__all__ = ["Row", "RowError", "Rows", "parsed"]

_BOM = b"\xef\xbb\xbf"
_ROUNDING = 1e-5
"""Fraction of a side a coordinate may be outside by rounding alone; it is clipped without a word."""
_FAR = 1.0
"""Fraction of a side outside the image beyond which numbers are not taken for fractions at all."""


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that cannot be read: a note's code, and why."""

    code: str
    problem: str


@dataclass(slots=True)
class Row:
    """One object: a box (``cx cy w h``) or a ring (``x y x y …``), as fractions of the image."""

    index: int
    box_cxcywh_norm: list[float] | None
    ring_norm: list[float] | None
    confidence: float | None = None
    keypoints: bool = False

    def geometry(self, width: int, height: int) -> tuple[Geometry, bool]:
        """Return the canonical geometry, and whether it had to be clipped.

        Raises:
            InvalidGeometry: Without extent, or outside the image.
        """
        shape: Geometry
        if self.box_cxcywh_norm is not None:
            cx, cy, w, h = self.box_cxcywh_norm
            if w <= 0 or h <= 0:
                raise InvalidGeometry(f"the box has the size {w:g} × {h:g}")
            w, h = w / 2, h / 2
            shape = Box((cx - w) * width, (cy - h) * height, (cx + w) * width, (cy + h) * height)
        else:
            ring = list(self.ring_norm or [])
            ring[::2] = [x * width for x in ring[::2]]
            ring[1::2] = [y * height for y in ring[1::2]]
            shape = Polygon(parts_of(ring))
        return _inside(shape, width, height)


def _inside(shape: Geometry, width: int, height: int) -> tuple[Geometry, bool]:
    x1, y1, x2, y2 = shape.bounds()
    clipped = False
    if x1 < 0 or y1 < 0 or x2 > width or y2 > height:
        dx, dy = width * _ROUNDING, height * _ROUNDING
        clipped = x1 < -dx or y1 < -dy or x2 > width + dx or y2 > height + dy
        inner = shape.clipped(width, height)
        if inner is None:
            raise InvalidGeometry("it lies outside its image")
        shape = inner
    shape.check(width, height)
    return shape, clipped


@dataclass(slots=True)
class Rows:
    """What a label file says: ``(line number, row or error)``, and how many rows were there twice."""

    found: list[tuple[int, Row | RowError]]
    doubled: int


def parsed(data: bytes, pose_columns: int | None = None) -> Rows:
    """Parse a label file: boxes, polygons and both, with or without a confidence at the end.

    Args:
        data: The file's bytes; any line ends, a byte-order mark is passed over.
        pose_columns: Columns of a row with keypoints, where the dataset has them.
    """
    rows = Rows([], 0)
    seen: set[bytes] = set()
    for number, line in enumerate(data.removeprefix(_BOM).splitlines(), start=1):
        line = line.strip()
        if not line:
            continue
        if line in seen:
            rows.doubled += 1
            continue
        seen.add(line)
        rows.found.append((number, _row(line.split(), pose_columns)))
    return rows


def _row(columns: list[bytes], pose_columns: int | None) -> Row | RowError:
    count = len(columns)
    try:
        first, *numbers = map(float, columns)
    except ValueError:
        return RowError("bad-row", f"not numbers: {b' '.join(columns)[:60]!r}")
    if not 0 <= first < 1e9 or first != int(first):
        return RowError("bad-row", f"the class {first:g} is not a whole number of at least 0")
    keypoints = count == pose_columns
    if keypoints:
        numbers = numbers[:4]
    confidence = numbers.pop() if not keypoints and count >= 6 and count % 2 == 0 else None
    if len(numbers) != 4 and len(numbers) < 6:
        return RowError("bad-row", f"{count} columns; a box has 5, a polygon 7 or more")
    total = sum(numbers)
    if total - total != 0 or min(numbers) < -_FAR or max(numbers) > 1 + _FAR:
        return RowError("not-normalised", "left out: its numbers are not fractions of 0 to 1")
    if confidence is not None and not 0 <= confidence <= 1:
        return RowError("bad-row", f"the confidence {confidence:g} is not between 0 and 1")
    if len(numbers) == 4:
        return Row(int(first), numbers, None, confidence, keypoints)
    return Row(int(first), None, numbers, confidence)
