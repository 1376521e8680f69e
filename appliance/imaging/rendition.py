"""A full-size upright copy that every browser shows: one JPEG, whatever came in."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from appliance.imaging import limits
from appliance.imaging.colour import icc_of, to_eight_bits
from appliance.imaging.orient import turn_image
from appliance.imaging.picture import Picture, open_picture, refusals

__all__ = ["MEDIA_TYPE", "QUALITY", "render", "rendition_of"]

MEDIA_TYPE = "image/jpeg"
QUALITY = 92


def render(path: Path, out: Path, *, name: str, max_pixels: int = limits.DEFAULT_MAX_PIXELS) -> tuple[int, int]:
    """Write the browser rendition of a picture file.

    Args:
        path: The file.
        out: Where the JPEG goes; written in place, without fsync.
        name: The file as the user named it.
        max_pixels: Most pixels (width × height) it may have.

    Returns:
        ``(width, height)`` in upright pixels, those of the probe.

    Raises:
        UnreadableImage: As `probe.probe`, with its subclasses.
    """
    picture = open_picture(limits.read_bytes(path, name=name), name=name, max_pixels=max_pixels)
    image = rendition_of(picture)
    buffer = io.BytesIO()
    with refusals(picture.kind, picture.data, name):
        image.save(buffer, "JPEG", quality=QUALITY, subsampling=0, icc_profile=icc_of(image))
    out.write_bytes(buffer.getvalue())
    return image.size


def rendition_of(picture: Picture) -> Image.Image:
    """Return the upright picture in mode ``L`` or ``RGB`` with nothing but its ICC profile.

    16-bit grey is stretched over its actual range. A profile of RGB pixels stays with them, for
    the browser to honour; grey, CMYK and Lab profiles go with their colour space.

    Raises:
        UnreadableImage: As `Picture.load`, with its subclasses.
    """
    image = picture.load()
    profile = icc_of(image) if image.mode in ("RGB", "RGBA") else None
    with refusals(picture.kind, picture.data, picture.name):
        upright = turn_image(to_eight_bits(image, stretch_16=True), picture.orientation.to_apply)
    upright.info = {"icc_profile": profile} if profile else {}
    return upright
