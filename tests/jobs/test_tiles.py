"""The job that cuts tiles: all or nothing, whatever ends it, and within the cache's budget."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import pyvips

from appliance.jobs.services import Jobs
from appliance.jobs.tiles import CACHED, key_of
from appliance.pyramid import Pack
from appliance.records import Image, Job
from appliance.store import Store, images, jobs, projects
from tests._shared import ROOT
from tests.jobs._service import WAIT_S, Gate, serving

LARGE = (12_000, 9_000)

MAIN = """
import sys, threading
from pathlib import Path
from appliance.jobs.services import Jobs
from appliance.store import Store

service = Jobs(Store(Path(sys.argv[1])))
service.store.bus.subscribe(lambda e: e.kind == "job.changed" and print(e.data["job"]["progress"], flush=True))
service.start()
threading.Event().wait()
"""


def drawn(path: Path, size: tuple[int, int], sigma: float = 20.0) -> Path:
    """Write a picture of so many pixels, noisy enough that its tiles have some weight."""
    patch = pyvips.Image.gaussnoise(500, 500, mean=120, sigma=sigma).cast("uchar").copy_memory()
    across, down = -(-size[0] // 500), -(-size[1] // 500)
    patch.bandjoin([patch.rot90(), patch.rot180()]).copy(interpretation="srgb").copy_memory().replicate(
        across, down
    ).crop(0, 0, *size).jpegsave(str(path))
    return path


def admitted(service: Jobs, path: Path) -> Image:
    """Bring a picture into a project of its own."""
    project = service.store.write(lambda tx: projects.create(tx, name=path.name, created_by=None))
    [outcome] = service.ingest.admit_batch(project.id, [(path.name, path)])
    assert isinstance(outcome, tuple), outcome
    return outcome[0]


def tiling(store: Store, image: Image) -> Job:
    job = store.read(lambda reading: jobs.tiling(reading, image.sha256))
    assert job is not None
    return job


def opened(store: Store, image: Image) -> Pack:
    return Pack(store.cache.path(CACHED, key_of(image.sha256)))


def test_a_kill_leaves_no_tiles_and_the_next_start_makes_them(tmp_path: Path) -> None:
    folder = tmp_path / "box"
    with Store(folder) as store:
        service = Jobs(store)  # never started: its job waits
        image = admitted(service, drawn(tmp_path / "a.jpg", LARGE))
        service.stop()
    with subprocess.Popen([sys.executable, "-c", MAIN, str(folder)], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert any(0 < int(line) < 100 for line in process.stdout), "it was never seen half done"
        process.send_signal(signal.SIGKILL)
    with Store(folder) as store:
        assert store.cache.get(CACHED, key_of(image.sha256)) is None
        assert list(store.temporary.iterdir()) == []
        assert tiling(store, image).state == "running"
        service = Jobs(store)
        service.start()
        assert service.wait(tiling(store, image).id, 4 * WAIT_S).state == "done"
        with opened(store, image) as pack:
            assert (pack.pyramid.width, pack.pyramid.height) == LARGE
        service.stop()


def test_somebody_who_looks_lets_a_waiting_job_go_first(tmp_path: Path) -> None:
    with serving(tmp_path / "box") as service:
        gate = Gate(service)
        blocking = service.submit("gate", {"name": "first"})
        gate.reached("first", 0)
        first = admitted(service, drawn(tmp_path / "a.jpg", (8200, 40)))
        second = admitted(service, drawn(tmp_path / "b.jpg", (8300, 40)))
        assert (tiling(service.store, first).state, tiling(service.store, first).priority) == ("queued", 100)
        job = service.store.write(lambda tx: service.tiles.wanted(tx, second))
        assert (job.id, job.priority) == (tiling(service.store, second).id, 200)
        gate.let("first")
        assert service.wait(blocking.id, WAIT_S).state == "done"
        ended = [service.wait(tiling(service.store, image).id, WAIT_S) for image in (first, second)]
        assert [one.state for one in ended] == ["done", "done"]
        assert ended[1].started_at_ms <= ended[0].started_at_ms


def test_a_job_that_is_cancelled_cleans_up(tmp_path: Path) -> None:
    with serving(tmp_path / "box") as service:
        image = admitted(service, drawn(tmp_path / "a.jpg", LARGE))
        job = tiling(service.store, image)
        service.cancel(job.id)
        assert service.wait(job.id, WAIT_S).state == "cancelled"
        assert service.store.cache.get(CACHED, key_of(image.sha256)) is None
        assert list(service.store.temporary.iterdir()) == []
        assert service.store.write(lambda tx: service.tiles.wanted(tx, image)).id == job.id


def test_an_image_that_is_gone_needs_no_tiles(tmp_path: Path) -> None:
    with Store(tmp_path / "box") as store:
        service = Jobs(store)
        image = admitted(service, drawn(tmp_path / "a.jpg", (8200, 40)))
        job = tiling(store, image)
        store.write(lambda tx: images.delete(tx, image.project_id, image.id))
        service.start()
        ended = service.wait(job.id, WAIT_S)
        assert (ended.state, ended.result) == ("done", {})
        assert store.cache.get(CACHED, key_of(image.sha256)) is None
        service.stop()


def test_the_cache_drops_whole_pyramids_and_the_least_used_first(tmp_path: Path) -> None:
    with serving(tmp_path / "box", cache_bytes=6_000_000) as service:
        seen = []
        for number in range(4):
            image = admitted(service, drawn(tmp_path / f"{number}.jpg", (8200, 600 + number), 12.0))
            assert service.wait(tiling(service.store, image).id, WAIT_S).state == "done"
            seen.append(image)
        service.store.cache.trim()
        kept = [service.store.cache.get(CACHED, key_of(image.sha256)) is not None for image in seen]
        assert kept[-1]
        assert not all(kept)
        assert kept == sorted(kept)
        for image in [image for image, there in zip(seen, kept, strict=True) if there]:
            with opened(service.store, image) as pack:
                assert pack.tile(0, 0, 0).startswith(b"\xff\xd8")


def test_a_cache_that_cannot_hold_them_is_an_error_that_says_so(tmp_path: Path) -> None:
    with serving(tmp_path / "box", cache_bytes=100_000) as service:
        image = admitted(service, drawn(tmp_path / "a.jpg", (8200, 600)))
        job = service.wait(tiling(service.store, image).id, WAIT_S)
        assert (job.state, job.error and job.error["code"]) == ("failed", "storage-full")
        assert job.error is not None
        assert "cache_bytes" in job.error["message"]


@pytest.mark.parametrize("free_floor_bytes", [1 << 50])
def test_a_disk_without_room_is_an_error_before_the_work(tmp_path: Path, free_floor_bytes: int) -> None:
    path = drawn(tmp_path / "a.jpg", (8200, 40))
    with Store(tmp_path / "box") as store:
        service = Jobs(store)
        image = admitted(service, path)
        service.stop()
    with serving(tmp_path / "box", free_floor_bytes=free_floor_bytes) as service:
        job = service.wait(tiling(service.store, image).id, WAIT_S)
        assert (job.state, job.error and job.error["code"]) == ("failed", "storage-full")
