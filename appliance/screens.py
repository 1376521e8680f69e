"""Which pictures have a copy of a screen's size, which shows them before the whole is decoded."""

from __future__ import annotations

from appliance.pyramid import is_tiled

__all__ = ["SCREEN_SIDE", "has_screen"]

SCREEN_SIDE = 2048
"""Most pixels a side of the copy: as many as a large screen has for a picture."""

_LEAST_PIXELS = 4_000_000
"""A browser decodes fewer in about 40 ms: there a copy would gain little."""

_MOST_PIXELS = 50_000_000
"""Beyond, small copies of some formats are read row by row (`appliance/imaging/thumbnails.py`)."""


def has_screen(width: int, height: int) -> bool:
    """Tell whether a picture of so many pixels has such a copy."""
    large = _LEAST_PIXELS <= width * height < _MOST_PIXELS and max(width, height) > SCREEN_SIDE
    return large and not is_tiled(width, height)
