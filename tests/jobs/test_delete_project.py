"""Deleting a large project in slices."""

from __future__ import annotations

from pathlib import Path

from appliance.records import Probe
from appliance.store import Store, Transaction, images, projects
from tests.jobs._service import serving


def filled(store: Store, count: int) -> int:
    project = store.write(lambda tx: projects.create(tx, name="large", created_by=None))
    staged = [store.blobs.stage([str(number).encode()]) for number in range(count)]
    store.blobs.settle(staged)

    def add(tx: Transaction) -> None:
        for number, one in enumerate(staged):
            store.blobs.register(tx, one)
            images.create(tx, project.id, f"{number}.jpg", one, Probe(format="jpeg", width=8, height=8))

    store.write(add)
    return project.id


def test_it_goes_with_everything_and_nothing_else(tmp_path: Path):
    with serving(tmp_path / "box") as jobs:
        gone, kept = filled(jobs.store, 30), filled(jobs.store, 5)
        done = jobs.wait(jobs.submit("delete-project", {"project_id": gone}).id, 60)
        assert (done.state, done.result) == ("done", {"images": 30})
        left = jobs.store.read(lambda r: r.execute("SELECT id FROM projects").fetchall())
        assert left == [(kept,)]
        assert jobs.store.read(lambda r: r.execute("SELECT COUNT(*) FROM images").fetchall()) == [(5,)]
        again = jobs.wait(jobs.submit("delete-project", {"project_id": gone}).id, 60)
        assert (again.state, again.result) == ("done", {"images": 0})
