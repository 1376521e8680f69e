"""Open a picture: what it is, whether it is allowed and complete, which way is up.

The only place where Pillow opens anything, and only through the plug-in that the magic names, so
that no other parser ever sees the bytes. Pillow's own guard against decompression bombs is set to
our limit for each opening: its inner allocations (GIF canvases, TIFF tiles) obey it too.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from appliance.errors import ImageTooLarge, TruncatedImage, UnreadableImage
from appliance.imaging import limits, orient, sniff, truncation

__all__ = ["Picture", "open_picture", "refusals"]

# A thread per core would multiply the address space that a limited child needs.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

# Odd metadata and advice on palettes: the picture decodes, or an error says why not.
warnings.filterwarnings("ignore", module=r"PIL\.")

_DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError,
    AssertionError, RuntimeError, EOFError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow's and libheif's parsers raise on damaged bytes; the bytes are in memory, so that
none of it can be a fault of the disk."""

_OPENERS: dict[str, Callable[[Any, str], Image.Image]] = {
    "jpeg": JpegImagePlugin.jpeg_factory,
    "png": PngImagePlugin.PngImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "avif": AvifImagePlugin.AvifImageFile,
}


@dataclass
class Picture:
    """An opened picture, not yet decoded.

    Attributes:
        image: Pillow's view of it; `load` decodes.
        kind: A key of `sniff.FORMATS`.
        name: The file as the user named it.
        data: Its bytes.
        orientation: Which way is up, and who applies it.
        frames: How many frames or pages it has; counting stops at `limits.MAX_FRAMES_COUNTED`.
        bits: Bits per channel, 8 unless the file says 16 or 32.
    """

    image: Image.Image
    kind: str
    name: str
    data: limits.Bytes
    orientation: orient.Orientation
    frames: int
    bits: int

    def load(self) -> Image.Image:
        """Decode the whole (first) picture; the pixels are as stored, but for what decoders turn.

        Raises:
            TruncatedImage: The file ends before the picture does.
            UnreadableImage: The bytes do not decode.
            ImageTooLarge: The memory allowed does not suffice.
        """
        with refusals(self.kind, self.data, self.name):
            self.image.load()
        return self.image

    def upright_size(self) -> tuple[int, int]:
        """Return ``(width, height)`` in upright pixels; call it before a draft changes the size."""
        opened: Any = self.image
        width, height = opened.size
        if self.kind == "tiff":  # Pillow turns the size when it opens the file, or when it loads it
            width, height = opened.tag_v2[256], opened.tag_v2[257]
        return (height, width) if self.orientation.value >= 5 else (width, height)


def open_picture(data: limits.Bytes, *, name: str, max_pixels: int = limits.DEFAULT_MAX_PIXELS) -> Picture:
    """Look at the name, the magic, the header, the limits and the file's end, in this order.

    Args:
        data: The bytes of one file.
        name: The file as the user named it, for the extension and for messages.
        max_pixels: Most pixels (width × height) it may have.

    Raises:
        UnsupportedImage: Not one of the listed formats.
        ImageTooLarge: More pixels than allowed; nothing was allocated for them.
        TruncatedImage: The file ends before the picture does.
        UnreadableImage: Name and bytes disagree, or the bytes do not parse.
    """
    kind = sniff.sniff(data, name=name)
    if kind == "webp":  # libwebp allocates the canvas when it is opened
        limits.check_size(*_webp_size(data), max_pixels=max_pixels, name=name)
    with refusals(kind, data, name):
        image = _open(data, kind, max_pixels)
    limits.check_size(*image.size, max_pixels=max_pixels, name=name)
    if truncation.ends_early(kind, data):
        raise _truncated(name)
    with refusals(kind, data, name):
        turned = orient.decide(image, kind, data)
        return Picture(image, kind, name, data, turned, _frames(image, kind, data), _bits(image, kind, data))


def _open(data: limits.Bytes, kind: str, max_pixels: int) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = max(1, max_pixels // 2)  # Pillow refuses above twice this number
    if kind == "heic":
        import pillow_heif

        pillow_heif.options.DECODE_THREADS = 1
        return pillow_heif.HeifImageFile(io.BytesIO(data), "")
    return _OPENERS[kind](data if isinstance(data, limits.Mapped) else io.BytesIO(data), "")


@contextmanager
def refusals(kind: str, data: limits.Bytes, name: str) -> Iterator[None]:
    """Turn what decoders raise on bytes in memory into the error tree.

    Raises:
        ImageTooLarge: Too many pixels, or the process may not have so much memory.
        TruncatedImage: The file ends before the picture does.
        UnreadableImage: Anything else that is wrong with the bytes.
    """
    try:
        yield
    except Image.DecompressionBombError as exc:
        claimed = re.search(r"\((\d+) pixels\)", str(exc))
        size = f"{int(claimed[1]) / 1e6:,.0f} megapixels" if claimed else "more pixels"
        raise ImageTooLarge(
            f"{name} claims {size}, more than are accepted. Scale it down or cut it into tiles.", file=name
        ) from exc
    except MemoryError as exc:
        raise ImageTooLarge(
            f"{name} needs more memory to decode than allowed. Scale it down or cut it into tiles.",
            file=name,
        ) from exc
    except (UnreadableImage, ImageTooLarge):
        raise
    except _DECODER_ERRORS as exc:
        if isinstance(exc, EOFError) or "truncated" in str(exc).lower() or truncation.ends_early(kind, data):
            raise _truncated(name) from exc
        raise UnreadableImage(
            f"{name} is damaged: its {sniff.FORMATS[kind][0]} data cannot be decoded. "
            "Copy it again from its source or save it again in an image editor.",
            file=name,
        ) from exc


def _truncated(name: str) -> TruncatedImage:
    return TruncatedImage(
        f"{name} ends before the picture does: the file was cut off. Copy it again from its source.",
        file=name,
    )


def _frames(image: Image.Image, kind: str, data: limits.Bytes) -> int:
    if kind == "gif":
        return truncation.gif_frames(data)
    if kind == "tiff":
        return max(1, truncation.tiff_frames(data))
    return min(int(getattr(image, "n_frames", 1)), limits.MAX_FRAMES_COUNTED)


def _bits(image: Any, kind: str, data: limits.Bytes) -> int:
    if kind == "png":
        return 16 if data[24] == 16 else 8
    if kind == "tiff":
        return max(8, *(int(bits) for bits in image.tag_v2.get(258, (1,))))
    return 8


def _webp_size(data: limits.Bytes) -> tuple[int, int]:
    """Read the claimed canvas of a WebP. Source: RFC 9649, §§2.5-2.7; RFC 6386, §9.1.

    A header that is cut off counts as 1 × 1: the decoder will refuse it.
    """
    head = data[:30].ljust(30, b"\0")
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", head, 26)
    return max(1, width & 0x3FFF), max(1, height & 0x3FFF)
