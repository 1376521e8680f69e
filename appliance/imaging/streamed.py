"""Very large pictures band by band: libvips reads, and holds no more than a few rows.

It takes over where Pillow would hold the whole picture, for the formats whose decoders can stream
and the modes whose conversion needs no neighbour; a WebP and a progressive JPEG are still held once,
by their decoders. What a picture is, whether it may come in and which way is up is still asked of
`picture.open_picture`, and libvips gets no choice of parser.
"""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.errors import TruncatedImage, UnreadableImage
from appliance.imaging.colour import icc_of
from appliance.imaging.picture import Picture

if TYPE_CHECKING:
    import pyvips

__all__ = ["can_stream", "eight_bits", "refusals", "to_srgb"]

_FORMATS = ("jpeg", "png", "tiff", "webp")
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "I;16", "I;16B", "I;16L")
_ROOM_BYTES = 512 << 20
_ENDS = ("premature end", "end of file", "end of stream", "truncated", "not enough data", "read error")


def can_stream(picture: Picture) -> bool:
    """Tell whether libvips can read the picture row by row with the colours Pillow would give.

    It ends the process where it gets no memory for a thread; without room for them it is not asked.
    """
    return picture.kind in _FORMATS and picture.image.mode in _MODES and _room_bytes() >= _ROOM_BYTES


def eight_bits(path: Path, picture: Picture) -> pyvips.Image:
    """Open a picture's file for one pass from top to bottom, as `colour.to_eight_bits` has it for people.

    Args:
        path: The file that `picture` was opened from.
        picture: An opened picture that `can_stream`.

    Returns:
        One or three bands of 8 bits, as stored: nothing is turned.

    Raises:
        UnreadableImage: libvips and Pillow disagree on what the file holds.
    """
    image = _colours(_opened(path, picture))
    if image.format == "uchar":
        return image
    if picture.image.mode.startswith("I"):
        low, high = _range(_colours(_opened(path, picture)))
        scale = 255.0 / (high - low) if high > low else 0.0
        image = ((image - low) * scale).rint() if scale else (image > 0)
        return image.cast("uchar").copy(interpretation="b-w")
    return (image >> 8).cast("uchar").copy(interpretation="srgb" if image.bands == 3 else "b-w")


def to_srgb(image: pyvips.Image, picture: Picture) -> pyvips.Image:
    """Apply the picture's RGB profile, which tiles do not carry; a broken one is passed over."""
    import pyvips
    from PIL import ImageCms

    profile = icc_of(picture.image) if picture.image.mode in ("RGB", "RGBA") else None
    if not profile or profile[16:20] != b"RGB " or image.bands != 3:
        return image
    try:
        if ImageCms.getProfileDescription(io.BytesIO(profile)).startswith("sRGB"):
            return image
        with_profile = image.copy()
        with_profile.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        return with_profile.icc_transform("srgb", embedded=True, intent="perceptual")
    except (OSError, ImageCms.PyCMSError, pyvips.Error):
        return image


@contextmanager
def refusals(picture: Picture) -> Iterator[None]:
    """Turn what libvips raises on a picture's bytes into the error tree.

    Raises:
        TruncatedImage: The file ends before the picture does.
        UnreadableImage: Anything else that is wrong with the bytes.
    """
    import pyvips

    try:
        yield
    except pyvips.Error as exc:
        words = f"{exc} {exc.detail}".lower()
        if any(end in words for end in _ENDS):
            raise TruncatedImage(
                f"{picture.name} ends before the picture does: the file was cut off. Copy it again from its source.",
                file=picture.name,
            ) from exc
        raise UnreadableImage(
            f"{picture.name} is damaged: its pixels cannot be decoded. "
            "Copy it again from its source or save it again in an image editor.",
            file=picture.name,
        ) from exc


def _room_bytes() -> int:
    """Return how much address space this process may still take."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return _ROOM_BYTES
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return limit - pages * resource.getpagesize()


def _opened(path: Path, picture: Picture) -> pyvips.Image:
    import pyvips

    _keep_nothing(pyvips)
    load: Any = getattr(pyvips.Image, f"{picture.kind}load")
    image: pyvips.Image = load(str(path), access="sequential", fail_on="error")
    if sorted((image.width, image.height)) != sorted(picture.image.size):
        raise UnreadableImage(
            f"{picture.name} says two different sizes of itself. Save it again in an image editor.",
            file=picture.name,
        )
    return image


def _keep_nothing(pyvips: Any) -> None:
    """Drop libvips' cache of results: no picture is asked for twice."""
    pyvips.cache_set_max(0)
    pyvips.cache_set_max_mem(0)
    pyvips.cache_set_max_files(0)


def _colours(image: pyvips.Image) -> pyvips.Image:
    """Drop alpha and what else goes beyond grey or three colours."""
    wanted = 3 if image.bands >= 3 else 1
    return image if image.bands == wanted else image.extract_band(0, n=wanted)


def _range(image: pyvips.Image) -> tuple[float, float]:
    stats = image.stats()
    return stats(0, 0)[0], stats(1, 0)[0]
