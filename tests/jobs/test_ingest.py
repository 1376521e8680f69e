"""Admission: durable, once per project, whoever sends at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import InvalidInput, NotFound, PixelQueueError, StorageFull, UnreadableImage
from appliance.jobs.services import Jobs
from appliance.settings import Settings
from appliance.store import Store, Transaction, images, projects
from appliance.store.blobs import Staged
from tests._pictures import encode


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Jobs]:
    with Store(tmp_path / "box", Settings(image_children=2, free_floor_bytes=0)) as store:
        service = Jobs(store)
        yield service
        service.stop()


@pytest.fixture
def project_id(service: Jobs) -> int:
    return service.store.write(lambda tx: projects.create(tx, name="p", created_by=None)).id


def picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), np.uint8)
    return encode(pixels, "png")


def staged(service: Jobs, data: bytes) -> Staged:
    return service.store.blobs.stage([data])


def leftovers(service: Jobs) -> list[str]:
    return [path.name for path in service.store.temporary.iterdir()]


def test_an_admitted_picture_is_durable_with_task_thumbnail_and_event(service: Jobs, project_id: int) -> None:
    heard = []
    service.store.bus.subscribe(heard.append)
    image, duplicate = service.ingest.admit(project_id, "a\\b/../x.png", staged(service, picture(1)))
    assert not duplicate
    assert (image.name, image.width, image.height, image.state) == ("a/b/x.png", 32, 24, "open")
    assert service.store.blobs.read(image.sha256) == picture(1)
    assert service.store.cache.get("thumbnail", f"{image.sha256}.jpg")
    tasks = service.store.read(lambda reading: list(reading.execute("SELECT image_id, state FROM tasks")))
    assert tasks == [(image.id, "open")]
    assert [(event.kind, event.data, event.project_id) for event in heard] == [
        ("image.added", {"image_ids": [image.id]}, project_id)
    ]
    assert leftovers(service) == []


def test_the_same_picture_is_one_image_and_the_same_name_gets_a_number(service: Jobs, project_id: int) -> None:
    first, _ = service.ingest.admit(project_id, "x.png", staged(service, picture(1)))
    assert service.ingest.admit(project_id, "other.png", staged(service, picture(1))) == (first, True)
    second, duplicate = service.ingest.admit(project_id, "x.png", staged(service, picture(2)))
    assert (second.name, duplicate) == ("x (2).png", False)
    other = service.store.write(lambda tx: projects.create(tx, name="q", created_by=None))
    elsewhere, duplicate = service.ingest.admit(other.id, "x.png", staged(service, picture(1)))
    assert (elsewhere.name, elsewhere.sha256, duplicate) == ("x.png", first.sha256, False)
    assert leftovers(service) == []


def test_many_at_once_with_duplicates_and_bad_ones(service: Jobs, project_id: int) -> None:
    outcome: list[object] = []
    sent = [(f"{n % 5}.png", picture(n % 30)) for n in range(90)] + [("bad.png", b"no picture")] * 6

    def send(items: list[tuple[str, bytes]]) -> None:
        for name, data in items:
            try:
                outcome.append(service.ingest.admit(project_id, name, staged(service, data)))
            except PixelQueueError as error:
                outcome.append(error)

    threads = [threading.Thread(target=send, args=(sent[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcome) == len(sent)
    refused = [one for one in outcome if isinstance(one, PixelQueueError)]
    assert [type(one) for one in refused] == [UnreadableImage] * 6
    added = [one for one in outcome if isinstance(one, tuple)]
    assert sum(not duplicate for _, duplicate in added) == 30
    assert {image.id for image, _ in added} == {
        image.id for image in service.store.read(lambda reading: images.listed(reading, project_id, limit=500)).items
    }
    assert leftovers(service) == []


def test_a_batch_answers_in_order(service: Jobs, project_id: int, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(picture(number))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    items = [
        ("0.png", tmp_path / "0.png"),
        ("bad.png", tmp_path / "bad.png"),
        ("..", tmp_path / "1.png"),
        ("1.png", staged(service, picture(1))),
        ("again.png", tmp_path / "0.png"),
        ("2.png", tmp_path / "2.png"),
    ]
    answer = service.ingest.admit_batch(project_id, items)
    assert isinstance(answer[1], UnreadableImage)
    assert isinstance(answer[2], InvalidInput)
    assert [answer[n][0].name for n in (0, 3, 4, 5)] == ["0.png", "1.png", "0.png", "2.png"]
    assert [answer[n][1] for n in (0, 3, 4, 5)] == [False, False, True, False]
    assert (tmp_path / "0.png").exists()
    assert leftovers(service) == []
    again = service.ingest.admit_batch(project_id, [items[0], items[5]])
    assert [duplicate for _, duplicate in again] == [True, True]


def test_what_is_prepared_is_added_with_the_callers_own_work(service: Jobs, project_id: int) -> None:
    prepared = service.ingest.prepare([("a.png", staged(service, picture(1)))])

    def breaking(tx: Transaction) -> None:
        service.ingest.add(tx, project_id, prepared)
        raise InvalidInput("the annotations do not fit")

    with pytest.raises(InvalidInput):
        service.store.write(breaking)
    assert service.store.read(lambda reading: images.by_name(reading, project_id, "a.png")) is None
    [(image, duplicate)] = service.store.write(lambda tx: service.ingest.add(tx, project_id, prepared))
    assert (image.name, duplicate) == ("a.png", False)


def test_a_batch_that_is_given_up_leaves_nothing_behind(service: Jobs, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture(1))
    items = [("a.png", tmp_path / "a.png"), ("b.png", staged(service, picture(2))), ("..", tmp_path / "a.png")]
    service.ingest.preparing([*items, ("bad.png", staged(service, b"no picture"))]).discard()
    assert leftovers(service) == []
    assert not list(service.store.blobs.files())
    assert (tmp_path / "a.png").exists()


def test_files_of_the_appliances_own_are_not_copied(service: Jobs, project_id: int) -> None:
    unpacked = service.store.temporary / "import-1"
    unpacked.mkdir()
    (unpacked / "a.png").write_bytes(picture(1))
    [(image, _)] = service.ingest.admit_batch(project_id, [("a.png", unpacked / "a.png")])
    assert service.store.blobs.path(image.sha256).samefile(unpacked / "a.png")


def test_a_project_that_is_gone_refuses_without_harming_others(service: Jobs, project_id: int) -> None:
    gone = service.ingest.admitting(999, "a.png", staged(service, picture(1)))
    here = service.ingest.admitting(project_id, "a.png", staged(service, picture(2)))
    with pytest.raises(NotFound, match="999"):
        gone.result(30)
    assert here.result(30)[0].name == "a.png"


def test_a_full_disk_refuses_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with Store(tmp_path / "box", Settings(free_floor_bytes=1 << 60)) as store:
        service = Jobs(store)
        project = store.write(lambda tx: projects.create(tx, name="p", created_by=None))
        with pytest.raises(StorageFull, match="delete images"):
            service.ingest.admit(project.id, "a.png", staged(service, picture(1)))
        (tmp_path / "a.png").write_bytes(picture(1))
        with pytest.raises(StorageFull):
            service.ingest.admit_batch(project.id, [("a.png", tmp_path / "a.png")])
        assert leftovers(service) == []
        service.stop()


def test_stopping_answers_everybody_who_waits(service: Jobs, project_id: int) -> None:
    sent = [service.ingest.admitting(project_id, f"{n}.png", staged(service, picture(n))) for n in range(40)]
    service.stop()
    done = [one.exception(30) for one in sent]
    kept = service.store.read(lambda reading: images.listed(reading, project_id, limit=500)).items
    assert len(kept) == done.count(None)
    assert all(error is None or isinstance(error, PixelQueueError) for error in done)
    assert leftovers(service) == []
