"""Copies for exports: what was turned by metadata becomes upright in its pixels.

Boxes are told in upright pixels, but many training tools read the stored ones: OpenCV knows EXIF
in JPEG only. So a picture that is turned is written anew with its pixels upright and without any
orientation; all others are left as they are, 16 bits and all.

| original | copy |
|---|---|
| orientation 1, any format but HEIC | none: the bytes stay |
| PNG, BMP, TIFF, GIF | same format, lossless, 16-bit included |
| JPEG | JPEG, quality 95, 4:4:4 |
| WebP | WebP, lossless when the original is, else quality 95 |
| HEIC, AVIF | JPEG, quality 95, 4:4:4; PNG when there is transparency |
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from appliance.errors import UnreadableImage
from appliance.imaging import limits
from appliance.imaging.colour import icc_of
from appliance.imaging.orient import turn_array, turn_image
from appliance.imaging.picture import Picture, open_picture, refusals
from appliance.imaging.sniff import FORMATS

__all__ = ["needs_upright", "upright_copy"]

_JPEG_OPTIONS: dict[str, Any] = {"quality": 95, "subsampling": 0}


def needs_upright(kind: str, orientation: int) -> bool:
    """Tell from a probe's format and orientation whether `upright_copy` would write anything."""
    return orientation != 1 or kind == "heic"


def upright_copy(path: Path, out: Path, *, name: str, max_pixels: int = limits.DEFAULT_MAX_PIXELS) -> str | None:
    """Write an upright copy of a picture file, unless its bytes can stay as they are.

    Args:
        path: The file.
        out: Where the copy goes; written in place, without fsync, only when one is needed.
        name: The file as the user named it.
        max_pixels: Most pixels (width × height) it may have.

    Returns:
        The copy's extension (``.jpg``), or None: use the original. The same bytes in give the same
        bytes out.

    Raises:
        UnreadableImage: As `probe.probe`, with its subclasses.
    """
    picture = open_picture(limits.read_bytes(path, name=name), name=name, max_pixels=max_pixels)
    if not needs_upright(picture.kind, picture.orientation.value):
        return None
    if picture.bits == 16 and picture.kind in ("png", "tiff"):
        kind, data = picture.kind, _sixteen_bits(picture)
    else:
        kind, data = _encoded(picture)
    out.write_bytes(data)
    return FORMATS[kind][1][0]


def _encoded(picture: Picture) -> tuple[str, bytes]:
    image = picture.load()
    buffer = io.BytesIO()
    with refusals(picture.kind, picture.data, picture.name):
        upright = turn_image(image, picture.orientation.to_apply)
        profile = icc_of(image)
        palette = {"transparency": image.info["transparency"]} if "transparency" in image.info else {}
        upright.info = {}
        kind, options = _target(picture, upright)
        if kind in ("jpeg", "png", "webp", "tiff"):
            options["icc_profile"] = profile
        if kind in ("png", "gif"):
            options |= palette
        upright.save(buffer, FORMATS[kind][0], **options)
    return kind, buffer.getvalue()


def _target(picture: Picture, upright: Image.Image) -> tuple[str, dict[str, Any]]:
    """Choose format and options of the copy: lossless where the original is."""
    if picture.kind == "jpeg":
        return "jpeg", dict(_JPEG_OPTIONS)
    if picture.kind in ("heic", "avif"):
        if upright.mode in ("RGBA", "LA"):
            return "png", {}
        return "jpeg", dict(_JPEG_OPTIONS)
    if picture.kind == "webp":
        lossless = b"VP8L" in picture.data[:4096]
        return "webp", {"lossless": lossless, "quality": 95, "method": 4, "exact": lossless}
    if picture.kind == "tiff":
        return "tiff", {"compression": "tiff_adobe_deflate"}
    return picture.kind, {}


def _sixteen_bits(picture: Picture) -> bytes:
    """Turn 16-bit PNG and TIFF with OpenCV, since Pillow cuts 16-bit colour to 8.

    OpenCV applies the orientation tag of a TIFF whatever it is told, but knows no XMP.
    """
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(picture.data, np.uint8), flags)
    if pixels is None:
        raise UnreadableImage(
            f"{picture.name} cannot be turned upright at 16 bits. Save it upright and add it again.",
            file=picture.name,
        )
    done = picture.kind == "tiff" and 274 in picture.image.tag_v2
    upright = turn_array(pixels, 1 if done else picture.orientation.value)
    _, encoded = cv2.imencode(FORMATS[picture.kind][1][0], upright)
    return encoded.tobytes()
