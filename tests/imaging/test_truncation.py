"""A file that ends before its picture is refused by every path, never half shown, never a crash."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from appliance.errors import ImageTooLarge, TruncatedImage, UnreadableImage
from appliance.imaging.decode import decode_bgr
from appliance.imaging.limits import MAX_FRAMES_COUNTED
from appliance.imaging.probe import probe
from appliance.imaging.truncation import ends_early, gif_frames, tiff_frames
from tests._pictures import FORMATS, encode, scene

NOISE = np.random.default_rng(5).integers(0, 256, (64, 96, 3), np.uint8)
OPTIONS = {"tiff": [{}, {"compression": "tiff_lzw"}, {"compression": "jpeg"}], "jpeg": [{}, {"progressive": True}]}
CASES = [(kind, options) for kind in FORMATS for options in OPTIONS.get(kind, [{}])]


def both_paths(data: bytes, kind: str, folder: Path) -> tuple[str, str]:
    """Return how probing and decoding end: ``ok`` or an error's code."""
    path = folder / f"picture.{kind}"
    path.write_bytes(data)
    ends = []
    for work in (probe, decode_bgr):
        try:
            work(path, name=path.name)
            ends.append("ok")
        except UnreadableImage as error:
            ends.append(error.code)
    return ends[0], ends[1]


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_every_length_ends_alike_on_both_paths(kind: str, options: dict, tmp_path: Path) -> None:
    data = encode(NOISE, kind, **options)
    lengths = sorted({*range(16), *(len(data) * n // 24 for n in range(1, 24)), len(data) - 9, len(data) - 2})
    for length in lengths:
        ends = both_paths(data[:length], kind, tmp_path)
        assert ends[0] == ends[1], (length, len(data))
        if 64 <= length < len(data) - 2:
            assert ends[0] == "truncated-image", (length, len(data))
        elif length < 3:
            assert ends[0] == "unreadable-image"
    assert both_paths(data, kind, tmp_path) == ("ok", "ok")


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_flipped_bytes_never_crash(kind: str, options: dict, tmp_path: Path) -> None:
    data = encode(scene(), kind, **options)
    dice = random.Random(11)
    for _ in range(40):
        broken = bytearray(data)
        for _ in range(dice.randint(1, 8)):
            broken[dice.randrange(12, min(len(broken), 600))] = dice.randrange(256)
        ends = both_paths(bytes(broken), kind, tmp_path)
        assert set(ends) <= {"ok", "unreadable-image", "truncated-image", "image-too-large", "unsupported-image"}


def test_bytes_after_the_picture_do_no_harm() -> None:
    for kind in ("jpeg", "png", "webp", "gif"):
        data = encode(scene(), kind)
        assert np.array_equal(decode_bgr(data + b"\0trailing" * 9), decode_bgr(data)), kind


def test_end_marker_inside_an_exif_thumbnail_does_not_count() -> None:
    exif = Image.Exif()
    exif[0x010E] = "x\xff\xd9".encode("latin-1")
    data = encode(scene(), "jpeg", exif=exif.tobytes())
    assert not ends_early("jpeg", data)
    with pytest.raises(TruncatedImage, match="was cut off"):
        decode_bgr(data[:-40])


def test_frames_are_counted_without_decoding_and_up_to_a_limit() -> None:
    out = io.BytesIO()
    frames = [Image.new("L", (4, 4), n * 20) for n in range(5)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert gif_frames(out.getvalue()) == 5
    head = encode(frames[0], "gif")
    frame = head[head.index(b"\x2c", 13) : -1]
    assert gif_frames(head[:-1] + frame * 5000 + b"\x3b") == MAX_FRAMES_COUNTED


def test_directories_that_loop_end(tmp_path: Path) -> None:
    out = io.BytesIO()
    pages = [Image.new("L", (4, 4), n) for n in range(3)]
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    assert tiff_frames(out.getvalue()) == 3
    one = bytearray(encode(pages[0], "tiff"))
    first = int.from_bytes(one[4:8], "little")
    entries = int.from_bytes(one[first : first + 2], "little")
    one[first + 2 + entries * 12 :][:4] = one[4:8]
    at = first + 2 + entries * 12
    one[at : at + 4] = first.to_bytes(4, "little")
    assert tiff_frames(bytes(one)) == 1
    assert both_paths(bytes(one), "tiff", tmp_path) == ("ok", "ok")


@pytest.mark.parametrize(
    ("kind", "at", "size"),
    [("png", 16, b"\0\1\0\0\0\1\0\0"), ("bmp", 18, b"\0\0\1\0\0\0\1\0"), ("gif", 6, b"\xff\xff\xff\xff")],
)
def test_sizes_that_lie_are_refused_before_decoding(kind: str, at: int, size: bytes) -> None:
    data = bytearray(encode(scene(), kind))
    data[at : at + len(size)] = size
    if kind == "png":
        import zlib

        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    with pytest.raises(ImageTooLarge):
        decode_bgr(bytes(data))


def test_webp_canvas_is_looked_at_before_it_is_allocated() -> None:
    out = io.BytesIO()
    Image.fromarray(scene()).save(out, "WEBP", save_all=True, append_images=[Image.new("RGB", (96, 64))])
    data = bytearray(out.getvalue())
    data[24:30] = b"\xff\x3f\0\xff\x3f\0"
    with pytest.raises(ImageTooLarge, match="16384 × 16384"):
        decode_bgr(bytes(data), max_pixels=100_000_000)


def test_long_thin_pictures_have_a_longest_side() -> None:
    out = io.BytesIO()
    Image.new("1", (70_000, 1)).save(out, "PNG")
    with pytest.raises(ImageTooLarge, match="65,500"):
        decode_bgr(out.getvalue())


def test_metadata_that_unpacks_hugely_is_bounded() -> None:
    data = encode(scene(), "png", icc_profile=bytes(64 << 20))
    assert len(data) < 1 << 20
    with pytest.raises(UnreadableImage):
        decode_bgr(data)
