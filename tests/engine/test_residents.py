"""Loaded models keep to their budget; those nobody uses go first."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.engine.backends._graph import Stop
from appliance.engine.residents import Residents
from appliance.errors import BackendUnavailable

BATCH = np.zeros((1, 3, 8, 8), np.float32)


class Loaded:
    def __init__(self, size: int, log: list[str], name: str) -> None:
        self.device_bytes, self._log, self.name, self.broken = size, log, name, False
        log.append(f"load {name}")

    def run(self, batch: np.ndarray, stop: Stop | None = None) -> list[np.ndarray]:  # noqa: ARG002
        if self.broken:
            raise BackendUnavailable("the device is lost")
        return [batch]

    def close(self) -> None:
        self._log.append(f"close {self.name}")


def lend(residents: Residents, log: list[str], name: str, size: int = 40):
    return residents.lend(name, size, lambda: Loaded(size, log, name))


def test_a_session_given_back_is_lent_again_without_loading() -> None:
    log: list[str] = []
    residents = Residents(100)
    lend(residents, log, "a").close()
    again = lend(residents, log, "a")
    assert again.run(BATCH)[0] is BATCH
    assert log == ["load a"]
    again.close()
    again.close()
    with pytest.raises(BackendUnavailable, match="unloaded"):
        again.run(BATCH)


def test_the_least_recently_used_makes_room() -> None:
    log: list[str] = []
    residents = Residents(100)
    a, b = lend(residents, log, "a"), lend(residents, log, "b")
    b.close()
    a.close()
    lend(residents, log, "c")
    assert log == ["load a", "load b", "close b", "load c"]
    assert residents.used_bytes == 80


def test_what_is_in_use_stays_and_the_next_one_is_told_why() -> None:
    log: list[str] = []
    residents = Residents(100)
    a, _b = lend(residents, log, "a"), lend(residents, log, "b")
    with pytest.raises(BackendUnavailable, match="engine_memory_bytes"):
        lend(residents, log, "c")
    a.close()
    lend(residents, log, "c")
    assert log == ["load a", "load b", "close a", "load c"]


def test_a_model_larger_than_the_budget_runs_alone_and_is_not_kept() -> None:
    log: list[str] = []
    residents = Residents(100)
    lend(residents, log, "a").close()
    large = lend(residents, log, "large", 400)
    assert log == ["load a", "close a", "load large"]
    large.close()
    assert log[-1] == "close large"
    assert residents.used_bytes == 0


def test_the_same_model_is_loaded_twice_for_two_borrowers() -> None:
    log: list[str] = []
    residents = Residents(100)
    lend(residents, log, "a")
    lend(residents, log, "a")
    assert log == ["load a", "load a"]


def test_a_session_that_failed_is_not_lent_again() -> None:
    log: list[str] = []
    residents = Residents(100)
    loaded: list[Loaded] = []

    def load() -> Loaded:
        loaded.append(Loaded(40, log, "a"))
        return loaded[-1]

    first = residents.lend("a", 40, load)
    loaded[0].broken = True
    with pytest.raises(BackendUnavailable, match="lost"):
        first.run(BATCH)
    first.close()
    residents.lend("a", 40, load).run(BATCH)
    assert log == ["load a", "close a", "load a"]
    assert residents.used_bytes == 40
