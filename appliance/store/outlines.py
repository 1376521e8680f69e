"""Annotations as a thumbnail shows them: few numbers, and only the shapes large enough to be seen."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from appliance.geometry import Geometry
from appliance.store.store import Reading

__all__ = ["GRID", "MOST", "Outline", "Outlines", "of_images"]

GRID = 512
"""Places across and down an image: twice as many as a thumbnail has pixels."""
MOST = 100
"""Shapes of one image, the largest; below a picture of 300 pixels more only cover each other."""

_COLUMNS = "label_id, type, x1, y1, x2, y2, geometry, source = 'model' AND status = 'draft' AND author_id IS NULL"
_geometry = msgspec.json.Decoder(Geometry)


class Outline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The lines that draw one annotation.

    Attributes:
        label_id: Its label.
        lines: Flat lists ``x, y, …`` in 512ths of the image's width and height; of a box, a mask and
            keypoints the two corners of the bounds.
        open: The lines do not close.
        predicted: Nobody has touched it.
    """

    label_id: int
    lines: list[list[int]]
    open: bool = False
    predicted: bool = False


class Outlines(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one image shows, the largest shapes first; `more` were left out."""

    image_id: int
    revision: int
    shapes: list[Outline]
    more: int = 0


def of_images(reading: Reading, project_id: int, image_ids: Iterable[int]) -> list[Outlines]:
    """Return the outlines of those of the images that the project has, tags and refused shapes left out."""
    found = []
    for image_id in image_ids:
        sql = "SELECT width, height, revision FROM images WHERE id = ? AND project_id = ?"
        for width, height, revision in reading.execute(sql, (image_id, project_id)).fetchall():
            found.append(_of_image(reading, image_id, revision, (GRID / width, GRID / height)))
    return found


def _of_image(reading: Reading, image_id: int, revision: int, scale: tuple[float, float]) -> Outlines:
    sql = f"SELECT {_COLUMNS} FROM annotations WHERE image_id = ? AND status <> 'rejected' AND type <> 'tag'"
    rows = reading.execute(sql, (image_id,)).fetchall()
    largest = heapq.nlargest(MOST, rows, key=lambda row: (row[4] - row[2]) * (row[5] - row[3]))
    shapes = [_outline(row, scale) for row in largest]
    return Outlines(image_id=image_id, revision=revision, shapes=shapes, more=len(rows) - len(shapes))


def _outline(row: tuple[Any, ...], scale: tuple[float, float]) -> Outline:
    label_id, _, x1, y1, x2, y2, geometry, predicted = row
    strokes = _geometry.decode(geometry).strokes() if geometry is not None else None
    lines, closed = strokes or ([[x1, y1, x2, y2]], True)
    return Outline(
        label_id=label_id, lines=[_placed(line, scale) for line in lines], open=not closed, predicted=bool(predicted)
    )


def _placed(line: Sequence[float], scale: tuple[float, float]) -> list[int]:
    """Bring a line onto the grid; points that fall onto the one before are dropped, but for the last."""
    xs, ys = ([round(value * by) for value in line[axis::2]] for axis, by in enumerate(scale))
    points = list(zip(xs, ys, strict=True))
    kept = [point for at, point in enumerate(points) if at in (0, len(points) - 1) or point != points[at - 1]]
    return [value for point in kept for value in point]
