"""Any Pillow mode → 8-bit grey or sRGB, by the rules that the package's docstring states."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from PIL import Image

from appliance.imaging.limits import MAX_ICC_BYTES

if TYPE_CHECKING:
    import numpy as np

__all__ = ["icc_of", "stretch", "to_eight_bits"]

_BLOCK_PIXELS = 1 << 22


def to_eight_bits(image: Image.Image, *, stretch_16: bool) -> Image.Image:
    """Return the picture in mode ``L`` or ``RGB``, alpha dropped.

    Args:
        image: A loaded picture in any mode.
        stretch_16: 16-bit grey is stretched over its actual range (for people) instead of cut to
            its high byte (for models).
    """
    mode = image.mode
    if mode in ("L", "RGB"):
        return image
    if mode in ("1", "LA", "La"):
        return image.convert("L")
    if mode.startswith(("I", "F")):
        return _from_wide(image, stretch_16=stretch_16)
    if mode in ("CMYK", "LAB"):
        return _through_profile(image)
    return image.convert("RGB")


def icc_of(image: Image.Image) -> bytes | None:
    """Return the embedded ICC profile when there is one of sane size."""
    profile = image.info.get("icc_profile")
    return profile if profile and len(profile) <= MAX_ICC_BYTES else None


def _from_wide(image: Image.Image, *, stretch_16: bool) -> Image.Image:
    import numpy as np

    values = np.asarray(image)
    if image.mode.startswith("I;16") and not stretch_16:
        return Image.fromarray((values >> 8).astype(np.uint8))
    return Image.fromarray(stretch(values))


def stretch(values: np.ndarray) -> np.ndarray:
    """Map the actual range of the finite values linearly to 0..255.

    Args:
        values: ``(H, W)`` of any real dtype. A constant picture becomes black when it is zero and
            white otherwise; what is not finite becomes 0.

    Returns:
        ``(H, W)`` uint8.
    """
    import numpy as np

    result = np.empty(values.shape, np.uint8)
    low, high = _range(values)
    scale = 255.0 / (high - low) if high > low else 0.0
    for block in _blocks(values):
        part = values[block].astype(np.float64)
        if scale:
            part = np.clip(np.nan_to_num((part - low) * scale, nan=0.0, posinf=0.0, neginf=0.0), 0, 255)
            result[block] = np.rint(part)
        else:
            result[block] = np.where(np.isfinite(part) & (part != 0), 255, 0)
    return result


def _range(values: np.ndarray) -> tuple[float, float]:
    import numpy as np

    low, high = np.inf, -np.inf
    for block in _blocks(values):
        part = values[block]
        finite = part[np.isfinite(part)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return low, high


def _blocks(values: Any) -> list[slice]:
    """Cut the rows into blocks, so that float copies of large pictures stay small."""
    rows = max(1, _BLOCK_PIXELS // max(1, values.shape[1]))
    return [slice(at, at + rows) for at in range(0, values.shape[0], rows)]


def _through_profile(image: Image.Image) -> Image.Image:
    """Convert CMYK or Lab to sRGB, by the embedded profile when it fits the mode."""
    from PIL import ImageCms

    profile = icc_of(image)
    if profile and image.mode == "CMYK":
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space.strip() == "CMYK":
                target = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
                if converted is not None:
                    return converted
        except (OSError, ImageCms.PyCMSError):
            return image.convert("RGB")  # a broken profile is no reason to refuse the picture
    return image.convert("RGB")
