"""Annotations as they travel: what is stored as JSON goes out as it is, neither decoded nor encoded again.

An image of 1,000 polygons is a megabyte of coordinates; decoding and encoding them took most of the
time of reading it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from appliance.geometry.box import Box
from appliance.store import images
from appliance.store.store import Reading

__all__ = ["WireAnnotations", "of_image"]


class WireAnnotation(msgspec.Struct, frozen=True, omit_defaults=True):
    """An `Annotation` whose geometry and attributes are JSON already."""

    id: str
    label_id: int
    geometry: Box | msgspec.Raw
    attributes: msgspec.Raw | None = None
    source: str = "manual"
    status: str = "draft"
    revision: int = 0
    confidence: float | None = None
    model_id: int | None = None
    author_id: int | None = None


class WireAnnotations(msgspec.Struct, frozen=True):
    """`ImageAnnotations` as they travel."""

    image_id: int
    revision: int
    annotations: list[WireAnnotation]
    late: int = 0


def of_image(reading: Reading, project_id: int, image_id: int) -> WireAnnotations:
    """Return the image's annotations at its present revision.

    Raises:
        NotFound: The project has no such image.
    """
    image = images.get(reading, project_id, image_id)
    late = reading.execute("SELECT count(*) FROM late WHERE image_id = ? AND state = 'open'", (image_id,))
    sql = (
        "SELECT id, label_id, type, x1, y1, x2, y2, geometry, attributes, source, status, revision, confidence, "
        "model_id, author_id FROM annotations WHERE image_id = ? ORDER BY id"
    )
    found = [_annotation(row) for row in reading.execute(sql, (image_id,))]
    return WireAnnotations(image_id, image.revision, found, next(iter(late))[0])


def _annotation(row: tuple[Any, ...]) -> WireAnnotation:
    key, label_id, kind, x1, y1, x2, y2, geometry, attributes, *rest = row
    drawn = Box(x1, y1, x2, y2) if kind == "box" else msgspec.Raw(geometry)
    return WireAnnotation(key, label_id, drawn, msgspec.Raw(attributes) if attributes else None, *rest)
