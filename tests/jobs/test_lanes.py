"""Who may not wait takes a lane at once: what is held is ended, what rests makes room."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from appliance.jobs._base import BATCH, INTERACTIVE
from appliance.jobs.lanes import ThreadLane, Turn
from tests._wait import until


class Job:
    """A job whose steps the test decides."""

    def __init__(self, priority: int = BATCH) -> None:
        self.turn, self.name = Turn(priority), "job"
        self.over = threading.Event()

    def run(self) -> None:
        assert self.over.wait(60)


@pytest.fixture
def queue() -> list[Job]:
    return []


@pytest.fixture
def lane(queue: list[Job]) -> Iterator[ThreadLane]:
    lane = ThreadLane(
        "test",
        1,
        head=lambda: queue[0].turn.priority if queue else None,
        begin=lambda: queue.pop(0) if queue else None,
    )
    lane.start()
    yield lane
    assert lane.stop(60)


@pytest.fixture
def job(queue: list[Job], lane: ThreadLane) -> Iterator[Job]:
    queue.append(job := Job())
    lane.poke()
    until(lambda: lane.busy() == 1)
    yield job
    job.over.set()


class Click:
    """A click on a thread of its own, which holds the lane until the test lets it go."""

    def __init__(self, lane: ThreadLane, **how: bool) -> None:
        self.there, self.go = threading.Event(), threading.Event()
        self._lane, self._how = lane, how
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self._lane.borrowed(INTERACTIVE, **self._how):
            self.there.set()
            assert self.go.wait(60)

    def done(self) -> None:
        self.go.set()
        self._thread.join(60)


def never() -> bool:
    return False


def test_a_click_ends_what_is_held_and_the_holder_goes_on_after_it(lane: ThreadLane, job: Job) -> None:
    ended = threading.Event()
    lane.hold(job.turn, ended.set, never)
    click = Click(lane, hurried=True)
    assert ended.wait(60)
    assert not click.there.is_set()
    lane.rest(job.turn)
    assert click.there.wait(60)
    again = threading.Thread(target=lane.hold, args=(job.turn, ended.set, never))
    again.start()
    assert again.is_alive()
    click.done()
    again.join(60)
    assert not again.is_alive()
    assert lane.busy() == 1


def test_a_click_takes_the_place_of_who_rests_and_no_queued_job_does(
    lane: ThreadLane, job: Job, queue: list[Job]
) -> None:
    lane.hold(job.turn, lambda: None, never)
    lane.rest(job.turn)
    queue.append(other := Job())
    lane.poke()
    click = Click(lane, hurried=True)
    assert click.there.wait(60)
    assert lane.contested(job.turn)
    click.done()
    until(lambda: not lane.contested(job.turn))
    assert queue == [other]
    job.over.set()
    until(lambda: not queue)
    other.over.set()


def test_who_is_in_no_hurry_waits_for_a_pause_point(lane: ThreadLane, job: Job) -> None:
    ended = threading.Event()
    lane.hold(job.turn, ended.set, never)
    click = Click(lane)
    until(lambda: lane.contested(job.turn))
    assert not ended.is_set()
    gave_way = threading.Thread(target=lane.give_way, args=(job.turn, never))
    gave_way.start()
    assert click.there.wait(60)
    click.done()
    gave_way.join(60)
    assert not ended.is_set()


def test_a_click_that_came_before_the_hold_ends_it(lane: ThreadLane, job: Job) -> None:
    click, ended = Click(lane, hurried=True), threading.Event()
    until(lambda: lane.contested(job.turn))
    lane.hold(job.turn, ended.set, never)
    assert ended.is_set()
    lane.rest(job.turn)
    assert click.there.wait(60)
    click.done()


def test_a_brief_click_runs_beside_a_long_one_and_only_beside_clicks(lane: ThreadLane, job: Job) -> None:
    lane.hold(job.turn, lambda: None, never)
    brief = Click(lane, hurried=True, brief=True)
    until(lambda: lane.contested(job.turn))
    assert not brief.there.is_set()
    lane.rest(job.turn)
    long = Click(lane, hurried=True)
    assert brief.there.wait(60)
    assert not long.there.is_set()
    brief.done()
    assert long.there.wait(60)
    beside, third = (Click(lane, hurried=True, brief=True) for _ in range(2))
    until(lambda: beside.there.is_set() or third.there.is_set())
    assert lane.busy() == 2
    for click in (beside, third, long):
        click.done()
    assert beside.there.is_set()
    assert third.there.is_set()


def test_nobody_makes_room_for_who_is_no_more_urgent(lane: ThreadLane, queue: list[Job]) -> None:
    queue.append(first := Job(INTERACTIVE))
    lane.poke()
    until(lambda: lane.busy() == 1)
    ended = threading.Event()
    lane.hold(first.turn, ended.set, never)
    click = Click(lane, hurried=True)
    until(lambda: len(lane._waiting) == 1)
    lane.rest(first.turn)
    assert not click.there.is_set()
    assert not ended.is_set()
    first.over.set()
    assert click.there.wait(60)
    click.done()
