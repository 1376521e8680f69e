"""Reading every stored file: what is broken is named and put aside, and no kill loses the place."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest

from appliance.jobs._background import yield_to_everybody
from appliance.jobs.schedule import Schedule
from appliance.jobs.services import Jobs
from appliance.settings import Settings
from appliance.store import Store, collect, images, jobs, scrub, storage
from tests.jobs._service import WAIT_S, serving
from tests.jobs.test_collect import referring
from tests.jobs.test_kill import run_and_kill
from tests.store._nouns import PROBE, a_project, an_image, settled, some_images

KILLS = 6
BIG = 3 << 20


def flipped(store: Store, sha256: str) -> None:
    """Flip one bit of a stored file, as a failing disk does: its time stays as it was."""
    path = store.blobs.folder / sha256[:2] / sha256
    before = path.stat()
    path.chmod(0o600)
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def scrubbed(service: Jobs) -> dict:
    return service.wait(service.submit("scrub").id, WAIT_S).result


@pytest.fixture
def service(tmp_path: Path):
    with serving(tmp_path, reserve_bytes=0) as running:
        yield running


def test_sound_files_are_counted_and_nothing_is_said(service: Jobs) -> None:
    project = a_project(service.store)
    some_images(service.store, project.id, 7)
    size = service.store.read(storage.totals)[1]
    assert scrubbed(service) == {"files": 7, "bytes": size, "damaged": 0, "missing": 0}
    newest, finished = service.store.read(scrub.latest)
    assert newest == finished
    assert finished.files == 7
    assert service.store.read(scrub.faults) == 0


def test_a_flipped_bit_is_named_with_what_it_touches_and_put_aside(service: Jobs) -> None:
    store, project = service.store, a_project(service.store)
    good, bad = some_images(store, project.id, 2)
    assert store.blobs.path(bad.sha256), "it was verified and would be served from now on"
    flipped(store, bad.sha256)
    found = []
    store.bus.subscribe(lambda event: found.append(event) if event.kind == "damage.found" else None)
    job = service.wait(service.submit("scrub").id, WAIT_S)
    assert (job.result["damaged"], job.result["missing"]) == (1, 0)
    (note,) = store.read(lambda reading: jobs.notes(reading, job.id))
    assert (note.code, note.file) == ("blob-damaged", bad.name)
    (damage,) = store.read(scrub.damaged)
    assert (damage.sha256, damage.fault) == (bad.sha256, "damaged")
    assert [(o.what, o.id, o.project_id, o.name) for o in damage.owners] == [("image", bad.id, project.id, bad.name)]
    assert len(found) == 1
    assert found[0].project_id is None
    assert (store.folder / "quarantine" / bad.sha256).exists()
    assert not store.blobs.exists(bad.sha256)
    assert store.blobs.read(good.sha256)


def test_good_bytes_sent_again_heal(service: Jobs) -> None:
    store, project = service.store, a_project(service.store)
    image = an_image(store, project.id, data=b"the picture")
    flipped(store, image.sha256)
    scrubbed(service)
    staged = settled(store, b"the picture")
    store.write(lambda tx: store.blobs.register(tx, staged))
    assert store.read(scrub.faults) == 0
    assert store.blobs.read(image.sha256) == b"the picture"
    assert scrubbed(service)["damaged"] == 0


def test_a_file_that_is_gone_is_missing_until_it_is_back_or_forgotten(service: Jobs) -> None:
    store, project = service.store, a_project(service.store)
    kept, deleted = some_images(store, project.id, 2)
    for image in (kept, deleted):
        store.blobs.remove(image.sha256)
    assert scrubbed(service)["missing"] == 2
    store.write(lambda tx: images.delete(tx, project.id, deleted.id))
    far = store.clock.now_ms() + 1
    store.write(lambda tx: collect.delete_blobs(tx, store.blobs, [deleted.sha256], far, 0.0))
    assert [one.sha256 for one in store.read(scrub.damaged)] == [kept.sha256]


def test_a_compressed_manifest_is_read_too(service: Jobs) -> None:
    store, project = service.store, a_project(service.store)
    staged = settled(store, b"manifest " * 100, compress=True)
    store.write(lambda tx: store.blobs.register(tx, staged))
    store.write(
        lambda tx: tx.execute(
            "INSERT INTO snapshots (project_id, name, contents, manifest_sha256, images, annotations, summary, "
            "seed, created_at_ms) VALUES (?, 's1', 'everything', ?, 1, 0, '{}', 0, 0)",
            (project.id, bytes.fromhex(staged.sha256)),
        )
    )
    path = store.blobs.folder / staged.sha256[:2] / f"{staged.sha256}.zst"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-3])
    assert scrubbed(service)["damaged"] == 1
    (damage,) = store.read(scrub.damaged)
    assert [owner.what for owner in damage.owners] == ["snapshot"]
    assert (store.folder / "quarantine" / path.name).exists()


def test_kills_lose_no_place_and_forget_no_fault(tmp_path: Path) -> None:
    moments = random.Random(11)
    with Store(tmp_path, Settings(reserve_bytes=0)) as store:
        project, added = a_project(store), []
        for number in range(12):
            staged = settled(store, bytes([number]) * BIG)

            def add(tx, staged=staged, name=f"{number}.png"):
                store.blobs.register(tx, staged)
                return images.create(tx, project.id, name, staged, PROBE)

            added.append(store.write(add).sha256)
        flipped(store, added[5])
        job = store.write(lambda tx: jobs.create(tx, "scrub", "io", 0, {}, project_id=None, created_by=None))
    for _ in range(KILLS):
        run_and_kill(tmp_path, moments.uniform(0.0, 0.1))
    with serving(tmp_path, reserve_bytes=0) as service:
        done = service.wait(job.id, 4 * WAIT_S)
        if done.state == "failed":  # three of the kills came before the first slice was through
            service.retry(job.id)
            done = service.wait(job.id, 4 * WAIT_S)
        assert done.state == "done", done.error
        assert done.result["files"] == 12
        assert done.result["bytes"] == 12 * BIG
        newest, finished = service.store.read(scrub.latest)
        assert newest == finished
        assert (finished.files, finished.bytes) == (12, 12 * BIG)
        assert [one.sha256 for one in service.store.read(scrub.damaged)] == [added[5]]


def test_it_pauses_in_the_middle_of_a_file_and_goes_on(service: Jobs) -> None:
    store, project = service.store, a_project(service.store)
    an_image(store, project.id, data=b"x" * BIG)
    lane = service.lanes["io"]
    with lane.borrowed(300), lane.borrowed(300):
        job = service.submit("scrub")
        service.pause(job.id)
    assert service.wait(job.id, WAIT_S).state == "paused"
    service.resume(job.id)
    assert service.wait(job.id, WAIT_S).result["files"] == 1


def test_it_is_due_when_the_setting_says(service: Jobs) -> None:
    due, store = service.kinds["scrub"].due, service.store
    every = Settings(scrub_every_s=60)
    assert not store.read(lambda r: due(r, every, store.clock.now_ms() + 10**12)), "there is nothing to read"
    some_images(store, a_project(store).id, 1)
    come_ms = store.clock.now_ms()
    assert not store.read(lambda r: due(r, every, come_ms)), "what came just now was hashed just now"
    assert store.read(lambda r: due(r, every, come_ms + 61_000))
    scrubbed(service)
    now_ms = store.clock.now_ms()
    assert not store.read(lambda r: due(r, every, now_ms))
    assert store.read(lambda r: due(r, every, now_ms + 61_000))
    assert not store.read(lambda r: due(r, Settings(scrub_every_s=0), now_ms + 10**12))


def test_the_schedule_asks_whether_it_is_due(service: Jobs) -> None:
    schedule, store = Schedule(service), service.store
    some_images(store, a_project(store).id, 1)
    assert not schedule.submit_due("scrub")
    store.write(lambda tx: tx.execute("UPDATE blobs SET created_at_ms = 0"))
    assert schedule.submit_due("scrub")
    (job,) = service.store.read(lambda r: jobs.listed(r)).items
    assert service.wait(job.id, WAIT_S).state == "done"
    assert not schedule.submit_due("scrub"), "the last one began just now"


def test_space_is_measured_once_a_blob_and_kept(service: Jobs) -> None:
    store = service.store
    first, second = a_project(store), a_project(store)
    an_image(store, first.id, data=b"shared")
    an_image(store, second.id, data=b"shared")
    an_image(store, second.id, "own.png", data=b"own bytes")
    loose = settled(store, b"nobody's")
    store.write(lambda tx: store.blobs.register(tx, loose))
    store.cache.put("thumbnail", "ab.jpg", lambda path: path.write_bytes(b"12345"))
    service.wait(service.submit("measure").id, WAIT_S)
    measured = store.read(storage.measured)
    assert {t.key: (t.files, t.bytes) for t in measured.kinds} == {"pictures": (2, 15), "waiting": (1, 8)}
    assert {t.key: t.bytes for t in measured.projects} == {str(first.id): 6, str(second.id): 9, "0": 8}
    assert [t.key for t in measured.ages] == ["week"]
    assert [(t.key, t.files, t.bytes) for t in measured.cache] == [("thumbnail", 1, 5)]
    assert [one.name for one in measured.largest][:2] == ["own.png", loose.sha256[:12]]
    assert store.read(storage.totals) == (3, 23)
    assert service.wait(service.submit("clear-cache").id, WAIT_S).result == {"files": 1, "bytes": 5}
    assert store.cache.size_bytes() == 0


def test_whoever_refers_to_a_blob_is_named_and_has_it_counted(service: Jobs) -> None:
    for table, column in referring(service.store):
        for said in (" ".join(scrub._OWNERS), storage._OWNER):
            assert f" FROM {table} " in said, f"{table}.{column} refers to blobs: name it in scrub and in storage"


def test_ages_fall_into_steps() -> None:
    day_ms = 86_400_000
    ages = [storage.age_of(0, days * day_ms) for days in (0, 6, 7, 29, 30, 90, 91, 364, 365)]
    assert ages == ["week", "week", "month", "month", "quarter", "quarter", "year", "year", "older"]


def test_what_runs_beside_everybody_keeps_its_place_at_the_processor() -> None:
    """A thread passed by while it holds the interpreter's lock would stop the whole process."""
    priorities: list[int] = []

    def background() -> None:
        yield_to_everybody()
        priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=background)
    thread.start()
    thread.join()
    assert priorities == [os.getpriority(os.PRIO_PROCESS, 0)]
