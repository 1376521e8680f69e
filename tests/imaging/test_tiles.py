"""Pyramids against renditions: the same pixels, upright, whatever came in; and in little memory."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import pyvips
from PIL import Image, ImageCms

from appliance.errors import TruncatedImage, UnreadableImage
from appliance.imaging import limits, streamed, thumbnails, tiles
from appliance.imaging.limits import Mapped, read_bytes
from appliance.imaging.picture import open_picture
from appliance.imaging.probe import admit
from appliance.imaging.rendition import render
from appliance.jobs._base import child_memory_bytes
from appliance.jobs.children import Child
from appliance.pyramid import TILE, Pack
from appliance.settings import Settings
from tests._pictures import FORMATS, corners_of, encode, encode_turned, scene

WIDTH, HEIGHT = 1300, 600
STREAMED = ("jpeg", "png", "tiff")


def textured(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return ``(height, width, 3)``: four colours in the corners and waves that compress well."""
    y, x = np.mgrid[:height, :width]
    waves = (12 * np.sin(x / 29) + 12 * np.cos(y / 23)).astype(int)[..., None]
    return np.clip(scene(width, height).astype(int) + waves, 0, 255).astype(np.uint8)


def made(data: bytes, name: str, folder: Path) -> Pack:
    path, work = folder / name, folder / "work"
    path.write_bytes(data)
    work.mkdir()
    out = folder / "out.tiles"
    told: list[int] = []
    pyramid = tiles.make(path, out, work, name=name, tell=told.append)
    assert told == sorted(told)
    pack = Pack(out)
    assert pack.pyramid == pyramid
    return pack


def joined(pack: Pack, level: int) -> np.ndarray:
    """Put the tiles of a level together; each is as large as it has to be."""
    width, height = pack.pyramid.size(level)
    whole = Image.new("RGB", (width, height))
    columns, rows = pack.pyramid.grid(level)
    for row in range(rows):
        for column in range(columns):
            with Image.open(io.BytesIO(pack.tile(level, column, row))) as tile:
                assert tile.format == "JPEG"
                assert tile.size == (min(TILE, width - column * TILE), min(TILE, height - row * TILE))
                whole.paste(tile, (column * TILE, row * TILE))
    return np.asarray(whole)


def rendered(data: bytes, name: str, folder: Path) -> np.ndarray:
    path = folder / f"again-{name}"
    path.write_bytes(data)
    render(path, folder / "rendition.jpg", name=name)
    with Image.open(folder / "rendition.jpg") as image:
        return np.asarray(image.convert("RGB"))


def far_apart(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("kind", FORMATS)
def test_the_finest_level_is_the_rendition_and_the_coarser_ones_shrink_it(kind: str, tmp_path: Path) -> None:
    data = encode_turned(textured(), kind, 7) if kind not in ("bmp", "gif") else encode(textured(), kind)
    with made(data, f"a.{kind}", tmp_path) as pack:
        assert (pack.pyramid.width, pack.pyramid.height, pack.pyramid.levels) == (WIDTH, HEIGHT, 3)
        finest = joined(pack, 2)
        assert far_apart(finest, rendered(data, f"a.{kind}", tmp_path)) < 3
        for level in range(3):
            pixels = joined(pack, level)
            assert corners_of(pixels) == [0, 1, 2, 3]
            small = Image.fromarray(finest).resize(pixels.shape[1::-1], Image.Resampling.BOX)
            assert far_apart(pixels, np.asarray(small)) < 4
        with Image.open(io.BytesIO(pack.overview())) as overview:
            assert overview.size == pack.overview_size == (WIDTH, HEIGHT)
            assert corners_of(np.asarray(overview.convert("RGB"))) == [0, 1, 2, 3]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "source"), [("jpeg", "exif"), ("png", "xmp"), ("tiff", "exif"), ("tiff", "xmp")])
def test_every_orientation_is_upright_and_as_large_as_admitted(
    kind: str, source: str, orientation: int, tmp_path: Path
) -> None:
    data = encode_turned(textured(), kind, orientation, source)
    with made(data, f"a.{kind}", tmp_path) as pack:
        assert (pack.pyramid.width, pack.pyramid.height) == (WIDTH, HEIGHT)
        assert corners_of(joined(pack, 2)) == [0, 1, 2, 3]
    found = admit(tmp_path / f"a.{kind}", tmp_path / "thumbnail.jpg")
    assert (found.width, found.height, found.orientation) == (WIDTH, HEIGHT, orientation)


def _grey_16() -> Image.Image:
    ramp = np.linspace(300, 4000, WIDTH).astype(np.uint16)
    return Image.fromarray(np.repeat(ramp[None], HEIGHT, axis=0))


