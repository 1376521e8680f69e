"""Group commit: nobody is told "saved" who is not."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from time import perf_counter

import apsw
import pytest

from appliance.errors import InvalidInput, PixelQueueError, StorageFull, StoreError
from appliance.settings import Settings
from appliance.store import Store, Transaction
from tests.store._faults import FaultyDisk


@pytest.fixture(scope="module")
def disk():
    vfs = FaultyDisk()
    yield vfs
    vfs.unregister()


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "box") as opened:
        yield opened


def put(key: str, size: int = 10):
    def call(tx: Transaction) -> str:
        tx.execute("INSERT INTO meta VALUES (?, ?)", (key, "x" * size))
        return key

    return call


def stopped(store: Store) -> threading.Event:
    """Hold the writer in a transaction, so that what is queued next forms one group."""
    go = threading.Event()
    store.writing(lambda _: go.wait(30))
    return go


def keys(store: Store) -> set[str]:
    """Return what was put, without what the store itself keeps there."""
    known = set(store.read(lambda r: [k for (k,) in r.execute("SELECT key FROM meta")]))
    return known - {"high_water_ms", "box_id"}


def outcome(future: Future[str]) -> str | None:
    try:
        return future.result(30)
    except (PixelQueueError, apsw.Error):
        return None


def test_answers_come_after_the_commit(store: Store):
    assert store.write(put("a")) == "a"
    assert keys(store) == {"a"}


def test_a_group_is_one_commit(store: Store):
    commits = []
    store._connection.set_commit_hook(lambda: bool(commits.append(1)))
    go = stopped(store)
    futures = [store.writing(put(f"k{i}")) for i in range(50)]
    go.set()
    assert [f.result(30) for f in futures] == [f"k{i}" for i in range(50)]
    assert len(commits) <= 2


def test_a_failing_callable_leaves_its_neighbours_alone(store: Store):
    def bad(tx: Transaction) -> None:
        put("half")(tx)
        raise InvalidInput("no", field="x")

    go = stopped(store)
    first, second, third = store.writing(put("a")), store.writing(bad), store.writing(put("b"))
    go.set()
    assert (first.result(30), third.result(30)) == ("a", "b")
    with pytest.raises(InvalidInput):
        second.result(30)
    assert keys(store) == {"a", "b"}


def test_interactive_work_overtakes_bulk(store: Store):
    order: list[str] = []

    def note(name: str):
        return lambda _tx: order.append(name)

    go = stopped(store)
    bulk = [store.writing(note("bulk"), bulk=True) for _ in range(5)]
    person = store.writing(note("person"))
    go.set()
    for future in [*bulk, person]:
        future.result(30)
    assert order[0] == "person"
    assert order.count("bulk") == 5


def test_events_are_published_after_the_commit_and_only_then(store: Store):
    seen: list[tuple[str, bool]] = []
    reader = apsw.Connection(str(store.file), flags=apsw.SQLITE_OPEN_READONLY)

    def deliver(event) -> None:
        rows = reader.execute("SELECT 1 FROM events WHERE seq = ?", (event.seq,)).fetchall()
        seen.append((event.kind, bool(rows)))

    def failing(tx: Transaction) -> None:
        tx.event("lost", {})
        raise InvalidInput("no")

    store.bus.subscribe(deliver)
    store.write(lambda tx: tx.event("kept", {"a": 1}))
    with pytest.raises(InvalidInput):
        store.write(failing)
    assert seen == [("kept", True)]
    reader.close()


def test_a_listener_that_fails_does_not_end_the_writer(store: Store):
    def deliver(_event) -> None:
        raise RuntimeError("listener")

    store.bus.subscribe(deliver)
    store.write(lambda tx: tx.event("x", {}))
    assert store.write(put("after")) == "after"


@pytest.mark.parametrize("kind", ["full", "io"])
def test_no_fault_at_any_call_makes_a_false_promise(tmp_path: Path, disk: FaultyDisk, kind: str):
    """Fail each disk call of a group in turn: whoever was told "saved" is there after a reopen."""
    calls = _calls_of_a_group(tmp_path, disk)
    assert calls > 10
    told_errors = 0
    for at in range(calls):
        folder = tmp_path / f"{kind}-{at}"
        settings = Settings(reserve_bytes=0)
        with Store(folder, settings, vfs=disk.name) as store:
            promised = _run_group(store, disk, at, kind)
            disk.disarm()
            assert store.write(put("later")) == "later"
            told_errors += len(promised) < _GROUP_SIZE
        with Store(folder, settings) as store:
            assert promised | {"later"} <= keys(store)
            assert store.read(lambda r: r.execute("PRAGMA integrity_check").fetchall()) == [("ok",)]
    assert told_errors > 0


_GROUP_SIZE = 12


def _run_group(store: Store, disk: FaultyDisk, at: int, kind: str) -> set[str]:
    # A tiny page cache makes SQLite spill inside the SAVEPOINT, where the trap lies.
    store._connection.execute("PRAGMA cache_size = 4").fetchall()
    store._connection.execute("PRAGMA cache_spill = 2").fetchall()
    go = stopped(store)
    disk.arm(at, kind)
    futures = [store.writing(put(f"key-{i}", size=20_000)) for i in range(_GROUP_SIZE)]
    go.set()
    return {saved for f in futures if (saved := outcome(f)) is not None}


def _calls_of_a_group(tmp_path: Path, disk: FaultyDisk) -> int:
    with Store(tmp_path / "count", Settings(reserve_bytes=0), vfs=disk.name) as store:
        assert len(_run_group(store, disk, 1 << 40, "full")) == _GROUP_SIZE
        return min(disk.calls, 80)


def test_the_transaction_lost_inside_a_savepoint_costs_only_the_culprit(tmp_path: Path, disk: FaultyDisk):
    """The SAVEPOINT trap itself: the error rolls back everything, neighbours run again."""
    with Store(tmp_path / "box", Settings(reserve_bytes=0), vfs=disk.name) as store:

        def culprit(tx: Transaction) -> None:
            put("culprit")(tx)
            tx.connection.execute("ROLLBACK").fetchall()  # what SQLite does by itself on FULL or IOERR
            raise apsw.FullError("disk full")

        go = stopped(store)
        before, bad, after = store.writing(put("before")), store.writing(culprit), store.writing(put("after"))
        go.set()
        assert (before.result(30), after.result(30)) == ("before", "after")
        with pytest.raises(StorageFull):
            bad.result(30)
        assert keys(store) == {"before", "after"}


def test_a_swallowed_rollback_is_no_success(store: Store):
    def swallowing(tx: Transaction) -> str:
        put("gone")(tx)
        tx.connection.execute("ROLLBACK").fetchall()
        return "fine"

    with pytest.raises(StoreError):
        store.write(swallowing)
    assert keys(store) == set()


def test_a_full_disk_costs_the_reserve_first(tmp_path: Path, disk: FaultyDisk):
    with Store(tmp_path / "box", Settings(reserve_bytes=1 << 20), vfs=disk.name) as store:
        reserve = store.folder / "reserve"
        assert reserve.stat().st_blocks * 512 >= 1 << 20
        disk.arm(0, "full")
        assert store.write(put("saved")) == "saved"
        assert not reserve.exists()
        disk.arm(0, "full", times=1 << 30)
        with pytest.raises(StorageFull):
            store.write(put("refused"))
        disk.disarm()
        assert keys(store) == {"saved"}


def test_listeners_that_fail_keep_nothing_from_the_others(store: Store):
    heard: list[str] = []
    cleaned: list[str] = []

    def failing(_event) -> None:
        raise RuntimeError("listener")

    def work(tx: Transaction) -> None:
        tx.event("one", {})
        tx.event("two", {})
        tx.after_commit += [lambda: cleaned.append("a"), lambda: 1 // 0, lambda: cleaned.append("b")]

    store.bus.subscribe(failing)
    store.bus.subscribe(lambda event: heard.append(event.kind))
    store.write(work)
    assert (heard, cleaned) == (["one", "two"], ["a", "b"])


def test_not_even_an_exit_of_a_callers_ends_the_writer(store: Store):
    def leaving(tx: Transaction) -> None:
        put("half")(tx)
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        store.write(leaving)
    assert store.write(put("after")) == "after"
    assert keys(store) == {"after"}


def test_bulk_work_gets_on_however_long_people_take(store: Store):
    """Each group has interactive work that takes longer than the slice bulk work has."""
    order: list[str] = []

    def slow(_tx: Transaction) -> None:
        order.append("person")
        begun = perf_counter()
        while perf_counter() - begun < 0.02:
            pass

    go = stopped(store)
    bulk = store.writing(lambda _tx: order.append("bulk"), bulk=True)
    people = [store.writing(slow) for _ in range(2)]
    go.set()
    for future in [bulk, *people]:
        future.result(30)
    follower = store.write(lambda _tx: order.append("later"))
    assert (follower, order) == (None, ["person", "person", "bulk", "later"])


def test_submitting_to_a_closed_store_is_refused(tmp_path: Path):
    store = Store(tmp_path / "box")
    store.close()
    with pytest.raises(StoreError):
        store.write(put("late"))
