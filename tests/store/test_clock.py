"""Time only grows, however the wall clock jumps."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.settings import Settings
from appliance.store import Store
from appliance.store.clock import Clock

HOUR_MS = 3_600_000


class Watch:
    """A wall clock and a monotonic clock, set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall_ms, self.mono_ms = 1_700_000_000_000, 5_000
        monkeypatch.setattr("time.time_ns", lambda: self.wall_ms * 1_000_000)
        monkeypatch.setattr("time.monotonic_ns", lambda: self.mono_ms * 1_000_000)

    def pass_ms(self, duration_ms: int) -> None:
        self.wall_ms += duration_ms
        self.mono_ms += duration_ms


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


def test_it_follows_the_wall_clock(watch: Watch) -> None:
    clock = Clock()
    assert clock.now_ms() == watch.wall_ms
    watch.pass_ms(250)
    assert clock.now_ms() == watch.wall_ms
    watch.wall_ms += HOUR_MS
    assert clock.now_ms() == watch.wall_ms


def test_set_back_it_goes_on_by_the_monotonic_clock(watch: Watch) -> None:
    clock = Clock()
    before = clock.now_ms()
    watch.wall_ms -= HOUR_MS
    assert clock.now_ms() == before
    watch.pass_ms(40)
    assert clock.now_ms() == before + 40
    watch.wall_ms += 2 * HOUR_MS
    assert clock.now_ms() == watch.wall_ms


def test_it_starts_from_the_high_water_mark(watch: Watch) -> None:
    mark = watch.wall_ms + HOUR_MS
    clock = Clock(mark)
    assert clock.now_ms() == mark
    watch.pass_ms(10)
    assert clock.now_ms() == mark + 10


def test_any_jumps_leave_it_growing(watch: Watch) -> None:
    clock, seen = Clock(), []
    for jump in (0, -HOUR_MS, 5, 10 * HOUR_MS, -20 * HOUR_MS, 1, -watch.wall_ms // 2, 7):
        watch.wall_ms += jump
        watch.mono_ms += 3
        seen.append(clock.now_ms())
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen)


def test_a_restart_with_a_dead_battery_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = Settings(reserve_bytes=0, readers=1)
    with Store(tmp_path, quiet) as store:
        written = store.write(lambda tx: tx.now_ms)
    monkeypatch.setattr("time.time_ns", lambda: 0)
    with Store(tmp_path, quiet) as store:
        assert store.write(lambda tx: tx.now_ms) >= written
