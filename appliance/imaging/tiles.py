"""The tile pyramid of a picture: upright, sRGB, JPEG, in one pass and little memory.

A picture that libvips cannot stream is decoded whole, as its rendition would be; one that is turned
by more than a mirror goes through a file of raw pixels, since its last row comes first.
"""

from __future__ import annotations

import mmap
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import pyramid
from appliance.imaging import limits, streamed
from appliance.imaging.picture import Picture, open_picture
from appliance.imaging.rendition import rendition_of
from appliance.pyramid import Pyramid

if TYPE_CHECKING:
    import pyvips

__all__ = ["QUALITY", "make"]

QUALITY = 90
_TELL_EVERY_PERCENT = 2
_NAME = "t"

_TURNS = {
    2: ("fliphor",),
    3: ("rot180",),
    4: ("flipver",),
    5: ("rot90", "fliphor"),
    6: ("rot90",),
    7: ("rot270", "fliphor"),
    8: ("rot270",),
}
"""By EXIF orientation, what makes stored pixels upright. Source: CIPA DC-008 (Exif 2.32), tag 274."""


def make(
    path: Path,
    out: Path,
    work: Path,
    *,
    name: str,
    max_pixels: int = limits.DEFAULT_MAX_PIXELS,
    tell: Callable[[int], None] = lambda _percent: None,
) -> Pyramid:
    """Write the pyramid of a picture file.

    Args:
        path: The file.
        out: Where the pyramid's file goes; written in place, synced.
        work: An empty folder for what is needed on the way: about the pyramid's size, and three
            bytes a pixel for a turned picture. The caller deletes it.
        name: The file as the user named it.
        max_pixels: Most pixels (width × height) it may have.
        tell: Called with the percentage done, now and then.

    Returns:
        Its numbers, with the size of the probe.

    Raises:
        UnreadableImage: As `probe.probe`, with its subclasses.
    """
    picture = open_picture(limits.read_bytes(path, name=name), name=name, max_pixels=max_pixels)
    with streamed.refusals(picture):
        image = _upright(path, picture, work)
        _watch(image, tell)
        archive = work / "tiles.zip"
        image.dzsave(
            str(archive), basename=_NAME, layout="dz", suffix=f".jpg[Q={QUALITY}]", tile_size=pyramid.TILE, overlap=0,
            depth="onetile", container="zip", compression=0, keep="none",
        )  # fmt: skip
        made = Pyramid(image.width, image.height)
        with zipfile.ZipFile(archive) as tiles:
            pyramid.write(out, made, _overview(made, tiles), _in_order(made, tiles))
    return made


def _upright(path: Path, picture: Picture, work: Path) -> pyvips.Image:
    import pyvips

    if not streamed.can_stream(picture):
        pixels = rendition_of(picture)
        bands = len(pixels.getbands())
        flat = pyvips.Image.new_from_memory(pixels.tobytes(), pixels.width, pixels.height, bands, "uchar")
        return streamed.to_srgb(flat.copy(interpretation="srgb" if bands == 3 else "b-w"), picture)
    image = streamed.to_srgb(streamed.eight_bits(path, picture), picture)
    turns = _TURNS.get(picture.orientation.value, ())
    if turns and turns != ("fliphor",):
        image = _on_disk(image, work / "stored.raw")
    for turn in turns:
        image = getattr(image, turn)()
    return image


def _on_disk(image: pyvips.Image, raw: Path) -> pyvips.Image:
    """Write the pixels to a file and map it, so that they can be read in any order."""
    import pyvips

    image.rawsave(str(raw))
    with raw.open("rb") as file:
        pixels = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    stored = pyvips.Image.new_from_memory(pixels, image.width, image.height, image.bands, image.format)
    return stored.copy(interpretation=image.interpretation)


def _watch(image: pyvips.Image, tell: Callable[[int], None]) -> None:
    told = 0

    def progress(_image: object, progress: pyvips.Progress) -> None:
        nonlocal told
        if progress.percent >= told + _TELL_EVERY_PERCENT:
            told = int(progress.percent)
            tell(min(told, 99))

    image.set_progress(True)
    image.signal_connect("eval", progress)


def _in_order(made: Pyramid, tiles: zipfile.ZipFile) -> Iterator[bytes]:
    for level in range(made.levels):
        columns, rows = made.grid(level)
        for row in range(rows):
            for column in range(columns):
                yield _tile(tiles, level, column, row)


def _overview(made: Pyramid, tiles: zipfile.ZipFile) -> tuple[int, int, bytes]:
    """Join the tiles of one level and scale them down to the overview."""
    import pyvips

    level = made.overview_level
    columns, rows = made.grid(level)
    parts = [
        pyvips.Image.jpegload_buffer(_tile(tiles, level, column, row))
        for row in range(rows)
        for column in range(columns)
    ]
    width, height = made.size(level)
    joined = pyvips.Image.arrayjoin(parts, across=columns, hspacing=pyramid.TILE, vspacing=pyramid.TILE)
    whole = joined.crop(0, 0, width, height)
    small = whole.thumbnail_image(pyramid.OVERVIEW_SIDE, height=pyramid.OVERVIEW_SIDE, size="down")
    return small.width, small.height, small.jpegsave_buffer(Q=QUALITY, keep="none")


def _tile(tiles: zipfile.ZipFile, level: int, column: int, row: int) -> bytes:
    return tiles.read(f"{_NAME}_files/{level}/{column}_{row}.jpg")
