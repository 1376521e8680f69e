"""How tiles are numbered, and the file they lie in."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import NotFound
from appliance.pyramid import OVERVIEW_SIDE, TILE, TILED_SIDE, Pack, Pyramid, is_tiled, write

SIZES = [(1, 1), (512, 512), (513, 512), (1024, 1), (8193, 40), (20_000, 10_000), (65_500, 6_000)]


@pytest.mark.parametrize("size", SIZES)
def test_level_0_is_one_tile_and_the_last_is_the_picture(size: tuple[int, int]) -> None:
    pyramid = Pyramid(*size)
    assert pyramid.grid(0) == (1, 1)
    assert pyramid.size(pyramid.levels - 1) == size
    for level in range(pyramid.levels - 1):
        (width, height), (finer_width, finer_height) = pyramid.size(level), pyramid.size(level + 1)
        assert (width, height) == ((finer_width + 1) // 2, (finer_height + 1) // 2)
        assert max(finer_width, finer_height) > TILE


@pytest.mark.parametrize("size", SIZES)
def test_every_tile_has_a_number_of_its_own(size: tuple[int, int]) -> None:
    pyramid = Pyramid(*size)
    numbers = [
        pyramid.number(level, column, row)
        for level in range(pyramid.levels)
        for row in range(pyramid.grid(level)[1])
        for column in range(pyramid.grid(level)[0])
    ]
    assert numbers == list(range(pyramid.tiles))


@pytest.mark.parametrize("place", [(7, 0, 0), (6, 40, 0), (6, 0, 20), (0, 1, 0)])
def test_what_lies_outside_is_not_found(place: tuple[int, int, int]) -> None:
    with pytest.raises(NotFound, match=f"{place[0]}/{place[1]}/{place[2]}"):
        Pyramid(20_000, 10_000).number(*place)


def test_the_overview_comes_from_a_level_that_has_its_pixels() -> None:
    pyramid = Pyramid(20_000, 10_000)
    assert pyramid.size(pyramid.overview_level) == (2500, 1250)
    assert Pyramid(600, 400).overview_level == 1
    assert OVERVIEW_SIDE < TILED_SIDE


def test_pictures_are_tiled_beyond_the_limit_only() -> None:
    assert not is_tiled(TILED_SIDE, TILED_SIDE)
    assert is_tiled(10, TILED_SIDE + 1)


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "a.tiles"
    pyramid = Pyramid(1300, 600)
    write(path, pyramid, (130, 60, b"overview"), (f"tile {n}".encode() * (n + 1) for n in range(pyramid.tiles)))
    return path


def test_a_tile_comes_back_as_it_was_written(packed: Path) -> None:
    with Pack(packed) as pack:
        assert (pack.pyramid, pack.overview_size) == (Pyramid(1300, 600), (130, 60))
        assert pack.overview() == b"overview"
        last = pack.pyramid.tiles - 1
        assert pack.tile(0, 0, 0) == b"tile 0"
        assert pack.tile(2, 2, 1) == f"tile {last}".encode() * (last + 1)


@pytest.mark.parametrize("kept", [0, 10, 60, 200, -1])
def test_a_file_that_is_not_whole_is_refused(packed: Path, kept: int) -> None:
    packed.write_bytes(packed.read_bytes()[:kept])
    with pytest.raises(ValueError, match="tiles"):
        Pack(packed)


def test_too_few_tiles_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wants 9 tiles, got 1"):
        write(tmp_path / "a.tiles", Pyramid(1300, 600), (130, 60, b"overview"), [b"one"])
