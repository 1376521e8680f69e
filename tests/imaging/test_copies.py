"""Renditions for browsers and upright copies for exports."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from appliance.imaging.decode import decode_bgr
from appliance.imaging.probe import probe
from appliance.imaging.rendition import render
from appliance.imaging.upright import needs_upright, upright_copy
from tests._pictures import FORMATS, corners_of, encode, encode_turned, scene, stored_for, xmp
from tests._shared import shared

LOSSLESS = ("png", "tiff")


def rendered(data: bytes, kind: str, folder: Path) -> np.ndarray:
    path, out = folder / f"in.{kind}", folder / "out.jpg"
    path.write_bytes(data)
    size = render(path, out, name=path.name)
    image = Image.open(out)
    assert image.format == "JPEG"
    assert image.size == size
    assert not image.getexif()
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("kind", FORMATS)
def test_rendition_is_an_upright_jpeg_of_full_size(kind: str, tmp_path: Path) -> None:
    turned = kind not in ("bmp", "gif")
    data = encode_turned(scene(), kind, 7) if turned else encode(scene(), kind)
    pixels = rendered(data, kind, tmp_path)
    assert pixels.shape == (64, 96, 3)
    assert corners_of(pixels) == [0, 1, 2, 3]


def test_rendition_of_cmyk_shows_its_colours(tmp_path: Path) -> None:
    data = encode(Image.fromarray(scene()).convert("CMYK"), "jpeg")
    assert corners_of(rendered(data, "jpeg", tmp_path)) == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_rendition_stretches_sixteen_bit_grey_over_its_range(kind: str, tmp_path: Path) -> None:
    values = np.linspace(200, 1223, 64 * 64).astype(np.uint16).reshape(64, 64)  # a 10-bit camera
    grey = rendered(encode(Image.fromarray(values), kind), kind, tmp_path)[..., 0]
    assert grey[0, 0] <= 3
    assert grey[-1, -1] >= 252
    assert abs(int(grey[32, 0]) - 127) <= 4


def test_rendition_of_a_constant_sixteen_bit_picture_is_black_or_white(tmp_path: Path) -> None:
    for value, expected in ((0, 0), (300, 255)):
        values = np.full((8, 8), value, np.uint16)
        pixels = rendered(encode(Image.fromarray(values), "png"), "png", tmp_path)
        assert np.unique(pixels).tolist() == [expected]


def test_rendition_keeps_the_profile_of_rgb_and_drops_that_of_cmyk(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = tmp_path / "out.jpg"
    for mode, kept in (("RGB", profile), ("CMYK", None)):
        path = tmp_path / "in.tiff"
        path.write_bytes(encode(Image.fromarray(scene()).convert(mode), "tiff", icc_profile=profile))
        render(path, out, name=path.name)
        assert Image.open(out).info.get("icc_profile") == kept


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
def test_upright_copy_has_the_pixels_of_the_decoder(kind: str, orientation: int, tmp_path: Path) -> None:
    path, out = tmp_path / f"in.{kind}", tmp_path / "out"
    picture = cv2.resize(cv2.GaussianBlur(scene(), (9, 9), 3), (97, 61))
    path.write_bytes(encode_turned(picture, kind, orientation))
    extension = upright_copy(path, out, name=path.name)
    assert extension == {"jpeg": ".jpg", "avif": ".jpg", "tiff": ".tif"}.get(kind, f".{kind}")
    copy = tmp_path / f"copy{extension}"
    copy.write_bytes(out.read_bytes())
    expected, stored = decode_bgr(path), cv2.imread(str(copy), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert stored.shape == expected.shape == (61, 97, 3)
    difference = np.abs(stored.astype(int) - expected)
    assert difference.max() == 0 if kind in LOSSLESS else difference.mean() < 2
    assert probe(copy).orientation == 1
    assert Image.open(copy).getexif().get(274, 1) == 1


@pytest.mark.parametrize("name", ["Landscape_2", "Landscape_4", "Landscape_6", "Landscape_8"])
def test_upright_copies_of_photographs_match(name: str, tmp_path: Path) -> None:
    path, out = shared("data/odd") / f"exif/{name}.jpg", tmp_path / "copy.jpg"
    assert upright_copy(path, out, name=path.name) == ".jpg"
    expected, stored = decode_bgr(path), cv2.imread(str(out), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert stored.shape == expected.shape
    assert np.abs(stored.astype(int) - expected).mean() < 1.5


def test_upright_copy_is_the_same_every_time(tmp_path: Path) -> None:
    for kind in ("jpeg", "png", "webp", "tiff", "avif", "heic"):
        path, first, second = tmp_path / f"in.{kind}", tmp_path / "1", tmp_path / "2"
        path.write_bytes(encode_turned(scene(), kind, 5))
        upright_copy(path, first, name=path.name)
        upright_copy(path, second, name=path.name)
        assert first.read_bytes() == second.read_bytes(), kind


@pytest.mark.parametrize("kind", FORMATS)
def test_upright_original_is_left_alone_but_for_heic(kind: str, tmp_path: Path) -> None:
    path, out = tmp_path / f"in.{kind}", tmp_path / "out"
    path.write_bytes(encode(scene(), kind))
    extension = upright_copy(path, out, name=path.name)
    assert extension == (".jpg" if kind == "heic" else None)
    assert out.exists() == (kind == "heic") == needs_upright(kind, 1)


def test_upright_copy_of_lossless_webp_stays_lossless(tmp_path: Path) -> None:
    path, out = tmp_path / "in.webp", tmp_path / "out.webp"
    noise = np.random.default_rng(3).integers(0, 256, (31, 47, 3), np.uint8)
    exif = Image.Exif()
    exif[274] = 6
    path.write_bytes(encode(stored_for(noise, 6), "webp", lossless=True, exif=exif.tobytes()))
    assert upright_copy(path, out, name=path.name) == ".webp"
    assert np.array_equal(np.asarray(Image.open(out)), noise)


def test_upright_copy_keeps_sixteen_bits(tmp_path: Path) -> None:
    values = np.random.default_rng(4).integers(0, 65536, (20, 30), np.uint16)
    exif = Image.Exif()
    exif[274] = 6
    path, out = tmp_path / "in.png", tmp_path / "out.png"
    path.write_bytes(encode(Image.fromarray(values), "png", exif=exif.tobytes()))
    assert upright_copy(path, out, name=path.name) == ".png"
    assert np.array_equal(np.asarray(Image.open(out)), np.rot90(values, -1))
    path, out = tmp_path / "in.tif", tmp_path / "out.tif"
    for tags in ({274: 6}, {700: xmp(6)}):
        path.write_bytes(encode(Image.fromarray(values), "tiff", tiffinfo=tags))
        assert upright_copy(path, out, name=path.name) == ".tif"
        assert np.array_equal(np.asarray(Image.open(out)), np.rot90(values, -1))


def test_upright_copy_keeps_profile_palette_and_transparency(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[274] = 3
    path, out = tmp_path / "in.png", tmp_path / "out.png"
    image = Image.fromarray(scene()).quantize(8)
    path.write_bytes(encode(image, "png", exif=exif.tobytes(), icc_profile=profile, transparency=bytes([0, 40])))
    upright_copy(path, out, name=path.name)
    copy = Image.open(out)
    assert copy.mode == "P"
    assert copy.info["icc_profile"] == profile
    assert np.array_equal(np.asarray(copy.convert("RGBA")), np.asarray(Image.open(path).convert("RGBA"))[::-1, ::-1])


def test_upright_copy_carries_no_private_metadata(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 8
    exif[0x010E] = "where it was taken"
    path, out = tmp_path / "in.jpg", tmp_path / "out.jpg"
    path.write_bytes(encode(scene(), "jpeg", exif=exif.tobytes()))
    upright_copy(path, out, name=path.name)
    assert b"where it was taken" not in out.read_bytes()


def test_turned_heic_becomes_an_upright_jpeg(tmp_path: Path) -> None:
    path, out = tmp_path / "in.heic", tmp_path / "out.jpg"
    path.write_bytes(encode_turned(scene(), "heic", 6))
    assert upright_copy(path, out, name=path.name) == ".jpg"
    assert corners_of(np.asarray(Image.open(io.BytesIO(out.read_bytes())))) == [0, 1, 2, 3]
