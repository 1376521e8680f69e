"""The space kept back for the day the disk is full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.store.reserve import Reserve
from tests._shared import ROOT

MIB = 1 << 20


def test_real_blocks_are_kept_and_given_once(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", MIB)
    assert reserve.keep()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= MIB
    assert reserve.keep()
    assert reserve.give()
    assert not (tmp_path / "reserve").exists()
    assert not reserve.give()
    assert reserve.keep()


def test_nothing_is_kept_when_nothing_is_wanted(tmp_path: Path) -> None:
    assert not Reserve(tmp_path / "reserve", 0).keep()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_starts_without_it(tiny_disk: Path) -> None:
    assert not Reserve(tiny_disk / "reserve", 64 * MIB).keep()
    assert list(tiny_disk.iterdir()) == []
    assert Reserve(tiny_disk / "reserve", MIB // 4).keep()


def test_an_error_that_is_not_a_full_disk_is_told(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys, pathlib\n"
        "from appliance.store.reserve import Reserve\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "Reserve(pathlib.Path(sys.argv[1]), 1 << 20).keep()\n"
    )
    path = tmp_path / "reserve"
    result = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "File too large" in result.stderr
    assert not path.exists()


@pytest.mark.parametrize("size_bytes", [1, 5 * MIB])
def test_a_changed_size_is_kept_at_the_next_start(tmp_path: Path, size_bytes: int) -> None:
    Reserve(tmp_path / "reserve", MIB).keep()
    assert Reserve(tmp_path / "reserve", size_bytes).keep()
    assert (tmp_path / "reserve").stat().st_size >= size_bytes
