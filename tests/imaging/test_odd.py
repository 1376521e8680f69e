"""Every odd picture ends as an image or as one stated error, in bounded time and memory."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests._shared import ROOT, shared

LIMIT_BYTES = 3 << 29
DEADLINE_S = 10.0

# What each file ends as: (width, height, orientation, needs_rendition) upright, or an error's code.
EXPECTED: dict[str, tuple[int, int, int, bool] | str] = {
    "exif/Landscape_0.jpg": (1800, 1200, 1, False),
    "exif/Landscape_2.jpg": (1800, 1200, 2, False),
    "exif/Landscape_4.jpg": (1800, 1200, 4, False),
    "exif/Landscape_6.jpg": (1800, 1200, 6, False),
    "exif/Landscape_8.jpg": (1800, 1200, 8, False),
    "exif/Portrait_1.jpg": (1200, 1800, 1, False),
    "exif/Portrait_3.jpg": (1200, 1800, 3, False),
    "exif/Portrait_5.jpg": (1200, 1800, 5, False),
    "exif/Portrait_7.jpg": (1200, 1800, 7, False),
    "exif/pillow_exif_imagemagick_orientation.png": (512, 512, 3, True),
    "exif/pillow_hopper_orientation_6.webp": (128, 128, 6, True),
    "gif/pillow_decompression_bomb.gif": "image-too-large",
    "gif/pillow_no_palette.gif": (1, 1, 1, True),
    "gif/sharp_grey-plus-alpha.gif": (2, 1, 1, False),
    "heif_avif/libheif_example.avif": (800, 533, 1, False),
    "heif_avif/libheif_example.heic": (1280, 854, 1, True),
    "heif_avif/pillow_rot1mir0.avif": (640, 427, 5, False),
    "heif_avif/pillow_star.avifs": (159, 159, 1, True),
    "heif_avif/pillow_xmp_tags_orientation.avif": (326, 268, 1, False),
    "jpeg/pillow_hopper_bad_exif.jpg": (500, 500, 1, False),
    "jpeg/pillow_icc_profile_big.jpg": (425, 250, 1, False),
    "jpeg/pillow_junk_jpeg_header.jpg": (1024, 768, 1, False),
    "jpeg/pillow_orientation_rectangle.jpg": (1, 2, 8, False),
    "jpeg/pillow_sugarshack.mpo": (640, 480, 1, False),
    "jpeg/sharp_Channel_digital_image_CMYK_color.jpg": (500, 333, 1, True),
    "jpeg/sharp_corrupt-header.jpg": "truncated-image",
    "jpeg/sharp_giant-image.jpg": (20000, 14000, 1, False),
    "made/bomb_13300x13300_gray.png": (13300, 13300, 1, False),
    "made/claims_60000x60000_no_data.png": "image-too-large",
    "made/exif6_from_coco.jpg": (478, 640, 6, False),
    "made/gray16_640x480.png": (640, 480, 1, True),
    "made/one_pixel.png": (1, 1, 1, False),
    "made/progressive.jpg": (640, 478, 1, False),
    "made/really_jpeg.png": "unreadable-image",
    "made/script.svg": "unsupported-image",
    "made/tall_3x9000.png": (3, 9000, 1, False),
    "made/thin_12000x2.png": (12000, 2, 1, False),
    "made/truncated_half.jpg": "truncated-image",
    "other/pillow_badwidth.bmp": "image-too-large",
    "other/pillow_hopper.ico": "unsupported-image",
    "other/pillow_shortfile.bmp": "truncated-image",
    "other/sharp_relax.jp2": "unsupported-image",
    "png/pillow_broken.png": "truncated-image",
    "png/pillow_i_trns.png": (64, 64, 1, True),
    "png/pillow_tRNS_null_1x1.png": (1, 1, 1, False),
    "png/sharp_16-bit-grey-alpha.png": (109, 96, 1, True),
    "png/sharp_Flag_of_the_Netherlands-16bit.png": (900, 600, 1, True),
    "png/suite_basi4a16.png": (32, 32, 1, True),
    "png/suite_basn0g16.png": (32, 32, 1, True),
    "png/suite_basn3p01.png": (32, 32, 1, False),
    "png/suite_basn6a16.png": (32, 32, 1, True),
    "png/suite_s01n3p01.png": (1, 1, 1, False),
    "png/suite_tm3n3p02.png": (32, 32, 1, False),
    "png/suite_xcrn0g04.png": "unreadable-image",
    "png/suite_xlfn0g04.png": "unreadable-image",
    "tiff/pillow_16bit.cropped.tif": (64, 64, 1, True),
    "tiff/pillow_hopper.Lab.tif": (128, 128, 1, True),
    "tiff/pillow_hopper_lzw.tif": (128, 128, 1, True),
    "tiff/pillow_oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif": "truncated-image",
    "tiff/pillow_tiff_strip_cmyk_jpeg.tif": (100, 100, 1, True),
    "webp/pillow_hopper.webp": (128, 128, 1, False),
    "webp/sharp_5_webp_a.webp": (300, 300, 1, False),
    "webp/sharp_animated-loop-3.webp": (370, 285, 1, True),
    "webp/sharp_big-height.webp": (13, 169, 1, True),
}

CHILD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from appliance.errors import PixelQueueError
from appliance.imaging.worker import handle
for line in sys.stdin:
    try:
        answer = handle(json.loads(line))
    except PixelQueueError as error:
        answer = {"error": error.as_dict()}
    print(json.dumps(answer), flush=True)
"""


