"""Tiles over HTTP: made when a picture comes in or is looked at, served from one file, seen by members only."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from appliance.jobs.tiles import CACHED, key_of
from appliance.pyramid import Pack
from appliance.records import Event
from appliance.store import jobs
from tests._pictures import encode
from tests._site import Site, site_at

WIDTH, HEIGHT = 9000, 700


def panorama(seed: int) -> bytes:
    """Return a picture whose red is a ramp from left to right and whose blue is `seed`."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, WIDTH).astype(np.uint8)
    pixels[..., 2] = seed
    return encode(pixels, "png", compress_level=1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("tiles") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def project_id(site: Site) -> int:
    return site.project()


@pytest.fixture(scope="module")
def image(site: Site, project_id: int) -> dict[str, Any]:
    """A tiled image whose tiles are there."""
    found = site.image(project_id, "wide.png", panorama(1))
    job = site.box.appliance.jobs.wait(job_of(site, found["sha256"]).id, 60)
    assert (job.state, job.progress, job.total) == ("done", 100, 100), job.error
    return found


def job_of(site: Site, sha256: str) -> Any:
    return site.box.appliance.store.read(lambda reading: jobs.tiling(reading, sha256))


def address(image: dict[str, Any], *parts: Any) -> str:
    path = f"/api/projects/{image['project_id']}/images/{image['id']}/tiles"
    return "/".join([path, *map(str, parts)])


def packed(site: Site, image: dict[str, Any]) -> Path:
    return site.box.appliance.store.cache.path(CACHED, key_of(image["sha256"]))


@contextmanager
def heard(site: Site, kind: str) -> Iterator[tuple[list[Event], threading.Event]]:
    """Collect the events of one kind, and tell of the first."""
    events: list[Event] = []
    first = threading.Event()

    def deliver(event: Event) -> None:
        if event.kind == kind:
            events.append(event)
            first.set()

    unsubscribe = site.box.appliance.store.bus.subscribe(deliver)
    try:
        yield events, first
    finally:
        unsubscribe()


def test_a_picture_beyond_the_limit_is_tiled_when_it_comes_in(site: Site, project_id: int) -> None:
    with heard(site, "image.tiled") as (events, first):
        image = site.image(project_id, "ramp.png", panorama(2))
        assert image["tiled"]
        job = job_of(site, image["sha256"])
        assert (job.lane, job.project_id, job.parameters["image_id"]) == ("cpu", project_id, image["id"])
        assert first.wait(60)
        assert (events[0].project_id, events[0].data) == (project_id, {"image_id": image["id"]})
    assert packed(site, image).exists()
    assert list(site.box.appliance.store.temporary.iterdir()) == []


def test_small_pictures_have_no_tiles(site: Site, project_id: int) -> None:
    image = site.image(project_id)
    assert image["tiled"] is False
    assert job_of(site, image["sha256"]) is None
    for parts in ((), ("overview",), (0, 0, 0)):
        site.refused(site.people["annotator"].get(address(image, *parts)), 404, "not-found")


def test_the_facts_say_how_to_ask_for_tiles(site: Site, image: dict[str, Any]) -> None:
    facts = site.ok(site.people["annotator"].get(address(image)))
    assert facts == {
        "ready": True, "width": WIDTH, "height": HEIGHT, "tile_size": 512, "levels": 6, "job": None,
    }  # fmt: skip


def test_a_tile_is_the_part_of_the_picture_it_says(site: Site, image: dict[str, Any]) -> None:
    client = site.people["reviewer"]
    for level, x, y, size in ((5, 3, 0, (512, 512)), (5, 17, 1, (296, 188)), (0, 0, 0, (282, 22))):
        answer = client.get(address(image, level, x, y))
        assert answer.headers["content-type"] == "image/jpeg"
        with Image.open(io.BytesIO(answer.content)) as tile:
            assert tile.size == size
            left, right = (np.asarray(tile)[:, at, 0].mean() for at in (0, -1))
        scale = 2 ** (5 - level)
        assert left == pytest.approx(255 * x * 512 * scale / WIDTH, abs=4)
        assert right == pytest.approx(255 * (x * 512 + size[0]) * scale / WIDTH, abs=4)
    with Image.open(io.BytesIO(client.get(address(image, "overview")).content)) as overview:
        assert overview.size == (2048, 159)


@pytest.mark.parametrize("parts", [("overview",), (5, 3, 0)])
def test_the_picture_s_hash_makes_a_part_immutable(site: Site, image: dict[str, Any], parts: tuple[Any, ...]) -> None:
    client = site.people["annotator"]
    answer = client.get(address(image, *parts), params={"v": image["sha256"]})
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "sandbox" in answer.headers["content-security-policy"]
    etag = answer.headers["etag"]
    again = client.get(address(image, *parts), headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address(image, *parts)).headers["cache-control"] == "private, no-cache"
    site.refused(client.get(address(image, *parts), params={"v": "0" * 64}), 404, "not-found")
    part = client.get(address(image, *parts), headers={"Range": "bytes=0-1"})
    assert (part.status_code, part.content) == (206, b"\xff\xd8")


@pytest.mark.parametrize("parts", [(6, 0, 0), (5, 18, 0), (5, 0, 2), (0, 0, 1), ("a", 0, 0), (5, -1, 0)])
def test_what_is_no_tile_is_not_found(site: Site, image: dict[str, Any], parts: tuple[Any, ...]) -> None:
    site.refused(site.people["annotator"].get(address(image, *parts)), 404, "not-found")


def test_the_description_lets_tiles_count_from_0_and_ids_from_1(site: Site) -> None:
    paths = site.ok(site.people["annotator"].get("/api/openapi.json"))["paths"]
    (path,) = (name for name in paths if name.endswith("/tiles/{level}/{x}/{y}"))
    least = {one["name"]: one["schema"]["minimum"] for one in paths[path]["get"]["parameters"] if one["in"] == "path"}
    assert least == {"project_id": 1, "image_id": 1, "level": 0, "x": 0, "y": 0}


@pytest.mark.parametrize("parts", [(), ("overview",), (0, 0, 0)])
def test_only_members_see_them(site: Site, image: dict[str, Any], parts: tuple[Any, ...]) -> None:
    site.refused(site.people["outsider"].get(address(image, *parts)), 404, "not-found")
    nobody = httpx.Client(base_url=site.box.url)
    site.refused(nobody.get(address(image, *parts)), 401, "not-signed-in")
    nobody.close()


def test_another_project_shares_the_tiles(site: Site, image: dict[str, Any]) -> None:
    before = job_of(site, image["sha256"]).id
    other = site.image(site.project(), "same.png", panorama(1))
    assert other["sha256"] == image["sha256"]
    assert site.ok(site.people["annotator"].get(address(other)))["ready"]
    assert job_of(site, image["sha256"]).id == before


def test_tiles_that_had_to_go_are_made_again_for_everybody(site: Site, project_id: int) -> None:
    image = site.image(project_id, "gone.png", panorama(3))
    other = site.image(site.project(), "gone.png", panorama(3))
    site.box.appliance.jobs.wait(job_of(site, image["sha256"]).id, 60)
    tile = site.people["annotator"].get(address(image, 5, 0, 0)).content
    packed(site, image).unlink()
    site.refused(site.people["annotator"].get(address(image, 5, 0, 0)), 404, "not-found")
    with heard(site, "image.tiled") as (events, _):
        facts = site.ok(site.people["annotator"].get(address(image)))
        assert (facts["ready"], facts["job"]["kind"], facts["job"]["priority"]) == (False, "tiles", 200)
        again = site.ok(site.people["reviewer"].get(address(other)))
        assert again["ready"] or again["job"]["id"] == facts["job"]["id"]
        assert site.box.appliance.jobs.wait(facts["job"]["id"], 60).state == "done"
    assert {(e.project_id, e.data["image_id"]) for e in events} == {
        (project_id, image["id"]), (other["project_id"], other["id"]),
    }  # fmt: skip
    assert site.people["annotator"].get(address(image, 5, 0, 0)).content == tile


def test_a_file_that_is_not_whole_counts_as_gone(site: Site, project_id: int) -> None:
    image = site.image(project_id, "torn.png", panorama(4))
    site.box.appliance.jobs.wait(job_of(site, image["sha256"]).id, 60)
    path = packed(site, image)
    path.write_bytes(path.read_bytes()[:-100])
    facts = site.ok(site.people["annotator"].get(address(image)))
    assert facts["ready"] is False
    assert site.box.appliance.jobs.wait(facts["job"]["id"], 60).state == "done"
    with Pack(path) as pack:
        assert (pack.pyramid.width, pack.pyramid.height) == (WIDTH, HEIGHT)


def test_a_job_that_failed_is_told_and_not_started_again(site: Site, project_id: int) -> None:
    image = site.image(project_id, "lost.png", panorama(5))
    service = site.box.appliance.jobs
    service.wait(job_of(site, image["sha256"]).id, 60)
    packed(site, image).unlink()
    blob = site.box.appliance.store.blobs.path(image["sha256"])
    kept = blob.read_bytes()
    blob.chmod(0o600)
    blob.write_bytes(kept[: len(kept) // 2])
    client = site.people["annotator"]
    job = service.wait(site.ok(client.get(address(image)))["job"]["id"], 60)
    assert (job.state, job.error and job.error["code"]) == ("failed", "store-corrupt")
    facts = site.ok(client.get(address(image)))
    assert (facts["job"]["id"], facts["job"]["state"]) == (job.id, "failed")
    blob.write_bytes(kept)
    site.ok(site.people["owner"].post(f"/api/jobs/{job.id}/retry"))
    assert service.wait(job.id, 60).state == "done"
    assert site.ok(client.get(address(image)))["ready"]
