"""The queue's rows: every state under every verb, order, recovery, lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.errors import Conflict, JobCancelled, NotFound
from appliance.records import Job, Note
from appliance.store import Store, Transaction, jobs, members, projects, users


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def queue(store: Store, *, priority: int = 100, lane: str = "cpu", project_id: int | None = None) -> Job:
    return store.write(
        lambda tx: jobs.create(tx, "fake", lane, priority, {"to": 1}, project_id=project_id, created_by=None)
    )


def brought_to(store: Store, state: str) -> Job:
    """Return a job in this state, by the way jobs take."""
    job = queue(store)
    steps: dict[str, list[Callable[[Transaction], object]]] = {
        "queued": [],
        "paused": [lambda tx: jobs.pause(tx, job.id)],
        "running": [lambda tx: jobs.claim(tx, "cpu")],
        "done": [lambda tx: jobs.claim(tx, "cpu"), lambda tx: jobs.finish(tx, job.id, {})],
        "failed": [lambda tx: jobs.claim(tx, "cpu"), lambda tx: jobs.fail(tx, job.id, {"code": "e", "message": "m"})],
        "cancelled": [lambda tx: jobs.cancel(tx, job.id)],
    }
    for step in steps[state]:
        store.write(step)
    found = store.read(lambda reading: jobs.get(reading, job.id))
    assert found.state == state
    return found


REFUSED = "refused"
TABLE = {
    ("queued", "pause"): "paused", ("queued", "resume"): "queued", ("queued", "cancel"): "cancelled",
    ("queued", "retry"): REFUSED,
    ("running", "pause"): "running", ("running", "resume"): "running", ("running", "cancel"): "running",
    ("running", "retry"): REFUSED,
    ("paused", "pause"): "paused", ("paused", "resume"): "queued", ("paused", "cancel"): "cancelled",
    ("paused", "retry"): REFUSED,
    ("done", "pause"): REFUSED, ("done", "resume"): REFUSED, ("done", "cancel"): REFUSED, ("done", "retry"): REFUSED,
    ("failed", "pause"): REFUSED, ("failed", "resume"): REFUSED, ("failed", "cancel"): REFUSED,
    ("failed", "retry"): "queued",
    ("cancelled", "pause"): REFUSED, ("cancelled", "resume"): REFUSED, ("cancelled", "cancel"): "cancelled",
    ("cancelled", "retry"): "queued",
}  # fmt: skip


@pytest.mark.parametrize(("state", "verb"), TABLE)
def test_every_verb_in_every_state(store: Store, state: str, verb: str) -> None:
    job = brought_to(store, state)
    steer = getattr(jobs, verb)
    if TABLE[state, verb] == REFUSED:
        with pytest.raises(Conflict) as caught:
            store.write(lambda tx: steer(tx, job.id))
        assert caught.value.details == {"state": state}
        assert store.read(lambda reading: jobs.get(reading, job.id)) == job
    else:
        assert store.write(lambda tx: steer(tx, job.id)).state == TABLE[state, verb]


@pytest.mark.parametrize(("wanted", "stopped"), [("pause", "paused"), ("cancel", "cancelled"), (None, "queued")])
def test_a_running_job_gets_what_was_wanted_when_it_stops_or_after_a_crash(
    store: Store, wanted: str | None, stopped: str
) -> None:
    for stop in (jobs.stop, lambda tx, _job_id: jobs.recover(tx)[0]):
        job = brought_to(store, "running")
        if wanted:
            store.write(lambda tx, job=job: getattr(jobs, wanted)(tx, job.id))
        assert store.write(lambda tx, stop=stop, job=job: stop(tx, job.id)).state == stopped
        assert store.read(lambda reading, job=job: jobs.standing(reading, job.id)) == ({}, None)
        store.write(lambda tx: tx.execute("DELETE FROM jobs").fetchall())


def test_cancel_beats_a_later_pause(store: Store) -> None:
    job = brought_to(store, "running")
    store.write(lambda tx: (jobs.cancel(tx, job.id), jobs.pause(tx, job.id), jobs.resume(tx, job.id)))
    assert store.read(lambda reading: jobs.standing(reading, job.id)[1]) == "cancel"


def test_claims_follow_priority_then_sequence_within_their_lane(store: Store) -> None:
    made = [queue(store, priority=p, lane=lane).id for p, lane in [(0, "cpu"), (9, "cpu"), (9, "cpu"), (99, "io")]]
    assert store.read(lambda reading: jobs.head_priority(reading, "cpu")) == 9
    claimed = [store.write(lambda tx: jobs.claim(tx, "cpu")) for _ in range(4)]
    assert [job and job.id for job in claimed] == [made[1], made[2], made[0], None]
    assert store.read(lambda reading: jobs.head_priority(reading, "cpu")) is None


def test_what_takes_the_process_down_at_the_same_place_is_failed(store: Store) -> None:
    job = queue(store)
    for _ in range(jobs.MAX_ATTEMPTS - 1):
        store.write(lambda tx: jobs.claim(tx, "cpu"))
        assert store.write(jobs.recover)[0].state == "queued"
    store.write(lambda tx: jobs.claim(tx, "cpu"))
    store.write(lambda tx: jobs.advance(tx, job.id, checkpoint={"next": 1}))  # it got on: counted anew
    for _ in range(jobs.MAX_ATTEMPTS):
        recovered = store.write(jobs.recover)[0]
        assert recovered.state == "queued"
        store.write(lambda tx: jobs.claim(tx, "cpu"))
    failed = store.write(jobs.recover)[0]
    assert failed.state == "failed"
    assert "3 times" in failed.error["message"]
    assert store.write(lambda tx: jobs.retry(tx, job.id)).attempts == 0
    assert store.read(lambda reading: jobs.standing(reading, job.id)[0]) == {"next": 1}


@pytest.mark.parametrize("state", ["queued", "paused", "done", "failed", "cancelled"])
def test_only_a_running_job_advances_or_ends(store: Store, state: str) -> None:
    job = brought_to(store, state)
    with pytest.raises(JobCancelled):
        store.write(lambda tx: jobs.advance(tx, job.id, progress=1))
    assert store.write(lambda tx: jobs.finish(tx, job.id, {})) is None
    assert store.write(lambda tx: jobs.fail(tx, job.id, {})) is None
    assert store.write(lambda tx: jobs.stop(tx, job.id)) is None
    assert store.read(lambda reading: jobs.get(reading, job.id)) == job


def test_pages_and_filters(store: Store) -> None:
    user = store.write(lambda tx: users.create(tx, email="a@b.example", name="A", role="member", password_hash="x"))
    project = store.write(lambda tx: projects.create(tx, name="p", created_by=None))
    other = store.write(lambda tx: projects.create(tx, name="q", created_by=None))
    store.write(lambda tx: members.put(tx, project.id, user.id, "annotator"))
    ids = [queue(store, project_id=p).id for p in (project.id, other.id, None, project.id)]
    store.write(lambda tx: jobs.pause(tx, ids[0]))
    first = store.read(lambda reading: jobs.listed(reading, limit=3))
    assert [job.id for job in first.items] == ids[:0:-1]
    rest = store.read(lambda reading: jobs.listed(reading, after=first.next, limit=3))
    assert ([job.id for job in rest.items], rest.next) == ([ids[0]], None)
    mine = store.read(lambda reading: jobs.listed(reading, visible_to=user.id))
    assert [job.id for job in mine.items] == [ids[3], ids[0]]
    paused = store.read(lambda reading: jobs.listed(reading, project_id=project.id, state="paused"))
    assert [job.id for job in paused.items] == [ids[0]]
    with pytest.raises(NotFound):
        store.read(lambda reading: jobs.get(reading, 99))


@pytest.mark.parametrize("project_id", [None, 1])
@pytest.mark.parametrize("state", [None, "queued"])
@pytest.mark.parametrize("visible_to", [None, 1])
def test_lists_walk_an_index(store: Store, project_id: int | None, state: str | None, visible_to: int | None) -> None:
    plans = []

    class Explaining:
        def execute(self, sql: str, parameters: tuple) -> list:
            with store.reading() as reading:
                plans.extend(row[3] for row in reading.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))
            return []

    jobs.listed(Explaining(), project_id=project_id, state=state, visible_to=visible_to)
    jobs.head_priority(Explaining(), "cpu")
    assert plans
    assert not [step for step in plans if "TEMP B-TREE" in step or step.startswith("SCAN")]


def test_events_go_to_the_project_or_to_the_owner(store: Store) -> None:
    user = store.write(lambda tx: users.create(tx, email="a@b.example", name="A", role="member", password_hash="x"))
    project = store.write(lambda tx: projects.create(tx, name="p", created_by=None))
    heard = []
    store.bus.subscribe(lambda event: heard.append((event.project_id, event.user_id)))
    for project_id in (project.id, None):
        store.write(lambda tx, p=project_id: jobs.create(tx, "fake", "cpu", 0, {}, project_id=p, created_by=user.id))
    queue(store)
    assert heard == [(project.id, None), (None, user.id), (None, None)]


def test_notes_keep_their_order(store: Store) -> None:
    job = queue(store)
    kept = [Note(code="a", message="x", file="f"), Note(code="b", message="y", count=3)]
    store.write(lambda tx: jobs.add_notes(tx, job.id, kept))
    assert store.read(lambda reading: jobs.notes(reading, job.id)) == kept
