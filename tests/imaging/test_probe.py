"""What a probe says, what a thumbnail is, and that Chromium agrees about renditions."""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from appliance.errors import PixelQueueError
from appliance.imaging.decode import decode_bgr
from appliance.imaging.probe import admit, probe
from appliance.imaging.thumbnails import SIDE
from appliance.records import Probe
from tests._pictures import FORMATS, corners_of, encode, encode_turned, scene


def probed(data: bytes, kind: str, folder: Path) -> Probe:
    path = folder / f"picture.{kind}"
    path.write_bytes(data)
    return probe(path)


@pytest.mark.parametrize("kind", FORMATS)
def test_probe_tells_format_and_size(kind: str, tmp_path: Path) -> None:
    found = probed(encode(scene(), kind), kind, tmp_path)
    assert (found.format, found.width, found.height, found.orientation) == (kind, 96, 64, 1)
    assert found.needs_rendition == (kind in ("tiff", "bmp", "heic"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif", "heic"])
@pytest.mark.parametrize("source", ["exif", "xmp"])
def test_probe_size_is_that_of_the_decoded_pixels(kind: str, orientation: int, source: str, tmp_path: Path) -> None:
    data = encode_turned(scene(), kind, orientation, source)
    found = probed(data, kind, tmp_path)
    assert decode_bgr(data).shape[:2] == (found.height, found.width)
    if source == "exif" or kind not in ("avif", "heic"):
        assert (found.width, found.height) == (96, 64)
        assert found.orientation == (1 if kind == "heic" else orientation)


def test_probe_names_what_is_lost(tmp_path: Path) -> None:
    palette = encode(Image.fromarray(scene()).quantize(8), "png", transparency=bytes([0, 9]))
    assert probed(palette, "png", tmp_path).notes == ["Transparency is dropped."]
    deep = encode(Image.fromarray(np.zeros((4, 4), np.uint16)), "png")
    found = probed(deep, "png", tmp_path)
    assert found.needs_rendition
    assert found.notes == ["16 bits per channel are reduced to 8."]
    cmyk = probed(encode(Image.fromarray(scene()).convert("CMYK"), "jpeg"), "jpeg", tmp_path)
    assert (cmyk.mode, cmyk.needs_rendition) == ("CMYK", True)
    out = io.BytesIO()
    Image.fromarray(scene()).save(out, "GIF", save_all=True, append_images=[Image.new("RGB", (96, 64))])
    moving = probed(out.getvalue(), "gif", tmp_path)
    assert (moving.frames, moving.needs_rendition) == (2, True)


@pytest.mark.parametrize("kind", FORMATS)
def test_thumbnail_is_small_upright_and_always_the_same(kind: str, tmp_path: Path) -> None:
    path, first, second = tmp_path / f"picture.{kind}", tmp_path / "1.jpg", tmp_path / "2.jpg"
    orientation = 6 if kind not in ("bmp", "gif") else 1
    picture = scene(1000, 601)
    path.write_bytes(encode(picture, kind) if orientation == 1 else encode_turned(picture, kind, orientation))
    found = admit(path, first)
    assert found == admit(path, second) == probe(path)
    assert first.read_bytes() == second.read_bytes()
    small = decode_bgr(first.read_bytes())
    assert small.shape[1] == SIDE
    assert abs(small.shape[0] - 192) <= 1
    assert corners_of(small[..., ::-1]) == [0, 1, 2, 3]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (5, 3), (319, 320), (12_000, 2), (3, 9000), (427, 640)])
def test_thumbnail_keeps_the_shape_and_never_enlarges(width: int, height: int, tmp_path: Path) -> None:
    for kind in ("jpeg", "png"):
        path, out = tmp_path / f"picture.{kind}", tmp_path / "small.jpg"
        path.write_bytes(encode(scene(width, height), kind))
        admit(path, out)
        small_height, small_width, _ = decode_bgr(out.read_bytes()).shape
        assert max(small_width, small_height) == min(SIDE, max(width, height))
        scale = min(1.0, SIDE / max(width, height))
        assert abs(small_width - max(1, width * scale)) <= 1
        assert abs(small_height - max(1, height * scale)) <= 1


def test_thumbnail_carries_no_metadata(tmp_path: Path) -> None:
    path, out = tmp_path / "picture.jpg", tmp_path / "small.jpg"
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    path.write_bytes(encode(scene(), "jpeg", exif=exif.tobytes(), comment=b"a remark"))
    admit(path, out)
    assert b"where it was taken" not in out.read_bytes()
    assert b"a remark" not in out.read_bytes()


def test_refused_picture_leaves_no_thumbnail(tmp_path: Path) -> None:
    path, out = tmp_path / "picture.jpg", tmp_path / "small.jpg"
    path.write_bytes(encode(scene(), "jpeg")[:-60])
    with pytest.raises(PixelQueueError):
        admit(path, out)
    assert not out.exists()


SHOW = """async url => {
  const image = new Image(); image.src = url;
  try { await image.decode() } catch { return null }
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d"); context.drawImage(image, 0, 0);
  return [canvas.width, canvas.height, Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data)];
}"""


@pytest.mark.browser
def test_chromium_shows_upright_whatever_needs_no_rendition(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    cases = [(kind, source) for kind in ("jpeg", "png", "webp", "avif", "tiff", "heic") for source in ("exif", "xmp")]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        for kind, source in cases:
            data = encode_turned(scene(), kind, 6, source)
            found = probed(data, kind, tmp_path)
            url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
            shown = page.evaluate(SHOW, url)
            if shown is None:
                assert found.needs_rendition, (kind, source)
                continue
            width, height, values = shown
            seen = np.array(values, np.uint8).reshape(height, width, 4)[..., :3]
            same = corners_of(seen) == corners_of(decode_bgr(data)[..., ::-1])
            assert same != found.needs_rendition, (kind, source)
        browser.close()
