"""The queue and its lanes as a whole: order, hand-over, steering, ends and new starts."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.jobs._base import BATCH, INTERACTIVE, Kind
from appliance.jobs.services import Jobs
from appliance.records import Note
from appliance.store import Store, jobs, projects
from tests.jobs._service import WAIT_S, Anything, Gate, audited, serving


def test_a_job_runs_to_its_end_and_tells_of_it(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        states = []
        service.store.bus.subscribe(lambda event: states.append(event.data["job"]["state"]))
        job = service.wait(service.submit("fake", {"to": 4}).id, WAIT_S)
        assert (job.state, job.result, job.progress, job.total) == ("done", {"counted": 4}, 4, 4)
        assert job.started_at_ms is not None
        assert job.finished_at_ms >= job.started_at_ms >= job.created_at_ms
        assert states[:2] == ["queued", "running"]
        assert states[-1] == "done"


def test_progress_is_not_told_more_than_a_few_times_a_second(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        told = []
        service.store.bus.subscribe(told.append)
        job = service.wait(service.submit("fake", {"to": 300}).id, WAIT_S)
        seconds = (job.finished_at_ms - job.started_at_ms) / 1000
        assert len(told) <= 3 + seconds / 0.25 + 1


@pytest.mark.parametrize("parameters", [{"to": -1}, {"to": "many"}, {"unknown": 1}, {"then": "dance"}])
def test_parameters_that_do_not_fit_are_refused_at_once(tmp_path: Path, parameters: dict) -> None:
    with serving(tmp_path) as service:
        with pytest.raises(InvalidInput, match="fake"):
            service.submit("fake", parameters)
        with pytest.raises(NotFound, match="kind"):
            service.submit("dance")


def test_urgent_first_then_oldest(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        service = Jobs(store)
        gate = Gate(service)
        for name, priority in [("a", 100), ("b", 200), ("c", 100), ("d", 200)]:
            service.submit("gate", {"name": name}, priority=priority)
            gate.let(name)
        service.start()
        for job in store.read(jobs.listed).items:
            assert service.wait(job.id, WAIT_S).state == "done"
        service.stop()
        assert [name for name, _ in gate.log] == ["b", "d", "a", "c"]


def test_a_lane_is_handed_over_between_batches_and_comes_back(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        gate = Gate(service)
        slow = service.submit("gate", {"name": "slow", "batches": 3})
        gate.reached("slow", 0)
        urgent = service.submit("gate", {"name": "urgent", "batches": 2}, priority=INTERACTIVE)
        equal = service.submit("gate", {"name": "equal"})
        gate.contested("slow")
        gate.let("slow")
        gate.reached("urgent", 0)
        assert ("slow", 1) not in gate.log
        gate.let("urgent", 2)
        gate.let("slow", 2)
        gate.let("equal")
        assert service.wait(slow.id, WAIT_S).state == "done"
        assert service.wait(urgent.id, WAIT_S).state == "done"
        assert service.wait(equal.id, WAIT_S).state == "done"
        names = ["slow", "urgent", "urgent", "slow", "slow", "equal"]
        assert [name for name, _ in gate.log] == names


def test_a_lane_is_lent_to_work_that_is_no_job(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        gate = Gate(service, "model")
        job = service.submit("gate", {"name": "batch", "batches": 2})
        gate.reached("batch", 0)
        lent, give_back = threading.Event(), threading.Event()

        def click() -> None:
            with service.lanes["model"].borrowed(INTERACTIVE):
                lent.set()
                give_back.wait(WAIT_S)

        clicker = threading.Thread(target=click)
        clicker.start()
        assert not lent.is_set()
        gate.let("batch", 2)
        assert lent.wait(WAIT_S)
        assert gate.log == [("batch", 0)]
        give_back.set()
        clicker.join()
        assert service.wait(job.id, WAIT_S).state == "done"


def test_pause_resume_and_cancel_while_it_runs(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        gate = Gate(service)
        job = service.submit("gate", {"name": "a", "batches": 3})
        gate.reached("a", 0)
        assert service.pause(job.id).state == "running"
        gate.let("a")
        assert service.wait(job.id, WAIT_S).state == "paused"
        assert gate.log == [("a", 0)]
        service.resume(job.id)
        gate.reached("a", 1)
        service.pause(job.id)
        service.resume(job.id)  # withdrawn before the batch ended
        gate.let("a")
        gate.reached("a", 2)
        service.cancel(job.id)
        gate.let("a")
        ended = service.wait(job.id, WAIT_S)
        assert (ended.state, ended.progress) == ("cancelled", 3)
        assert ended.finished_at_ms is not None


def test_a_job_that_gave_way_can_be_cancelled_meanwhile(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        gate = Gate(service)
        slow = service.submit("gate", {"name": "slow", "batches": 3})
        gate.reached("slow", 0)
        urgent = service.submit("gate", {"name": "urgent"}, priority=INTERACTIVE)
        gate.contested("slow")
        gate.let("slow")
        gate.reached("urgent", 0)
        service.cancel(slow.id)
        assert service.wait(slow.id, WAIT_S).state == "cancelled"
        gate.let("urgent")
        assert service.wait(urgent.id, WAIT_S).state == "done"


def test_failures_are_kept_with_their_notes_and_retried(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        failed = service.wait(service.submit("fake", {"to": 3, "at": 1, "then": "fail"}).id, WAIT_S)
        assert failed.state == "failed"
        assert failed.error == {
            "code": "invalid-input", "message": "the job failed as it was asked to", "field": "then",
        }  # fmt: skip
        service.retry(failed.id, "the disk was changed")
        again = service.wait(failed.id, WAIT_S)
        assert (again.state, again.progress) == ("failed", 1)
        assert len(audited(service.store)) == 1
        notes = service.store.read(lambda reading: jobs.notes(reading, failed.id))
        assert notes[0] == Note(code="invalid-input", message="as asked", file="a.jpg")
        assert [note.code for note in notes] == ["invalid-input", "invalid-input", "retried", "invalid-input"]


def test_an_error_that_is_a_fault_of_ours_does_not_show_its_inside(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        failed = service.wait(service.submit("fake", {"to": 3, "then": "break"}).id, WAIT_S)
        assert failed.state == "failed"
        assert "RuntimeError" in failed.error["message"]
        assert "as asked" not in failed.error["message"]
        assert service.wait(service.submit("fake").id, WAIT_S).state == "done"


def test_stop_sends_a_running_job_back_and_the_next_start_goes_on(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        service = Jobs(store)
        gate = Gate(service)
        service.start()
        job = service.submit("gate", {"name": "a", "batches": 2})
        gate.reached("a", 0)
        stopping = threading.Thread(target=service.stop, args=(WAIT_S,))
        stopping.start()
        gate.halted("a")
        gate.let("a")
        stopping.join()
        left = store.read(lambda reading: jobs.get(reading, job.id))
        assert (left.state, left.progress, left.attempts) == ("queued", 1, 0)
        later = Jobs(store)
        gate = Gate(later)
        gate.let("a")
        later.start()
        assert later.wait(job.id, WAIT_S).state == "done"
        assert gate.log == [("a", 1)]
        later.stop()


def test_stop_does_not_wait_for_a_job_that_never_comes_to_a_boundary(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        service = Jobs(store)
        gate = Gate(service)
        service.start()
        service.submit("gate", {"name": "a"})
        gate.reached("a", 0)
        service.stop(timeout_s=0.1)
        assert [one.state for one in store.write(jobs.recover)] == ["queued"]
        gate.let("a")


def test_deleting_the_project_takes_its_running_job_along(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        gate = Gate(service)
        project = service.store.write(lambda tx: projects.create(tx, name="p", created_by=None))
        job = service.submit("gate", {"name": "a", "batches": 2}, project_id=project.id)
        gate.reached("a", 0)
        service.store.write(lambda tx: tx.execute("DELETE FROM projects WHERE id = ?", (project.id,)).fetchall())
        gate.let("a", 2)
        after = service.submit("gate", {"name": "b"})
        gate.let("b")
        assert service.wait(after.id, WAIT_S).state == "done"
        assert ("a", 1) not in gate.log
        with pytest.raises(NotFound):
            service.wait(job.id, 0)


def test_a_job_of_a_kind_that_is_gone_fails_with_words(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.write(lambda tx: jobs.create(tx, "gone", "cpu", BATCH, {}, project_id=None, created_by=None))
        service = Jobs(store)
        service.start()
        job = service.wait(1, WAIT_S)
        service.stop()
        assert job.state == "failed"
        assert "'gone'" in job.error["message"]


def test_the_schedule_starts_a_chore_once(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        started, go = threading.Event(), threading.Event()

        def run(_context: object, _parameters: object) -> dict:
            started.set()
            assert go.wait(WAIT_S)
            return {}

        service.kinds["chore"] = Kind("chore", "io", 0, Anything, run, every_s=1.0)
        assert service._schedule.submit_due("chore")
        assert started.wait(WAIT_S)
        assert not service._schedule.submit_due("chore")
        go.set()
        assert service.wait(1, WAIT_S).state == "done"
        assert service._schedule.submit_due("chore")


def test_what_is_over_cannot_be_steered(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        done = service.wait(service.submit("fake").id, WAIT_S)
        for steer in (service.pause, service.resume, service.cancel, service.retry):
            with pytest.raises(Conflict, match="is done"):
                steer(done.id)
