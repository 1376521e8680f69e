"""Which way is up: one function decides, two apply it.

The EXIF value 1..8 of ``Orientation`` says how the stored pixels are turned and mirrored. Where
it comes from depends on the format:

| format | orientation | applied by the decoder | applied by browsers |
|---|---|---|---|
| JPEG | EXIF, else XMP | no | EXIF only |
| PNG | eXIf, ImageMagick's raw profile, else XMP | no | eXIf only |
| WebP | EXIF, else XMP | no | no |
| TIFF | tag 274, else XMP | yes (Pillow) | not shown |
| AVIF | irot and imir only, as its specification says | no (Pillow tells the value) | yes |
| HEIC | irot and imir only | yes (libheif) | not shown |

The last column was measured in Chromium 150. A value outside 1..8 counts as 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from appliance.imaging.limits import Bytes

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

__all__ = ["Orientation", "decide", "turn_array", "turn_image"]

_ORIENTATION_TAG = 274
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PNG_KEYWORDS = (b"Raw profile type", b"XML:com.adobe.xmp")


@dataclass(frozen=True)
class Orientation:
    """An EXIF orientation and who applies it.

    Attributes:
        value: EXIF value 1..8; 5..8 swap width and height.
        in_decoder: The decoder hands out upright pixels: never turn them again.
        in_browser: A browser given the original bytes shows them upright.
    """

    value: int
    in_decoder: bool = False
    in_browser: bool = True

    @property
    def to_apply(self) -> int:
        """The value that is left to apply to decoded pixels."""
        return 1 if self.in_decoder else self.value


def decide(image: Image.Image, kind: str, data: Bytes) -> Orientation:
    """Decide the orientation of an opened, not yet loaded picture of format `kind` with bytes `data`."""
    if kind == "heic":
        return Orientation(1, in_decoder=True, in_browser=False)
    if kind == "avif":
        # Pillow writes irot and imir into this EXIF block; XMP and the file's own EXIF do not count.
        return Orientation(_valid(_exif_only(image)))
    if kind == "png" and not _png_tells(data):
        return Orientation(1)  # asking Pillow would decode the whole picture to look behind it
    value = _valid(image.getexif().get(_ORIENTATION_TAG))
    if kind == "tiff":
        return Orientation(value, in_decoder=True, in_browser=False)
    shown = kind in ("jpeg", "png") and value == _valid(_exif_only(image))
    return Orientation(value, in_browser=value == 1 or shown)


def _png_tells(data: Bytes) -> bool:
    """Walk the chunks for one that may tell an orientation. Source: W3C PNG, third edition, §5.3, §11.3."""
    at = 8
    while at + 12 <= len(data):
        name = data[at + 4 : at + 8]
        if name == b"eXIf" or (name in _PNG_TEXTS and data[at + 8 : at + 32].startswith(_PNG_KEYWORDS)):
            return True
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False


def _exif_only(image: Image.Image) -> Any:
    """Read the orientation of the EXIF block alone, as browsers do."""
    block = image.info.get("exif")
    if not block:
        return None
    from PIL import Image as pillow

    exif = pillow.Exif()
    exif.load(block)
    return exif.get(_ORIENTATION_TAG)


def _valid(value: Any) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def turn_image(image: Image.Image, value: int) -> Image.Image:
    """Turn a loaded Pillow image upright by the EXIF orientation `value` (1..8)."""
    from PIL.Image import Transpose

    method = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(value)
    return image if method is None else image.transpose(method)


def turn_array(pixels: np.ndarray, value: int) -> np.ndarray:
    """Turn pixels ``(H, W, …)`` upright by the EXIF orientation `value`; the result is contiguous."""
    import numpy as np

    if value >= 5:
        pixels = pixels.swapaxes(0, 1)
    if value in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if value in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