def _with_alpha() -> Image.Image:
    pixels = np.dstack([textured(), np.linspace(0, 255, WIDTH).astype(np.uint8)[None].repeat(HEIGHT, 0)])
    return Image.fromarray(pixels)


MODES: dict[str, Callable[[], Image.Image]] = {
    "grey": lambda: Image.fromarray(textured()).convert("L"),
    "grey-16": _grey_16,
    "alpha": _with_alpha,
    "grey-alpha": lambda: _with_alpha().convert("LA"),
    "palette": lambda: Image.fromarray(textured()).convert("P"),
    "bits": lambda: Image.fromarray(textured()).convert("1"),
}
DITHERED = ("palette", "bits")
"""Their dots cost JPEG more."""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_every_mode_looks_as_its_rendition_does(kind: str, mode: str, tmp_path: Path) -> None:
    data = encode(MODES[mode](), kind)
    assert streamed.can_stream(open_picture(data, name=f"a.{kind}"))
    with made(data, f"a.{kind}", tmp_path) as pack:
        assert far_apart(joined(pack, 2), rendered(data, f"a.{kind}", tmp_path)) < (8 if mode in DITHERED else 3)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_colour_of_16_bits_keeps_its_high_byte(kind: str, tmp_path: Path) -> None:
    deep = pyvips.Image.new_from_array(textured()).cast("ushort") * 256 + 255
    data = deep.copy(interpretation="rgb16").cast("ushort").write_to_buffer(f".{kind}")
    with made(data, f"a.{kind}", tmp_path) as pack:
        assert far_apart(joined(pack, 2), textured()) < 3


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "F", "I"])
def test_what_cannot_be_streamed_is_decoded_whole(mode: str, tmp_path: Path) -> None:
    if mode in ("F", "I"):
        image = Image.fromarray(textured()[..., 0].astype({"F": np.float32, "I": np.int32}[mode]) * 7)
    elif mode == "LAB":
        image = Image.fromarray(textured(), "LAB")
    else:
        image = Image.fromarray(textured()).convert("CMYK")
    data = encode(image, "tiff")
    assert not streamed.can_stream(open_picture(data, name="a.tiff"))
    with made(data, "a.tiff", tmp_path) as pack:
        assert far_apart(joined(pack, 2), rendered(data, "a.tiff", tmp_path)) < 3


def _wide_profile() -> bytes:
    """Return an RGB profile with the primaries turned round, so that applying it shows."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    entries = {bytes(profile[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(count)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        profile[blue + 4 : blue + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_a_profile_of_colours_is_applied_since_tiles_carry_none(tmp_path: Path) -> None:
    data = encode(textured(), "png", icc_profile=_wide_profile())
    with made(data, "a.png", tmp_path) as pack:
        assert far_apart(joined(pack, 2), textured()[..., ::-1]) < 3


def test_a_broken_profile_is_passed_over(tmp_path: Path) -> None:
    data = encode(textured(), "jpeg", icc_profile=_wide_profile()[:200])
    with made(data, "a.jpg", tmp_path) as pack:
        assert far_apart(joined(pack, 2), textured()) < 3


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_damage_in_the_middle_is_refused_and_nothing_stays(kind: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    data = bytearray(encode(noise, kind, **({"compression": "tiff_adobe_deflate"} if kind == "tiff" else {})))
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    with pytest.raises(UnreadableImage, match=f"a.{kind}"):
        made(bytes(data), f"a.{kind}", tmp_path)
    assert not (tmp_path / "out.tiles").exists()


@pytest.mark.parametrize("kind", STREAMED)
def test_a_picture_that_was_cut_off_is_refused(kind: str, tmp_path: Path) -> None:
    data = encode(textured(), kind)
    with pytest.raises(TruncatedImage, match=f"a.{kind}"):
        made(data[: len(data) // 2], f"a.{kind}", tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_child_as_the_job_has_it_turns_pictures(orientation: int, tmp_path: Path) -> None:
    path, out = tmp_path / "a.jpg", tmp_path / "out.tiles"
    path.write_bytes(encode_turned(textured(), "jpeg", orientation))
    (tmp_path / "work").mkdir()
    answer = Watched().ask(do="tiles", path=str(path), out=str(out), folder=str(tmp_path / "work"))
    assert answer.get("result") == {"width": WIDTH, "height": HEIGHT, "levels": 3}, answer
    with Pack(out) as pack:
        assert corners_of(joined(pack, 2)) == [0, 1, 2, 3]


# 200 megapixels


@pytest.fixture(scope="module", params=[*STREAMED, "turned"])
def huge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of 20,000 × 10,000 pixels, one of them a JPEG that is stored turned."""
    patch = pyvips.Image.gaussnoise(500, 500, mean=120, sigma=25).cast("uchar").copy_memory()
    patch = patch.bandjoin([patch.rot90(), patch.rot180()]).copy(interpretation="srgb").copy_memory()
    options: dict[str, Any] = {"png": {"compression": 1}, "tiff": {}}.get(request.param, {"Q": 85})
    path = tmp_path_factory.mktemp("huge") / f"huge.{'jpeg' if request.param == 'turned' else request.param}"
    whole = patch.replicate(40, 20)
    if request.param == "turned":
        whole = patch.replicate(20, 40).copy()
        whole.set_type(pyvips.GValue.gint_type, "orientation", 6)
    whole.write_to_file(str(path), **options)
    return path


