"""Decoding: OpenCV's bits where they matter, upright everywhere, one rule for the rest."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from appliance.errors import ImageTooLarge, NotFound, UnreadableImage
from appliance.imaging.decode import decode_bgr
from tests._pictures import FORMATS, corners_of, encode, encode_turned, scene
from tests._shared import shared

TURNED = ("jpeg", "png", "webp", "tiff", "avif", "heic")


def rgb_of(data: bytes) -> np.ndarray:
    return decode_bgr(data)[..., ::-1]


def test_photographs_have_the_bits_of_opencv() -> None:
    paths = sorted(shared("data/coco128").glob("images/**/*.jpg"))
    assert len(paths) == 128
    for path in paths:
        assert np.array_equal(decode_bgr(path), cv2.imread(str(path))), path.name


# The largest ones are left out for time. OpenCV does not turn WebP, AVIF and ImageMagick's PNG, cannot
# read HEIC, and converts CMYK, Lab and GIF transparency its own way.
OTHERWISE = (
    "pillow_exif_imagemagick_orientation.png", "pillow_hopper_orientation_6.webp", "pillow_rot1mir0.avif",
    "libheif_example.heic", "sharp_Channel_digital_image_CMYK_color.jpg", "pillow_tiff_strip_cmyk_jpeg.tif",
    "pillow_hopper.Lab.tif", "sharp_grey-plus-alpha.gif", "sharp_giant-image.jpg", "really_jpeg.png",
    "bomb_13300x13300_gray.png",
)  # fmt: skip


def test_odd_pictures_have_the_bits_of_opencv() -> None:
    compared = 0
    for path in sorted(shared("data/odd").glob("*/*")):
        if path.name in OTHERWISE:
            continue
        try:
            ours = decode_bgr(path)
        except UnreadableImage:
            continue
        assert np.array_equal(ours, cv2.imread(str(path))), path.name
        compared += 1
    assert compared == 40


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_decodes(kind: str) -> None:
    pixels = rgb_of(encode(scene(), kind))
    assert pixels.shape == (64, 96, 3)
    assert pixels.dtype == np.uint8
    assert corners_of(pixels) == [0, 1, 2, 3]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", TURNED)
def test_orientation_is_applied_exactly_once(kind: str, orientation: int) -> None:
    pixels = rgb_of(encode_turned(scene(), kind, orientation))
    assert pixels.shape == (64, 96, 3)
    assert corners_of(pixels) == [0, 1, 2, 3]


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_orientation_told_by_xmp_alone_counts(kind: str, orientation: int) -> None:
    pixels = rgb_of(encode_turned(scene(), kind, orientation, "xmp"))
    assert corners_of(pixels) == [0, 1, 2, 3]


def test_orientation_in_exif_beats_xmp() -> None:
    exif = Image.Exif()
    exif[274] = 1
    packet = b'<rdf:Description tiff:Orientation="6"/>'
    data = encode(scene(), "jpeg", exif=exif.tobytes(), xmp=packet)
    assert corners_of(rgb_of(data)) == [0, 1, 2, 3]


def test_xmp_does_not_turn_an_avif() -> None:
    data = encode(scene(), "avif", xmp=b'<rdf:Description tiff:Orientation="6"/>')
    assert corners_of(rgb_of(data)) == [0, 1, 2, 3]


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_senseless_orientation_counts_as_one(value: int) -> None:
    exif = Image.Exif()
    exif[274] = value
    assert corners_of(rgb_of(encode(scene(), "jpeg", exif=exif.tobytes()))) == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bit_grey_keeps_its_high_byte(kind: str) -> None:
    values = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)
    pixels = decode_bgr(encode(Image.fromarray(values), kind))
    assert np.array_equal(pixels, np.repeat((values >> 8).astype(np.uint8)[..., None], 3, axis=2))


@pytest.mark.parametrize("extension", [".png", ".tiff"])
def test_sixteen_bit_colour_keeps_its_high_byte(extension: str) -> None:
    values = (np.arange(40 * 30 * 3) * 17 % 65536).astype(np.uint16).reshape(30, 40, 3)
    data = cv2.imencode(extension, values)[1].tobytes()
    assert np.array_equal(decode_bgr(data), (values >> 8).astype(np.uint8))


def test_float_tiff_is_stretched_and_what_is_not_finite_is_black() -> None:
    values = np.array([[0.0, 0.5], [1.0, np.nan]], np.float32)
    assert decode_bgr(encode(Image.fromarray(values), "tiff"))[..., 0].tolist() == [[0, 128], [255, 0]]


def test_cmyk_without_profile_keeps_its_colours() -> None:
    pixels = rgb_of(encode(Image.fromarray(scene()).convert("CMYK"), "jpeg"))
    assert corners_of(pixels) == [0, 1, 2, 3]


def test_cmyk_with_a_broken_profile_decodes_like_one_without() -> None:
    image = Image.fromarray(scene()).convert("CMYK")
    broken = encode(image, "jpeg", icc_profile=b"no profile at all" * 20)
    assert np.array_equal(decode_bgr(broken), decode_bgr(encode(image, "jpeg")))


def test_cmyk_profile_is_used() -> None:
    path = shared("data/odd") / "jpeg/sharp_Channel_digital_image_CMYK_color.jpg"
    plain = np.asarray(Image.open(path).convert("RGB"))[..., ::-1]
    assert np.abs(decode_bgr(path).astype(int) - plain).mean() > 3


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_alpha_is_dropped_not_blended(kind: str) -> None:
    image = Image.fromarray(scene()).convert("RGBA")
    image.putalpha(0)
    options = {"lossless": True, "exact": True} if kind == "webp" else {}
    assert np.array_equal(rgb_of(encode(image, kind, **options)), scene())


def test_palette_with_transparency_keeps_its_colours() -> None:
    image = Image.fromarray(scene()).quantize(8)
    data = encode(image, "png", transparency=bytes([0, 128, 255]))
    assert np.array_equal(rgb_of(data), np.asarray(image.convert("RGB")))


def test_bilevel_and_grey_become_three_equal_channels() -> None:
    image = Image.fromarray(scene()).convert("1")
    pixels = decode_bgr(encode(image, "tiff"))
    assert set(np.unique(pixels)) <= {0, 255}
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_animation_gives_its_first_frame() -> None:
    frames = [Image.fromarray(scene()), Image.new("RGB", (96, 64))]
    for kind in ("gif", "webp", "png", "avif"):
        out = io.BytesIO()
        frames[0].save(out, kind.upper(), save_all=True, append_images=frames[1:])
        assert corners_of(rgb_of(out.getvalue())) == [0, 1, 2, 3], kind


def test_name_with_another_extension_is_refused_only_when_a_name_is_given(tmp_path: Path) -> None:
    data = encode(scene(), "jpeg")
    blob = tmp_path / "0f3a.png"
    blob.write_bytes(data)
    assert np.array_equal(decode_bgr(blob), decode_bgr(data))
    with pytest.raises(UnreadableImage, match=r"0f3a\.png is a JPEG picture"):
        decode_bgr(blob, name=blob.name)


def test_cap_on_pixels_is_inclusive() -> None:
    data = encode(scene(), "png")
    assert decode_bgr(data, max_pixels=96 * 64).shape == (64, 96, 3)
    with pytest.raises(ImageTooLarge):
        decode_bgr(data, max_pixels=96 * 64 - 1)


def test_missing_and_empty_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.jpg"):
        decode_bgr(tmp_path / "gone.jpg", name="gone.jpg")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(UnreadableImage, match=r"empty\.jpg is empty"):
        decode_bgr(tmp_path / "empty.jpg", name="empty.jpg")
