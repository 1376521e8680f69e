"""The tiles of a very large picture: how they are numbered, and the one file they lie in.

Level 0 is one tile; each level has twice as many pixels a side as the one before, and the last is
the picture itself. The sides of a level are rounded up, so that no edge is lost. A tile is
named by level, column and row, and holds `TILE` pixels a side, fewer at the right and the bottom.

A pyramid is one file, so that 200 megapixels are not 1,000 files to make, count and delete::

    magic, width, height, overview width, overview height   `_HEAD`
    where each part begins, and where the last one ends      uint64 each
    the overview, then the tiles by level, row and column    JPEG each

Whoever serves a tile reads two numbers and that many bytes; nothing is held in memory.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import msgspec

from appliance.errors import NotFound

__all__ = ["OVERVIEW_SIDE", "TILE", "TILED_SIDE", "Pack", "Pyramid", "is_tiled", "write"]

TILED_SIDE = 8192
"""Pixels a side beyond which a picture is shown by tiles: what canvases of common tablets hold."""

TILE = 512
OVERVIEW_SIDE = 2048
"""Most pixels a side of the overview, which lies under the tiles that are still to come."""

_MAGIC = b"PQTILES1"
_HEAD = struct.Struct("<8sIIII")
_PLACE = struct.Struct("<Q")
_SPAN = struct.Struct("<QQ")


def is_tiled(width: int, height: int) -> bool:
    """Tell whether a picture of so many pixels is shown by tiles."""
    return max(width, height) > TILED_SIDE


class Pyramid(msgspec.Struct, frozen=True):
    """The levels of a picture of ``width × height`` upright pixels."""

    width: int
    height: int

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return (-(-max(self.width, self.height) // TILE) - 1).bit_length() + 1

    def size(self, level: int) -> tuple[int, int]:
        """Return ``(width, height)`` of a level in pixels."""
        shift = self.levels - 1 - level
        return -(-self.width >> shift), -(-self.height >> shift)

    def grid(self, level: int) -> tuple[int, int]:
        """Return how many columns and rows of tiles a level has."""
        width, height = self.size(level)
        return -(-width // TILE), -(-height // TILE)

    @property
    def overview_level(self) -> int:
        """The coarsest level that has the pixels of the overview."""
        return next((n for n in range(self.levels) if max(self.size(n)) >= OVERVIEW_SIDE), self.levels - 1)

    @property
    def tiles(self) -> int:
        """How many tiles all levels have together."""
        return self._before(self.levels)

    def number(self, level: int, column: int, row: int) -> int:
        """Return a tile's place in the order of the file, from 0.

        Raises:
            NotFound: The pyramid has no such tile.
        """
        if 0 <= level < self.levels:
            columns, rows = self.grid(level)
            if 0 <= column < columns and 0 <= row < rows:
                return self._before(level) + row * columns + column
        raise NotFound(f"the picture has no tile {level}/{column}/{row}")

    def _before(self, level: int) -> int:
        return sum(columns * rows for columns, rows in map(self.grid, range(level)))


def write(path: Path, pyramid: Pyramid, overview: tuple[int, int, bytes], tiles: Iterable[bytes]) -> None:
    """Write a pyramid's file and sync it: a torn one would show holes for as long as it is kept.

    Args:
        path: Where it goes; written in place.
        pyramid: Its numbers.
        overview: Width, height and JPEG.
        tiles: One JPEG each, in the order of `Pyramid.number`.
    """
    width, height, picture = overview
    at = _HEAD.size + _PLACE.size * (pyramid.tiles + 2)
    places = [at]
    with path.open("wb") as file:
        file.seek(at)
        for part in chain([picture], tiles):
            file.write(part)
            places.append(places[-1] + len(part))
        if len(places) != pyramid.tiles + 2:
            raise ValueError(f"the pyramid wants {pyramid.tiles} tiles, got {len(places) - 2}")
        file.seek(0)
        file.write(_HEAD.pack(_MAGIC, pyramid.width, pyramid.height, width, height))
        file.write(struct.pack(f"<{len(places)}Q", *places))
        file.flush()
        os.fsync(file.fileno())


class Pack:
    """A pyramid's file, open for reading; use it as a context manager, or call `close`.

    Attributes:
        pyramid: Its numbers.
        overview_size: ``(width, height)`` of the overview.

    Args:
        path: What `write` made.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is none, or not whole.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb", buffering=0)
        try:
            head = self._file.read(_HEAD.size)
            if len(head) < _HEAD.size or not head.startswith(_MAGIC):
                raise ValueError(f"{path} holds no tiles")
            _, width, height, *overview = _HEAD.unpack(head)
            self.pyramid = Pyramid(width, height)
            self.overview_size = (overview[0], overview[1])
            if self._span(self.pyramid.tiles)[1] != os.fstat(self._file.fileno()).st_size:
                raise ValueError(f"{path} is not whole")
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Pack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def overview(self) -> bytes:
        """Return the overview's JPEG."""
        return self._part(0)

    def tile(self, level: int, column: int, row: int) -> bytes:
        """Return a tile's JPEG.

        Raises:
            NotFound: The pyramid has no such tile.
        """
        return self._part(1 + self.pyramid.number(level, column, row))

    def _part(self, number: int) -> bytes:
        first, end = self._span(number)
        return os.pread(self._file.fileno(), end - first, first)

    def _span(self, number: int) -> tuple[int, int]:
        raw = os.pread(self._file.fileno(), _SPAN.size, _HEAD.size + _PLACE.size * number)
        if len(raw) < _SPAN.size:
            raise ValueError("the tiles' file is not whole")
        first, end = _SPAN.unpack(raw)
        return first, end
