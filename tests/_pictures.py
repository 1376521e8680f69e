"""Pictures made by code: one with four different corners, in every format, turned every way."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, PngImagePlugin

__all__ = ["CORNERS", "FORMATS", "corners_of", "encode", "encode_turned", "scene", "stored_for", "xmp"]

CORNERS = ((230, 20, 20), (20, 200, 20), (20, 20, 230), (240, 240, 240))
FORMATS = ("jpeg", "png", "webp", "tiff", "bmp", "gif", "avif", "heic")
_UNDO = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}


def scene(width: int = 96, height: int = 64) -> np.ndarray:
    """Return ``(height, width, 3)`` uint8 RGB: one colour in each corner, clockwise from the top left."""
    pixels = np.full((height, width, 3), 90, np.uint8)
    y, x = height // 2, width // 2
    for colour, rows, columns in zip(
        CORNERS,
        (slice(0, y), slice(0, y), slice(y, None), slice(y, None)),
        (slice(0, x), slice(x, None), slice(x, None), slice(0, x)),
        strict=True,
    ):
        pixels[rows, columns] = colour
    return pixels


def corners_of(pixels: np.ndarray) -> list[int]:
    """Return which of `CORNERS` each corner shows, clockwise from the top left."""
    found = (pixels[4, 4], pixels[4, -5], pixels[-5, -5], pixels[-5, 4])
    palette = np.array(CORNERS, int)
    return [int(np.abs(palette - np.asarray(colour, int)).sum(axis=1).argmin()) for colour in found]


def stored_for(upright: np.ndarray, orientation: int) -> np.ndarray:
    """Return the pixels to store so that applying the EXIF `orientation` shows `upright`."""
    method = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
    }.get(_UNDO[orientation])  # fmt: skip
    image = Image.fromarray(upright)
    return np.asarray(image if method is None else image.transpose(method))


def encode(image: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    """Encode in format `kind`, finely enough that colours stay recognisable."""
    if kind == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    out = io.BytesIO()
    name = {"heic": "HEIF"}.get(kind, kind.upper())
    picture.save(out, name, **({"quality": 95} if kind in ("jpeg", "webp", "avif") else {}) | options)
    return out.getvalue()


def encode_turned(upright: np.ndarray, kind: str, orientation: int, source: str = "exif") -> bytes:
    """Encode `upright` stored turned, with the `orientation` told by ``exif`` or ``xmp``.

    For AVIF and HEIC the encoders turn the EXIF value into irot and imir.
    """
    stored = stored_for(upright, orientation)
    if source == "xmp":
        if kind == "png":
            text = PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", xmp(orientation).decode())
            return encode(stored, kind, pnginfo=text)
        if kind == "tiff":
            return encode(stored, kind, tiffinfo={700: xmp(orientation)})
        return encode(stored, kind, xmp=xmp(orientation))
    if kind == "tiff":
        return encode(stored, kind, tiffinfo={274: orientation})
    exif = Image.Exif()
    exif[274] = orientation
    return encode(stored, kind, exif=exif.tobytes())


def xmp(orientation: int) -> bytes:
    """Return an XMP packet that tells `orientation`."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()
