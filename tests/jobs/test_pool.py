"""A pool of children: throughput kept, culprits named, neighbours unharmed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.errors import ChildFailed, InvalidInput, Unavailable
from appliance.jobs.children import Child
from appliance.jobs.pool import Pool

Make = Callable[..., Pool]


@pytest.fixture
def make() -> Iterator[Make]:
    pools: list[Pool] = []

    def made(size: int = 2, **options: Any) -> Pool:
        pool = Pool(lambda: Child("jobs.fake_task", memory_bytes=512 << 20), size, **{"deadline_s": 20.0, **options})
        pools.append(pool)
        return pool

    yield made
    for pool in pools:
        pool.stop()


def test_every_request_gets_its_own_answer(make: Make) -> None:
    pool = make()
    answers = [pool.submit({"do": "echo", "value": number}) for number in range(500)]
    assert [answer.result(30)["echo"] for answer in answers] == list(range(500))


@pytest.mark.parametrize(("bad", "reason"), [("abort", "signal"), ("exit", "exit"), ("hog", "memory")])
def test_a_crash_hits_the_culprit_only(make: Make, bad: str, reason: str) -> None:
    pool = make()
    culprits = {7, 8, 23}
    answers = [pool.submit({"do": bad if number in culprits else "echo", "value": number}) for number in range(40)]
    for number, answer in enumerate(answers):
        if number in culprits:
            with pytest.raises(ChildFailed) as caught:
                answer.result(30)
            assert caught.value.details["reason"] == reason
        else:
            assert answer.result(30) == {"echo": number}


@pytest.mark.parametrize(("do", "reason"), [("spin", "deadline"), ("hang", "starved")])
def test_a_hang_is_ended_and_those_behind_it_are_served(make: Make, do: str, reason: str) -> None:
    pool = make(1, deadline_s=3.0)
    pool.submit({"do": "echo"}).result(30)
    answers = [pool.submit({"do": do}), *(pool.submit({"do": "echo", "value": n}) for n in range(5))]
    with pytest.raises(ChildFailed, match="longer than 3 s") as caught:
        answers[0].result(30)
    assert caught.value.details["reason"] == reason
    assert [answer.result(30)["echo"] for answer in answers[1:]] == list(range(5))


def test_an_error_of_the_tree_leaves_the_child_alive(make: Make) -> None:
    pool = make(1)
    before = pool.submit({"do": "facts"}).result(30)["pid"]
    with pytest.raises(InvalidInput):
        pool.submit({"do": "refuse"}).result(30)
    assert pool.submit({"do": "facts"}).result(30)["pid"] == before


def test_children_are_replaced_after_so_many_requests(make: Make) -> None:
    pool = make(1, recycle_after=3)
    pids = [pool.submit({"do": "facts"}).result(30)["pid"] for _ in range(7)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]


def test_idle_children_end_and_come_back(make: Make) -> None:
    pool = make(1, idle_s=0.0)
    pids = {pool.submit({"do": "facts"}).result(30)["pid"] for _ in range(3)}
    assert len(pids) == 3


def test_a_cancelled_request_is_passed_over(make: Make) -> None:
    pool = make(1)
    answers = [pool.submit({"do": "echo", "value": number}) for number in range(50)]
    given_up = [answer for answer in answers[1::2] if answer.cancel()]
    assert given_up
    assert [answer.result(30)["echo"] for answer in answers[::2]] == list(range(0, 50, 2))
    assert pool.submit({"do": "echo", "value": "still here"}).result(30) == {"echo": "still here"}


def test_many_threads_and_an_event_loop_share_it(make: Make) -> None:
    pool = make()
    results: list[int] = []

    def ask(start: int) -> None:
        for number in range(start, start + 40):
            results.append(pool.submit({"do": "echo", "value": number}).result(30)["echo"])

    async def ask_async() -> list[int]:
        asked = [asyncio.wrap_future(pool.submit({"do": "echo", "value": n})) for n in range(40)]
        return [answer["echo"] for answer in await asyncio.gather(*asked)]

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(0, 160, 40)]
    for thread in threads:
        thread.start()
    assert asyncio.run(ask_async()) == list(range(40))
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(160))


def test_stop_answers_everybody(make: Make) -> None:
    pool = make(1)
    answers = [pool.submit({"do": "hang"}), *(pool.submit({"do": "echo"}) for _ in range(20))]
    pool.stop()
    for answer in answers:
        with pytest.raises((ChildFailed, Unavailable)):
            answer.result(30)
    with pytest.raises(Unavailable):
        pool.submit({"do": "echo"})


def test_a_child_that_cannot_be_started_fails_the_requests_and_not_the_pool() -> None:
    def start() -> Child:
        return Child("jobs.fake_task", interpreter=["/nowhere/python"])

    pool = Pool(start, 1, deadline_s=5.0)
    for _ in range(2):
        with pytest.raises(Unavailable):
            pool.submit({"do": "echo"}).result(30)
    pool.stop()
