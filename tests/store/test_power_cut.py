"""The power goes at a random moment: what was acknowledged by then is there afterwards."""

from __future__ import annotations

import random
from concurrent.futures import Future
from pathlib import Path

import pytest

from appliance.settings import Settings
from appliance.store import Store, Transaction
from tests.store._power import PowerDisk

CUTS, WRITES = 12, 240
QUIET = Settings(reserve_bytes=0, readers=1)


@pytest.fixture(scope="module")
def disk():
    vfs = PowerDisk()
    yield vfs
    vfs.unregister()


def put(key: str, size: int):
    return lambda tx: tx.execute("INSERT INTO meta VALUES (?, ?)", (key, "x" * size)).fetchall() and key


def keys(store: Store) -> set[str]:
    return set(store.read(lambda r: [k for (k,) in r.execute("SELECT key FROM meta WHERE key != 'high_water_ms'")]))


def work_and_cut(folder: Path, disk: PowerDisk, luck: random.Random, *, torn: bool) -> list[tuple[set[str], dict]]:
    """Write in groups and take pictures of the platter, each with what had been acknowledged before it."""
    cuts: list[tuple[set[str], dict[str, bytes]]] = []
    acknowledged: set[str] = set()
    moments = sorted(luck.sample(range(WRITES), CUTS))

    def look() -> None:
        before = set(acknowledged)  # taken first: the picture may only hold more than this
        cuts.append((before, disk.torn(luck) if torn else disk.image()))

    with Store(folder, QUIET, vfs=disk.name) as store:
        pending: list[tuple[str, Future]] = []
        for number in range(WRITES):
            key = f"key-{number}"
            pending.append((key, store.writing(put(key, luck.choice((10, 500, 6_000))))))
            if number in moments:
                look()  # the writer is in the middle of something
            if luck.random() < 0.2:
                for done, future in pending:
                    future.result(30)
                    acknowledged.add(done)
                pending.clear()
                if luck.random() < 0.2:
                    store.writer._checkpointer._due.set()
        look()
    return cuts


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_acknowledged_transaction_survives(tmp_path: Path, disk: PowerDisk, torn: bool, seed: int) -> None:
    luck = random.Random(seed)
    cuts = work_and_cut(tmp_path / "box", disk, luck, torn=torn)
    assert len(cuts) == CUTS + 1
    assert len(cuts[-1][0]) > WRITES // 2
    for number, (acknowledged, platter) in enumerate(cuts):
        folder = tmp_path / f"after-{number}"
        folder.mkdir()
        for name, content in platter.items():
            if not name.endswith("-shm"):  # shared memory is made anew after a crash
                (folder / name).write_bytes(content)
        with Store(folder, QUIET) as store:
            assert acknowledged <= keys(store)
            assert store.read(lambda r: r.execute("PRAGMA integrity_check").fetchall()) == [("ok",)]
            store.write(lambda tx: _write(tx, "later"))


def _write(tx: Transaction, key: str) -> None:
    tx.execute("INSERT INTO meta VALUES (?, '')", (key,))


def test_the_disk_forgets_what_was_not_synced(tmp_path: Path, disk: PowerDisk) -> None:
    """The instrument itself: without a sync a commit would be lost."""
    import apsw

    connection = apsw.Connection(str(tmp_path / "loose"), vfs=disk.name)
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE t (x)").fetchall()
    assert disk.image()["loose-wal"] == b""
    connection.close()
