"""The collector takes what nothing refers to, and never anything else."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.jobs.services import Jobs
from appliance.records import Probe
from appliance.settings import Settings
from appliance.store import Store, Transaction, collect, events, images, jobs, projects
from appliance.store.blobs import Staged
from tests.jobs._service import WAIT_S, serving

DAY_S = 24 * 3600
PROBE = Probe(format="png", width=1, height=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "box", Settings(blob_grace_s=0)) as opened:
        yield opened


def settled(store: Store, data: bytes) -> Staged:
    staged = store.blobs.stage([data])
    store.blobs.settle([staged])
    return staged


def registered(store: Store, data: bytes) -> Staged:
    staged = settled(store, data)
    store.write(lambda tx: store.blobs.register(tx, staged))
    return staged


def aged(store: Store, staged: Staged, age_s: float) -> None:
    """Make a blob look as if it had been settled and registered so long ago."""
    path = store.blobs.folder / staged.sha256[:2] / staged.sha256
    then = time.time() - age_s
    os.utime(path, (then, then))
    sql = "UPDATE blobs SET created_at_ms = created_at_ms - ? WHERE sha256 = ?"
    store.write(lambda tx: tx.execute(sql, (int(age_s * 1000), bytes.fromhex(staged.sha256))).fetchall())


def swept(store: Store) -> dict[str, int]:
    service = Jobs(store)
    service.start()
    job = service.wait(service.submit("collect").id, WAIT_S)
    service.stop()
    assert job.state == "done", job.error
    return job.result


def refer(tx: Transaction, table: str, column: str, sha256: bytes) -> None:
    """Add a row of any table that refers to a blob, filling what it must have."""
    values: dict[str, object] = {column: sha256}
    foreign = {r[3]: r[2] for r in tx.execute(f"PRAGMA foreign_key_list({table})").fetchall()}
    for _, name, kind, required, default, _key in tx.execute(f"PRAGMA table_info({table})").fetchall():
        if name in values or not required or default is not None or name == "id":
            continue
        values[name] = 1 if name in foreign else {"INTEGER": 1, "TEXT": "approved", "BLOB": sha256}[kind]
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    tx.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())).fetchall()


def referring(store: Store) -> list[tuple[str, str]]:
    sql = (
        'SELECT t.name, f."from" FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f '
        "WHERE t.type = 'table' AND f.\"table\" = 'blobs'"
    )
    return store.read(lambda reading: [tuple(row) for row in reading.execute(sql)])


def test_every_table_that_refers_to_a_blob_keeps_it(store: Store) -> None:
    tables = referring(store)
    assert len(tables) >= 6
    store.write(lambda tx: projects.create(tx, name="p", created_by=None))
    store.write(lambda tx: jobs.create(tx, "fake", "paused", 0, {}, project_id=1, created_by=None))
    store.write(lambda tx: refer(tx, "models", "sha256", bytes(32)))
    manifest = registered(store, b"manifest")
    store.write(lambda tx: refer(tx, "snapshots", "manifest_sha256", bytes.fromhex(manifest.sha256)))
    kept = {manifest.sha256}
    for table, column in tables:
        if table == "snapshots":
            continue
        staged = registered(store, table.encode())
        store.write(lambda tx, t=table, c=column, s=staged: refer(tx, t, c, bytes.fromhex(s.sha256)))
        kept.add(staged.sha256)
    loose = registered(store, b"loose")
    assert swept(store)["blobs"] == 1
    assert not store.blobs.exists(loose.sha256)
    assert {sha256 for sha256, _ in store.blobs.files()} == kept


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(st.tuples(st.sampled_from(["image", "row", "file"]), st.booleans(), st.booleans()), max_size=25))
def test_exactly_what_is_unreferenced_and_old_goes(store: Store, plan: list[tuple[str, bool, bool]]) -> None:
    project = store.write(lambda tx: projects.create(tx, name="p", created_by=None))
    kept = set()
    for number, (how, old, deleted) in enumerate(plan):
        staged = settled(store, f"{project.id}-{number}".encode())
        if how != "file":
            store.write(lambda tx, s=staged: store.blobs.register(tx, s))
        if how == "image":
            image = store.write(lambda tx, s=staged: images.create(tx, project.id, s.sha256, s, PROBE))
            if deleted:
                store.write(lambda tx, i=image: images.delete(tx, project.id, i.id))
        if old:
            aged(store, staged, 2 * DAY_S)
        if not old or (how == "image" and not deleted):
            kept.add(staged.sha256)
    store.settings = Settings(blob_grace_s=DAY_S)
    swept(store)
    present = {sha256 for sha256, _ in store.blobs.files()}
    rows = store.read(lambda reading: {sha256.hex() for (sha256,) in reading.execute("SELECT sha256 FROM blobs")})
    assert present == kept
    assert rows <= kept
    store.settings = Settings(blob_grace_s=0)
    store.write(lambda tx: projects.delete(tx, project.id))
    swept(store)
    assert list(store.blobs.files()) == []


def test_bytes_sent_again_start_their_grace_anew(store: Store) -> None:
    for again in (settled, registered):
        staged = registered(store, again.__name__.encode())
        aged(store, staged, 2 * DAY_S)
        again(store, again.__name__.encode())
    store.settings = Settings(blob_grace_s=DAY_S)
    assert swept(store)["blobs"] == 0
    assert len(list(store.blobs.files())) == 2


def test_bytes_registered_again_in_the_same_commit_stay(store: Store) -> None:
    staged = registered(store, b"again")
    begun, go_on = threading.Event(), threading.Event()

    def hold(_tx: Transaction) -> None:
        begun.set()
        assert go_on.wait(WAIT_S)

    held = store.writing(hold)
    assert begun.wait(WAIT_S)
    far = store.clock.now_ms() + 1
    deleted = store.writing(lambda tx: collect.delete_blobs(tx, store.blobs, [staged.sha256], far, 0.0))
    again = store.writing(lambda tx: store.blobs.register(tx, staged))
    go_on.set()
    held.result(WAIT_S)
    assert deleted.result(WAIT_S) == 1
    again.result(WAIT_S)
    assert store.blobs.read(staged.sha256) == b"again"


def test_events_past_the_retention_go(tmp_path: Path) -> None:
    with serving(tmp_path, event_retention=10) as service:
        for number in range(30):
            service.store.write(lambda tx, n=number: tx.event("project.changed", {"n": n}))
        assert service.wait(service.submit("collect").id, WAIT_S).result["events"] >= 20
        with service.store.reading() as reading:
            assert events.latest(reading) - events.oldest(reading) < 20


def test_what_a_job_came_with_goes_when_it_is_over(store: Store) -> None:
    service = Jobs(store)
    staged = settled(store, b"archive")
    job = service.submit("fake", {"to": 0}, blobs=[staged])
    assert store.read(lambda reading: jobs.blobs_of(reading, job.id)) == [staged.sha256]
    service.start()
    service.wait(job.id, WAIT_S)
    done = service.wait(service.submit("collect").id, WAIT_S)
    service.stop()
    assert done.result["job_blobs"] == 1
    assert done.result["blobs"] == 1
    assert not store.blobs.exists(staged.sha256)


def test_a_sweep_of_many_is_cut_into_slices(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "_SCAN", 7)
    monkeypatch.setattr(collect.scan, "__defaults__", (collect.BEGINNING, 7))
    staged = [settled(store, str(number).encode()) for number in range(250)]
    store.write(lambda tx: [store.blobs.register(tx, one) for one in staged])
    assert swept(store)["blobs"] == 250
    assert list(store.blobs.files()) == []


def test_the_scan_walks_indexes(store: Store) -> None:
    plans = []

    class Explaining:
        def execute(self, sql: str, parameters: tuple = ()) -> list:
            with store.reading() as reading:
                if "foreign_key_list" in sql:
                    return list(reading.execute(sql))
                plans.extend(row[3] for row in reading.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))
                return []

    collect.scan(Explaining(), 1)
    assert plans
    assert not [step for step in plans if "TEMP B-TREE" in step or step.startswith("SCAN")]
