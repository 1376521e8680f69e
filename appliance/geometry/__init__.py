"""Shapes on an image: one file each, found by the registry.

Canonical frame: float64 pixels of the upright image, origin at the top-left corner of the
top-left pixel, x to the right, y down. Every variant is a frozen `msgspec.Struct` tagged by
``type`` in JSON and declares itself as the module constant ``GEOMETRY``. Each has

- ``name``: its tag;
- ``check(width, height)``: raise `InvalidGeometry` unless it is a shape inside the image;
- ``bounds()``: ``(x1, y1, x2, y2)``;
- ``strokes()``: the lines that draw it small, or None where its bounds do;
- ``area()``: square pixels;
- ``clipped(width, height)``: the part inside the image, or None when nothing is left;
- ``transformed(scale_x, scale_y, dx, dy)``: ``x * scale_x + dx``, ``y * scale_y + dy``;
- ``simplified(tolerance)``: fewer vertices, none further than `tolerance` pixels away.

`Geometry` is the union of all variants, as msgspec decodes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from appliance.registry import discover

GEOMETRIES: dict[str, Any] = discover("appliance.geometry", "GEOMETRY")

if TYPE_CHECKING:
    from appliance.geometry._base import Shape as Geometry
else:
    Geometry = Union[tuple(GEOMETRIES.values())]  # noqa: UP007

__all__ = ["GEOMETRIES", "Geometry"]
