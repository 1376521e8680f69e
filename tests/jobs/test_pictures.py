"""Pictures through the pool: what is refused is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Pillow

from appliance.errors import (
    ChildFailed,
    ImageTooLarge,
    StoreCorrupt,
    TruncatedImage,
    Unavailable,
    UnreadableImage,
)
from appliance.jobs.children import Child
from appliance.jobs.pictures import Pictures
from appliance.jobs.pool import Pool
from appliance.jobs.services import Jobs
from appliance.settings import Settings
from appliance.store import Store, projects
from tests._pictures import encode, encode_turned, scene


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with Store(tmp_path_factory.mktemp("box"), Settings(max_pixels=1_000_000)) as store:
        service = Jobs(store)
        yield service
        service.stop()


def test_one_pass_tells_what_it_is_and_makes_the_thumbnail(service: Jobs, tmp_path: Path) -> None:
    source, thumbnail = tmp_path / "a.jpg", tmp_path / "t.jpg"
    source.write_bytes(encode(scene(640, 480), "jpeg"))
    probe = service.pictures.admit(source, "a.jpg", thumbnail)
    assert (probe.width, probe.height, probe.format) == (640, 480, "jpeg")
    with Pillow.open(thumbnail) as small:
        assert max(small.size) == 320


def test_the_names_of_bad_files_are_in_their_errors(service: Jobs, tmp_path: Path) -> None:
    good = encode(scene(), "jpeg")
    cases = {
        "cut.jpg": (good[: len(good) // 2], TruncatedImage),
        "text.jpg": (b"no picture at all", UnreadableImage),
        "empty.jpg": (b"", UnreadableImage),
        "big.png": (encode(scene(1200, 1000), "png"), ImageTooLarge),
    }
    asked = {}
    for name, (data, _) in cases.items():
        (tmp_path / name).write_bytes(data)
        asked[name] = service.pictures.admitting(tmp_path / name, f"folder/{name}", tmp_path / f"{name}.t.jpg")
    for name, (_, kind) in cases.items():
        with pytest.raises(kind, match=f"folder/{name}"):
            asked[name].result(30)


@pytest.mark.parametrize(
    ("task", "deadline_s", "words"),
    [("spin", 0.5, "takes longer"), ("abort", 60.0, "made the decoder crash"), ("hog", 60.0, "needs more memory")],
)
def test_hang_crash_and_hunger_become_words_about_the_file(
    service: Jobs, task: str, deadline_s: float, words: str
) -> None:
    broken = Pictures(service.store, service.settings)
    broken._pool = Pool(lambda: Child("jobs.fake_task", memory_bytes=512 << 20), 1, deadline_s=deadline_s)
    with pytest.raises(UnreadableImage, match=f"evil.jpg {words}") as caught:
        broken._asked({"do": task}, "evil.jpg", lambda answer: answer).result(30)
    assert caught.value.file == "evil.jpg"
    assert isinstance(caught.value.__cause__, ChildFailed)
    broken.stop()


@pytest.mark.parametrize(
    ("task", "deadline_s", "words"),
    [("hang", 0.5, "because the box is very busy"), ("exit", 60.0, "because the box's decoder ended")],
)
def test_what_is_no_fault_of_the_file_is_to_be_sent_again(
    service: Jobs, task: str, deadline_s: float, words: str
) -> None:
    """The answer is a 503, which the console and tus clients try again, and never a 500."""
    broken = Pictures(service.store, service.settings)
    broken._pool = Pool(lambda: Child("jobs.fake_task", memory_bytes=512 << 20), 1, deadline_s=deadline_s)
    with pytest.raises(Unavailable, match=f"good.jpg could not be decoded.* {words}: send it again") as caught:
        broken._asked({"do": task}, "good.jpg", lambda answer: answer).result(30)
    assert caught.value.file == "good.jpg"
    broken.stop()


def test_cached_files_are_made_once_and_made_again_when_gone(service: Jobs) -> None:
    store = service.store
    project = store.write(lambda tx: projects.create(tx, name="cached", created_by=None))
    data = encode_turned(scene(96, 64), "jpeg", 6)
    image, _ = service.ingest.admit(project.id, "turned.jpg", store.blobs.stage([data]))
    thumbnail = service.pictures.cached_thumbnail(image)
    first = thumbnail.stat().st_ino
    assert service.pictures.cached_thumbnail(image).stat().st_ino == first
    before = thumbnail.read_bytes()
    thumbnail.unlink()
    assert service.pictures.cached_thumbnail(image).read_bytes() == before
    with Pillow.open(service.pictures.cached_rendition(image)) as shown:
        assert shown.size == (image.width, image.height)


def test_a_thumbnail_of_damaged_bytes_is_refused(service: Jobs) -> None:
    store = service.store
    project = store.write(lambda tx: projects.create(tx, name="damaged", created_by=None))
    image, _ = service.ingest.admit(project.id, "a.png", store.blobs.stage([encode(scene(100, 80), "png")]))
    path = store.blobs.path(image.sha256)
    service.pictures.cached_thumbnail(image).unlink()
    path.chmod(0o600)
    path.write_bytes(b"bit rot")
    with pytest.raises(StoreCorrupt):
        service.pictures.cached_thumbnail(image)
