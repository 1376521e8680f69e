"""Small upright pictures for grids: JPEG, longest side 320 px, the same bytes every time."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from appliance.imaging import streamed
from appliance.imaging.colour import to_eight_bits
from appliance.imaging.orient import turn_image
from appliance.imaging.picture import Picture, refusals

__all__ = ["MEDIA_TYPE", "QUALITY", "SIDE", "thumbnail_of"]

SIDE = 320
QUALITY = 80
MEDIA_TYPE = "image/jpeg"
_STREAM_FROM_PIXELS = 50_000_000
"""From here on Pillow would hold hundreds of megabytes; it is quicker below."""


def thumbnail_of(picture: Picture, path: Path) -> bytes:
    """Decode the whole picture and return its thumbnail as JPEG bytes.

    A JPEG is decoded in its DCT domain at the smallest scale that is still large enough: all
    of its bytes are read, so a cut file is seen, at about half the cost. A very large picture of
    another format is read row by row. Nothing is enlarged.

    Args:
        picture: An opened picture, not yet loaded.
        path: The file it was opened from.

    Raises:
        UnreadableImage: As `Picture.load`, with its subclasses.
    """
    if picture.kind == "jpeg":  # libheif's draft would show an embedded preview instead
        longest = max(picture.image.size)
        width, height = (side * SIDE // longest for side in picture.image.size)
        picture.image.draft(None, (max(1, width), max(1, height)))
    elif picture.image.width * picture.image.height >= _STREAM_FROM_PIXELS and streamed.can_stream(picture):
        return _encoded(_streamed(picture, path), picture.orientation.value)
    image = picture.load()
    with refusals(picture.kind, picture.data, picture.name):
        return _encoded(_shrunk(image), picture.orientation.to_apply)


def _encoded(small: Image.Image, orientation: int) -> bytes:
    out = io.BytesIO()
    turn_image(small, orientation).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _streamed(picture: Picture, path: Path) -> Image.Image:
    with streamed.refusals(picture):
        image = streamed.eight_bits(path, picture)
        width, height = _fitted(image.width, image.height)
        small = image.thumbnail_image(width, height=height, size="force", no_rotate=True)
        return Image.fromarray(small.numpy())


def _fitted(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shrunk(image: Image.Image) -> Image.Image:
    """Scale first where the mode allows averaging, so that conversions touch few pixels."""
    if image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = to_eight_bits(image, stretch_16=True)
    target = _fitted(*image.size)
    if image.size != target:
        image = image.resize(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
    small = to_eight_bits(image, stretch_16=True)
    small.info = {}
    return small