class Watched:
    """A child of the image worker; remembers the most memory it held that is not the file's own pages."""

    def __init__(self) -> None:
        self._child = Child("imaging.worker", memory_bytes=child_memory_bytes(Settings()))
        self._process = psutil.Process(self._child.pid)
        self._over = threading.Event()
        self.peak_mb = 0.0
        self._sampler = threading.Thread(target=self._sample)
        self._sampler.start()

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send one request; return its result, and its messages as ``told``."""
        self._child.ask(0, request)
        told = []
        try:
            while True:
                for line in self._child.receive(240):
                    if "message" not in line:
                        return {**line, "told": told}
                    told.append(line["message"])
        finally:
            self._over.set()
            self._sampler.join()
            self._child.kill()

    def _sample(self) -> None:
        while not self._over.wait(0.02):
            facts = self._process.memory_info()
            self.peak_mb = max(self.peak_mb, (facts.rss - facts.shared) / 1e6)


def test_200_megapixels_are_admitted_and_tiled_in_flat_memory(huge: Path, tmp_path: Path) -> None:
    admitting = Watched()
    answer = admitting.ask(do="admit", path=str(huge), thumbnail=str(tmp_path / "thumbnail.jpg"))
    assert "result" in answer, answer
    assert (answer["result"]["probe"]["width"], answer["result"]["probe"]["height"]) == (20_000, 10_000)
    with Image.open(tmp_path / "thumbnail.jpg") as thumbnail:
        assert thumbnail.size == (320, 160)
    assert admitting.peak_mb < 300, "Pillow alone would hold 800 MB"

    (tmp_path / "work").mkdir()
    tiling = Watched()
    out = tmp_path / "huge.tiles"
    answer = tiling.ask(do="tiles", path=str(huge), out=str(out), folder=str(tmp_path / "work"))
    assert answer.get("result") == {"width": 20_000, "height": 10_000, "levels": 7}, answer
    assert len(answer["told"]) > 20
    assert tiling.peak_mb < 400
    with Pack(out) as pack:
        assert pack.overview_size == (2048, 1024)
        with (
            Image.open(io.BytesIO(pack.tile(6, 0, 0))) as first,
            Image.open(io.BytesIO(pack.tile(6, 38, 19))) as last,
        ):
            assert (first.size, last.size) == ((512, 512), (512, 272))
            assert np.asarray(last).std() == pytest.approx(np.asarray(first).std(), rel=0.1)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_large_file_is_mapped_and_seen_as_if_it_were_read(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode_turned(textured(), kind, 6) if kind not in ("bmp", "gif") else encode(textured(), kind)
    path = tmp_path / f"a.{kind}"
    path.write_bytes(data)
    read = admit(path, tmp_path / "read.jpg")
    monkeypatch.setattr(limits, "_MAP_FROM_BYTES", 1)
    assert isinstance(read_bytes(path, name=path.name), Mapped)
    assert admit(path, tmp_path / "mapped.jpg") == read
    assert (tmp_path / "mapped.jpg").read_bytes() == (tmp_path / "read.jpg").read_bytes()


@pytest.mark.parametrize(("kind", "source"), [("png", "exif"), ("tiff", "exif"), ("tiff", "xmp")])
def test_a_streamed_thumbnail_is_the_one_pillow_makes(
    kind: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(encode_turned(textured(), kind, 5, source))
    whole = admit(path, tmp_path / "whole.jpg")
    monkeypatch.setattr(thumbnails, "_STREAM_FROM_PIXELS", 1)
    assert admit(path, tmp_path / "streamed.jpg") == whole
    with Image.open(tmp_path / "whole.jpg") as one, Image.open(tmp_path / "streamed.jpg") as other:
        assert far_apart(np.asarray(one), np.asarray(other)) < 3
