"""What can be made again: kept by use, within a budget."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.store.cache import Cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10_000)


def put(cache: Cache, key: str, size_bytes: int = 1_000, age_s: float = 0) -> Path:
    path = cache.put("thumbnail", key, lambda target: target.write_bytes(b"x" * size_bytes))
    then = time.time() - age_s
    os.utime(path, (then, then))
    return path


def test_made_once_then_found(cache: Cache) -> None:
    assert cache.get("thumbnail", "ab12.jpg") is None
    path = put(cache, "ab12.jpg")
    assert cache.get("thumbnail", "ab12.jpg") == path == cache.path("thumbnail", "ab12.jpg")
    assert cache.get("rendition", "ab12.jpg") is None
    cache.forget("thumbnail", "ab12.jpg")
    cache.forget("thumbnail", "ab12.jpg")
    assert cache.get("thumbnail", "ab12.jpg") is None


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10_000)
    big = Cache(tmp_path / "cache", 1 << 40)
    for number in range(15):
        put(big, f"{number:02x}.jpg", age_s=1_000 - number)
    assert cache.get("thumbnail", "00.jpg")
    assert cache.trim() == 6
    left = {path.name for path in (tmp_path / "cache").rglob("*.jpg")}
    assert left == {"00.jpg", *(f"{number:02x}.jpg" for number in range(7, 15))}
    assert cache.size_bytes() == 9_000
    assert cache.trim() == 0


def test_the_budget_is_kept_by_putting(cache: Cache) -> None:
    for number in range(40):
        put(cache, f"{number:02x}.jpg")
    assert cache.size_bytes() <= 10_000 + 1_000


def test_a_maker_that_fails_leaves_nothing(cache: Cache) -> None:
    def make(target: Path) -> None:
        target.write_bytes(b"half")
        raise ValueError("broken picture")

    with pytest.raises(ValueError, match="broken"):
        cache.put("thumbnail", "ab.jpg", make)
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == []


def test_what_is_being_made_is_not_dropped_but_what_a_crash_left_is(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 0)
    partials: list[Path] = []

    def make(target: Path) -> None:
        target.write_bytes(b"x" * 100)
        partials.append(target)
        cache.trim()

    put_path = cache.put("thumbnail", "ab.jpg", make)
    left = put_path.with_name(partials[0].name)
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    assert cache.trim() == 1
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == []


def test_many_put_the_same_and_different_keys_at_once(cache: Cache) -> None:
    def work(number: int) -> None:
        key = f"{number % 5:02x}.jpg"
        cache.put("thumbnail", key, lambda target: target.write_bytes(bytes([number % 5]) * 500))
        cache.trim()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(200)))
    for number in range(5):
        path = cache.get("thumbnail", f"{number:02x}.jpg")
        assert path is not None
        assert path.read_bytes() == bytes([number]) * 500
    assert not list(cache.folder.rglob(".*"))