class LimitedChild:
    """A worker under an address-space limit; an answer that is late fails the test."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(self._limit_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        until = time.monotonic() + DEADLINE_S
        ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
        line = self._process.stdout.readline() if ready else ""
        if not line:
            self.close()
            self._start()
            pytest.fail(f"{request}: {'the child died' if ready else f'no answer in {DEADLINE_S} s'}")
        return json.loads(line)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def child():
    limited = LimitedChild(LIMIT_BYTES)
    yield limited
    limited.close()


def test_the_table_names_every_file() -> None:
    root = shared("data/odd")
    assert {str(path.relative_to(root)) for path in root.glob("*/*")} == set(EXPECTED)


@pytest.mark.parametrize("relative", EXPECTED)
def test_odd_file_ends_as_stated(relative: str, child: LimitedChild, tmp_path: Path) -> None:
    path, expected = shared("data/odd") / relative, EXPECTED[relative]
    thumbnail = tmp_path / "thumbnail.jpg"
    answer = child.ask(do="admit", path=str(path), name=path.name, thumbnail=str(thumbnail))
    if isinstance(expected, str):
        error = answer["error"]
        assert error["code"] == expected
        assert error["file"] == path.name
        assert path.name in error["message"]
        assert not thumbnail.exists()
        return
    probe = answer["probe"]
    shown = (probe["width"], probe["height"], probe.get("orientation"), probe.get("needs_rendition"))
    assert shown == expected
    assert 0 < thumbnail.stat().st_size < 60_000


@pytest.mark.parametrize("relative", [name for name, end in EXPECTED.items() if not isinstance(end, str)])
def test_odd_file_is_rendered_and_turned_within_the_limits(
    relative: str, child: LimitedChild, tmp_path: Path
) -> None:
    path = shared("data/odd") / relative
    width, height, orientation, _ = EXPECTED[relative]
    out = tmp_path / "out"
    answer = child.ask(do="rendition", path=str(path), name=path.name, out=str(out))
    assert answer == {"width": width, "height": height, "media_type": "image/jpeg"}
    out.unlink()
    answer = child.ask(do="upright", path=str(path), name=path.name, out=str(out))
    needed = orientation != 1 or path.suffix == ".heic"
    assert (answer["extension"] is not None) == needed == out.exists()


def test_memory_that_does_not_suffice_is_an_error_about_the_picture(tmp_path: Path) -> None:
    path, small = shared("data/odd") / "made/bomb_13300x13300_gray.png", shared("data/odd") / "made/one_pixel.png"
    tight = LimitedChild(1 << 27)  # less than the pixels alone need, whatever libraries the child has loaded
    try:
        for name, code in ((path, "image-too-large"), (small, None), (path, "image-too-large")):
            answer = tight.ask(do="admit", path=str(name), thumbnail=str(tmp_path / "out.jpg"))
            assert answer.get("error", {}).get("code") == code
    finally:
        tight.close()
