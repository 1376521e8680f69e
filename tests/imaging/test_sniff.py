"""Extension and magic have to agree, and the message says what to do."""

from __future__ import annotations

import pytest

from appliance.errors import ImageTooLarge, InvalidInput, UnreadableImage, UnsupportedImage
from appliance.imaging import limits
from appliance.imaging.sniff import FORMATS, sniff
from appliance.imaging.worker import handle
from tests._pictures import encode, scene


@pytest.mark.parametrize("kind", FORMATS)
def test_every_extension_of_a_format_is_accepted_in_any_case(kind: str) -> None:
    data = encode(scene(), kind)
    for extension in FORMATS[kind][1]:
        assert sniff(data, name=f"a{extension}") == sniff(data, name=f"A{extension.upper()}") == kind
    assert sniff(data, name="no extension") == kind


@pytest.mark.parametrize("kind", FORMATS)
def test_every_other_extension_is_refused_with_the_right_name(kind: str) -> None:
    data = encode(scene(), kind)
    for other in set(FORMATS) - {kind}:
        with pytest.raises(UnreadableImage, match=f"Rename it to end in {FORMATS[kind][1][0]}") as caught:
            sniff(data, name=f"holiday{FORMATS[other][1][0]}")
        assert caught.value.details == {"format": kind, "claimed": other}
    with pytest.raises(UnsupportedImage, match=r"\.txt is no extension"):
        sniff(data, name="a.txt")


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn -->\n<SVG/>",
        b"%PDF-1.7",
        b"PK\3\4zip",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"plain text",
        b"\0\0\0\x18ftypmp42\0\0\0\0isommp42",
    ],
)
def test_other_files_are_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedImage):
        sniff(data, name="thing")


def test_svg_is_refused_under_any_name() -> None:
    for name in ("a.svg", "a.png", "a"):
        with pytest.raises(UnsupportedImage, match="Export it as PNG"):
            sniff(b"<svg/>", name=name)
    with pytest.raises(UnsupportedImage, match="SVG"):
        sniff(encode(scene(), "png"), name="a.svg")


def test_bytes_that_are_no_picture_under_a_picture_name_are_unreadable() -> None:
    with pytest.raises(UnreadableImage, match=r"no JPEG picture") as caught:
        sniff(b"hello", name="note.jpg")
    assert caught.value.code == "unreadable-image"


def test_size_is_refused_with_numbers() -> None:
    limits.check_size(20_000, 20_000, max_pixels=limits.DEFAULT_MAX_PIXELS, name="a.png")
    with pytest.raises(ImageTooLarge, match=r"a\.png is 20001 × 20000 pixels \(400 megapixels\)"):
        limits.check_size(20_001, 20_000, max_pixels=limits.DEFAULT_MAX_PIXELS, name="a.png")
    with pytest.raises(UnreadableImage, match="0 × 5"):
        limits.check_size(0, 5, max_pixels=100, name="a.png")


def test_file_too_heavy_is_refused_unread(tmp_path) -> None:
    path = tmp_path / "sparse.tif"
    with path.open("wb") as file:
        file.truncate(limits.MAX_BYTES + 1)
    with pytest.raises(ImageTooLarge, match="MB"):
        limits.read_bytes(path, name=path.name)


def test_worker_refuses_what_it_does_not_know() -> None:
    with pytest.raises(InvalidInput, match="admit, thumbnail, rendition, upright"):
        handle({"do": "format-disk", "path": "x"})
