"""Bytes → upright BGR pixels, for models.

For 8-bit JPEG, PNG and WebP the pixels are OpenCV's own, bit for bit, because detections depend
on them; the orientation is ours, because OpenCV knows EXIF in JPEG only. The rest is Pillow's.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from appliance.errors import ImageTooLarge
from appliance.imaging import limits
from appliance.imaging.colour import to_eight_bits
from appliance.imaging.orient import turn_array
from appliance.imaging.picture import Picture, open_picture, refusals

__all__ = ["decode_bgr", "pixels_of"]

_OPENCV_FORMATS = ("jpeg", "png", "webp")


def decode_bgr(
    source: Path | bytes, *, name: str | None = None, max_pixels: int = limits.DEFAULT_MAX_PIXELS
) -> np.ndarray:
    """Decode one picture to upright pixels.

    Args:
        source: A file, or the bytes of one.
        name: The file as the user named it. Without it the extension is not looked at, so that
            blobs named by their hash decode.
        max_pixels: Most pixels (width × height) it may have.

    Returns:
        ``(H, W, 3)`` uint8, BGR, contiguous, alpha dropped.

    Raises:
        UnsupportedImage: Not one of the listed formats.
        ImageTooLarge: More pixels or bytes than allowed.
        TruncatedImage: The file ends before the picture does.
        UnreadableImage: The bytes do not decode.
    """
    label = name or "the picture"
    data = source if isinstance(source, bytes) else limits.read_bytes(source, name=label)
    return pixels_of(open_picture(data, name=label, max_pixels=max_pixels))


def pixels_of(picture: Picture) -> np.ndarray:
    """Decode an opened picture to upright ``(H, W, 3)`` uint8 BGR.

    Raises:
        UnreadableImage: As `decode_bgr`, with its subclasses.
    """
    pixels = None
    if picture.kind in _OPENCV_FORMATS and picture.image.mode != "CMYK":
        pixels = _through_opencv(picture)
    if pixels is None:
        pixels = _through_pillow(picture)
    with refusals(picture.kind, picture.data, picture.name):
        return turn_array(pixels, picture.orientation.to_apply)


def _through_opencv(picture: Picture) -> np.ndarray | None:
    """Decode with OpenCV, or return None where it cannot: Pillow then finds out why."""
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(picture.data, np.uint8), flags)
    except cv2.error as exc:
        if exc.code == cv2.Error.StsNoMem:
            raise ImageTooLarge(
                f"{picture.name} needs more memory to decode than a picture may take. Scale it down.",
                file=picture.name,
            ) from exc
        return None
    if pixels is None or pixels.shape[1::-1] != picture.image.size:
        return None
    return pixels


def _through_pillow(picture: Picture) -> np.ndarray:
    image = picture.load()
    with refusals(picture.kind, picture.data, picture.name):
        flat = np.asarray(to_eight_bits(image, stretch_16=False))
    if flat.ndim == 2:
        return cv2.cvtColor(flat, cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(flat, cv2.COLOR_RGB2BGR)
