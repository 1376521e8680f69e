"""What a picture may claim and weigh before anything is allocated for it."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TypeAlias

from appliance.errors import ImageTooLarge, NotFound, UnreadableImage

__all__ = [
    "DEFAULT_MAX_PIXELS", "MAX_BYTES", "MAX_FRAMES_COUNTED", "MAX_ICC_BYTES", "MAX_SIDE", "Bytes", "Mapped",
    "check_size", "read_bytes",
]  # fmt: skip

DEFAULT_MAX_PIXELS = 400_000_000
"""Pixels of one picture. Pillow holds four bytes per colour pixel: a child that shall decode this
many needs about 1.6 GB for them beside its libraries."""

MAX_BYTES = 1 << 30
"""Bytes of one file; metadata of any kind is bounded by it."""

MAX_SIDE = 65_500
"""Pixels of one side. Source: JPEG_MAX_DIMENSION of libjpeg, so that a rendition is possible."""

MAX_ICC_BYTES = 4 << 20
"""Larger ICC profiles are ignored, neither used nor copied."""

MAX_FRAMES_COUNTED = 1000
"""Counting frames stops here: a small file can hold millions of empty ones."""

_MAP_FROM_BYTES = 32 << 20
_HEAD_BYTES = 64


class Mapped(mmap.mmap):
    """The bytes of a large file, brought in by the kernel where they are looked at."""

    def startswith(self, prefixes: tuple[bytes, ...] | bytes) -> bool:
        """Tell whether the file begins so, as of `bytes`."""
        return self[:_HEAD_BYTES].startswith(prefixes)


Bytes: TypeAlias = bytes | Mapped
"""The bytes of a file, read or mapped."""


def check_size(width: int, height: int, *, max_pixels: int, name: str) -> None:
    """Refuse a picture by its claimed size in pixels.

    Raises:
        ImageTooLarge: More pixels in all, or along one side, than allowed.
        UnreadableImage: A side of zero.
    """
    if width < 1 or height < 1:
        raise UnreadableImage(
            f"{name} says it is {width} × {height} pixels: the file is damaged. Save it again.",
            file=name,
        )
    facts = {"width": width, "height": height, "max_pixels": max_pixels, "max_side": MAX_SIDE}
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"{name} is {width} × {height} pixels ({width * height / 1e6:,.0f} megapixels); at most "
            f"{max_pixels / 1e6:,.0f} megapixels are accepted. Scale it down or cut it into tiles.",
            file=name,
            details=facts,
        )
    if max(width, height) > MAX_SIDE:
        raise ImageTooLarge(
            f"{name} is {width} × {height} pixels; a side may have at most {MAX_SIDE:,} pixels. "
            "Scale it down or cut it into tiles.",
            file=name,
            details=facts,
        )


def read_bytes(path: Path, *, name: str) -> Bytes:
    """Read a whole picture file, or map it where it is large, after looking at its size.

    Raises:
        ImageTooLarge: The file is larger than `MAX_BYTES`.
        UnreadableImage: The file is empty.
        NotFound: There is no such file.
    """
    try:
        size_bytes = path.stat().st_size
    except FileNotFoundError as exc:
        raise NotFound(f"{name}: there is no such file.", file=name) from exc
    if size_bytes > MAX_BYTES:
        raise ImageTooLarge(
            f"{name} has {size_bytes / 1e6:,.0f} MB; a picture may have at most {MAX_BYTES / 1e6:,.0f} MB. "
            "Compress it or cut it into tiles.",
            file=name,
        )
    if size_bytes >= _MAP_FROM_BYTES:
        with path.open("rb") as file:
            return Mapped(file.fileno(), 0, access=mmap.ACCESS_READ)
    data = path.read_bytes()
    if not data:
        raise UnreadableImage(f"{name} is empty (0 bytes). Copy it again from its source.", file=name)
    return data
