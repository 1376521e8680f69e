"""Small upright pictures, JPEG, the same bytes every time: for grids, and to show large ones first.

A thumbnail has 320 px on its longest side, a screen's copy at most 2,048.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from appliance.imaging import streamed
from appliance.imaging.colour import icc_of, to_eight_bits
from appliance.imaging.orient import turn_image
from appliance.imaging.picture import Picture, refusals
from appliance.screens import SCREEN_SIDE, has_screen

__all__ = ["MEDIA_TYPE", "QUALITY", "SIDE", "screen_of", "thumbnail_of"]

SIDE = 320
QUALITY = 80
MEDIA_TYPE = "image/jpeg"
_SCREEN_QUALITY = 85
_STREAM_FROM_PIXELS = 50_000_000
"""From here on Pillow would hold hundreds of megabytes; it is quicker below."""


def thumbnail_of(picture: Picture, path: Path) -> bytes:
    """Decode the whole picture and return its thumbnail as JPEG bytes.

    A JPEG is decoded in its DCT domain at the smallest scale that is still large enough: all
    of its bytes are read, so a cut file is seen, at about half the cost; where `screen_of` will be
    asked for as well, that scale is large enough for both. A very large picture of
    another format is read row by row. Nothing is enlarged.

    Args:
        picture: An opened picture, not yet loaded.
        path: The file it was opened from.

    Raises:
        UnreadableImage: As `Picture.load`, with its subclasses.
    """
    if picture.kind == "jpeg":  # libheif's draft would show an embedded preview instead
        picture.image.draft(None, _least(*picture.image.size))
    elif picture.image.width * picture.image.height >= _STREAM_FROM_PIXELS and streamed.can_stream(picture):
        return _encoded(_streamed(picture, path), picture.orientation.value)
    image = picture.load()
    with refusals(picture.kind, picture.data, picture.name):
        return _encoded(_shrunk(image, SIDE), picture.orientation.to_apply)


def screen_of(picture: Picture) -> bytes:
    """Return the copy of a screen's size as JPEG bytes, of a picture that `thumbnail_of` has decoded.

    A JPEG is as large as it was decoded: a half, a quarter or an eighth. Pixels are those of the
    rendition, and so is the profile.

    Raises:
        UnreadableImage: As `Picture.load`, with its subclasses.
    """
    image = picture.load()
    profile = icc_of(image) if image.mode in ("RGB", "RGBA") else None
    with refusals(picture.kind, picture.data, picture.name):
        small = turn_image(_shrunk(image, SCREEN_SIDE), picture.orientation.to_apply)
        out = io.BytesIO()
        small.save(out, "JPEG", quality=_SCREEN_QUALITY, icc_profile=profile)
        return out.getvalue()


def _least(width: int, height: int) -> tuple[int, int]:
    """Return the size below which a JPEG must not be decoded for its copies."""
    longest = max(width, height)
    if has_screen(width, height):
        divisor = -(-longest // SCREEN_SIDE)
        divisor = 1 << (divisor - 1).bit_length()
        return width // divisor, height // divisor
    return max(1, width * SIDE // longest), max(1, height * SIDE // longest)


def _encoded(small: Image.Image, orientation: int) -> bytes:
    out = io.BytesIO()
    turn_image(small, orientation).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _streamed(picture: Picture, path: Path) -> Image.Image:
    with streamed.refusals(picture):
        image = streamed.eight_bits(path, picture)
        width, height = _fitted(image.width, image.height, SIDE)
        small = image.thumbnail_image(width, height=height, size="force", no_rotate=True)
        return Image.fromarray(small.numpy())


def _fitted(width: int, height: int, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    """Scale first where the mode allows averaging, so that conversions touch few pixels."""
    if image.mode not in ("L", "RGB", "CMYK", "LAB"):
        image = to_eight_bits(image, stretch_16=True)
    target = _fitted(*image.size, side)
    if image.size != target:
        image = image.resize(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
    small = to_eight_bits(image, stretch_16=True)
    small.info = {}
    return small
