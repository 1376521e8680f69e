"""A part of a picture at the size somebody needs it, for models that look at one object."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from appliance.imaging.decode import decode_bgr
from appliance.pyramid import TILE, Pack

__all__ = ["cut", "cut_tiles"]

Region = tuple[int, int, int, int]


def cut(source: Path, region: Region, side: int, *, name: str | None = None) -> np.ndarray:
    """Decode a picture and return a part of it.

    Args:
        source: The file; it has been admitted.
        region: x1, y1, x2, y2 in upright pixels, inside the picture.
        side: Most pixels of the longer side of what is returned; larger parts are scaled down.
        name: The file as the user named it, for messages.

    Returns:
        uint8 ``[height, width, 3]``, RGB, contiguous.

    Raises:
        UnreadableImage: As `decode_bgr`, with its subclasses.
    """
    x1, y1, x2, y2 = region
    return _shrunk(decode_bgr(source, name=name)[y1:y2, x1:x2], side)


def cut_tiles(pack: Pack, region: Region, side: int) -> np.ndarray:
    """Return a part of a very large picture from its tiles, at the level that suits `side`; as `cut`."""
    x1, y1, x2, y2 = region
    pyramid = pack.pyramid
    level = next(
        (n for n in range(pyramid.levels) if max(x2 - x1, y2 - y1) >> (pyramid.levels - 1 - n) >= side),
        pyramid.levels - 1,
    )
    shift = pyramid.levels - 1 - level
    width, height = pyramid.size(level)
    left, top = x1 >> shift, y1 >> shift
    right, bottom = min(width, -(-x2 >> shift)), min(height, -(-y2 >> shift))
    pixels = np.zeros((bottom - top, right - left, 3), np.uint8)
    for row in range(top // TILE, -(-bottom // TILE)):
        for column in range(left // TILE, -(-right // TILE)):
            tile = cv2.imdecode(np.frombuffer(pack.tile(level, column, row), np.uint8), cv2.IMREAD_COLOR)
            _paste(pixels, tile, column * TILE - left, row * TILE - top)
    return _shrunk(pixels, side)


def _paste(pixels: np.ndarray, tile: np.ndarray, x: int, y: int) -> None:
    """Put a tile at a place that may lie partly outside."""
    height, width = pixels.shape[:2]
    from_x, from_y = max(0, -x), max(0, -y)
    part = tile[from_y : height - y, from_x : width - x]
    pixels[y + from_y : y + from_y + part.shape[0], x + from_x : x + from_x + part.shape[1]] = part


def _shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return BGR pixels as RGB, scaled down to at most `side`."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
