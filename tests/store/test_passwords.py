"""Passwords: hashed few at a time and not without end, and none that everybody tries first."""

from __future__ import annotations

import threading

import pytest

from appliance.errors import InvalidInput, TooManyRequests
from appliance.settings import Settings
from appliance.store import passwords
from appliance.store.guessable import common, guessable
from appliance.store.passwords import Passwords


@pytest.fixture
def hasher():
    made = Passwords(Settings(argon2_memory_kib=19 * 1024, argon2_time=2, argon2_lanes=1))
    yield made
    made.close()


def test_a_hundred_sign_ins_at_once_run_two_at_a_time(hasher: Passwords):
    running = threading.BoundedSemaphore(passwords._PARALLEL)
    crowded = []
    verify = hasher._matches

    def watched(known: str, password: str) -> bool:
        if not running.acquire(blocking=False):
            crowded.append(password)
            return verify(known, password)
        try:
            return verify(known, password)
        finally:
            running.release()

    hasher._matches = watched
    known = hasher.hash("a long enough secret 9").result(30)
    answers = [hasher.verify(known if n % 2 else None, "a long enough secret 9") for n in range(100)]
    assert [a.result(60) for a in answers] == [bool(n % 2) for n in range(100)]
    assert not crowded


def test_more_than_can_wait_are_told_to_come_again(hasher: Passwords):
    go = threading.Event()
    hasher._matches = lambda _known, _password: go.wait(30)
    waiting = [hasher.verify(None, "x") for _ in range(passwords._WAITING)]
    with pytest.raises(TooManyRequests):
        hasher.verify(None, "x")
    go.set()
    assert not any(one.result(30) for one in waiting)
    assert hasher.verify(None, "x").result(30) is False


def test_the_most_common_passwords_are_refused_however_they_are_stretched():
    assert len(common()) >= 3_000
    assert common()[:3] == ("123456", "password", "12345678")
    for password in common():
        with pytest.raises(InvalidInput):
            passwords.check(password)
        assert guessable(password)
        assert guessable(f"{password.capitalize()}{password}")
        assert guessable(f"{password}2024!")


@pytest.mark.parametrize(
    "password",
    ["correct horse battery staple", "a long enough secret 9", "vTq8-Lw2m-Xz7p", "the rust on bolt 14 came off"],
)
def test_sentences_and_random_ones_are_taken(password: str):
    passwords.check(password, email="ann@example.org", name="Ann")
