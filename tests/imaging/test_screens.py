"""The copy that shows a large picture first: its size, its colours, which way is up, and who has one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from appliance.imaging.probe import admit
from appliance.screens import SCREEN_SIDE, has_screen
from tests._pictures import corners_of, encode, encode_turned, scene

LARGE = (2_600, 1_800)


@pytest.mark.parametrize(
    ("size", "has"),
    [
        ((640, 480), False),
        ((2_000, 1_999), False),
        ((2_040, 2_040), False),
        ((4_000, 3_000), True),
        ((3_000, 4_000), True),
        ((8_000, 6_000), True),
        ((8_000, 7_000), False),
        ((9_000, 1_000), False),
    ],
)
def test_pictures_that_take_long_to_decode_have_one(size: tuple[int, int], has: bool) -> None:
    assert has_screen(*size) is has


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_it_shows_what_the_picture_shows_the_right_way_up(kind: str, tmp_path: Path) -> None:
    path, screen = tmp_path / f"a.{kind}", tmp_path / "screen.jpg"
    path.write_bytes(encode_turned(scene(*LARGE), kind, 6))
    found = admit(path, tmp_path / "small.jpg", screen_path=screen)
    assert (found.width, found.height) == LARGE
    with Image.open(screen) as shown:
        assert shown.size == ((1_300, 900) if kind == "jpeg" else (SCREEN_SIDE, 1_418))
        assert corners_of(np.asarray(shown.convert("RGB"))) == [0, 1, 2, 3]
    admit(path, tmp_path / "alone.jpg")
    assert (tmp_path / "alone.jpg").read_bytes() == (tmp_path / "small.jpg").read_bytes()


def test_it_keeps_the_profile_by_which_a_browser_shows_the_picture(tmp_path: Path) -> None:
    path, screen = tmp_path / "a.jpg", tmp_path / "screen.jpg"
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path.write_bytes(encode(scene(*LARGE), "jpeg", icc_profile=profile))
    admit(path, tmp_path / "small.jpg", screen_path=screen)
    with Image.open(screen) as shown:
        assert shown.info["icc_profile"] == profile


def test_a_small_picture_has_none(tmp_path: Path) -> None:
    path, screen = tmp_path / "a.jpg", tmp_path / "screen.jpg"
    path.write_bytes(encode(scene(640, 480), "jpeg"))
    admit(path, tmp_path / "small.jpg", screen_path=screen)
    assert not screen.exists()
