"""Bytes by their hash: durable once settled, checked whenever they are read."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.errors import NotFound, StorageFull, StoreCorrupt, StoreError
from appliance.store import Store, blobs
from appliance.store.blobs import Blobs, Staged
from tests._shared import ROOT
from tests.store._nouns import settled


@pytest.fixture
def folder(tmp_path: Path) -> Blobs:
    (tmp_path / "tmp").mkdir()
    return Blobs(tmp_path / "blobs", tmp_path / "tmp")


def temporary(folder: Blobs) -> list[Path]:
    return list((folder.folder.parent / "tmp").iterdir())


def put(folder: Blobs, data: bytes, *, compress: bool = False) -> Staged:
    staged = folder.stage([data], compress=compress)
    folder.settle([staged])
    return staged


def file_of(folder: Blobs, staged: Staged) -> Path:
    return next(path for sha256, path in folder.files() if sha256 == staged.sha256)


class Calls:
    """Lets the real calls through and writes down their order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, str]] = []
        for name in ("fsync", "replace", "chmod"):
            monkeypatch.setattr(os, name, self._recorded(name, getattr(os, name)))
        real = blobs._libc.syncfs
        monkeypatch.setattr(blobs, "_libc", type("Libc", (), {"syncfs": self._recorded("syncfs", real)}))

    def _recorded(self, name, real):
        def call(what, *rest):
            target = os.readlink(f"/proc/self/fd/{what}") if isinstance(what, int) else str(rest[0] if rest else what)
            self.made.append((name, str(target)))
            return real(what, *rest)

        return staticmethod(call) if name == "syncfs" else call

    def names(self) -> list[str]:
        return [name for name, _ in self.made]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.binary(max_size=3000), max_size=5), compress=st.booleans())
def test_what_goes_in_comes_out(folder: Blobs, chunks: list[bytes], compress: bool) -> None:
    data = b"".join(chunks)
    staged = folder.stage(chunks, compress=compress)
    assert (staged.sha256, staged.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert staged.stored_bytes == staged.path.stat().st_size
    folder.settle([staged])
    assert folder.read(staged.sha256) == data
    assert folder.exists(staged.sha256)
    assert temporary(folder) == []


def test_text_takes_less_room_under_the_name_of_its_content(folder: Blobs) -> None:
    data = b"the same line again\n" * 10_000
    staged = put(folder, data, compress=True)
    assert staged.stored_bytes < len(data) // 50
    assert file_of(folder, staged).name == f"{hashlib.sha256(data).hexdigest()}.zst"
    assert b"".join(folder.stream(staged.sha256)) == data


def test_settled_bytes_are_read_only_and_stored_once(folder: Blobs) -> None:
    first = put(folder, b"picture")
    inode = file_of(folder, first).stat().st_ino
    put(folder, b"picture")
    both = [folder.stage([b"picture"]), folder.stage([b"other"]), folder.stage([b"other"])]
    folder.settle(both)
    assert len(list(folder.files())) == 2
    assert file_of(folder, first).stat().st_ino == inode
    assert file_of(folder, first).stat().st_mode & 0o777 == 0o400
    assert temporary(folder) == []


@pytest.mark.parametrize("compress", [False, True])
def test_one_flipped_byte_is_named(folder: Blobs, compress: bool) -> None:
    staged = put(folder, os.urandom(3000) + b"x" * 3000, compress=compress)
    path = file_of(folder, staged)
    content = bytearray(path.read_bytes())
    for place in (1, len(content) // 2, len(content) - 1):
        broken = bytearray(content)
        broken[place] ^= 0x10
        path.unlink()
        path.write_bytes(broken)
        with pytest.raises(StoreCorrupt) as caught:
            folder.verify(staged.sha256)
        assert caught.value.details == {"sha256": staged.sha256}
    path.write_bytes(content[:-1])
    with pytest.raises(StoreCorrupt):
        folder.read(staged.sha256)


def test_a_path_is_given_only_after_a_look_at_the_content(folder: Blobs) -> None:
    staged = put(folder, b"picture")
    path = folder.path(staged.sha256)
    assert path.read_bytes() == b"picture"
    path.chmod(0o600)
    path.write_bytes(b"pictur3")
    os.utime(path, ns=(0, 1))
    with pytest.raises(StoreCorrupt):
        folder.path(staged.sha256)


def test_what_is_missing_is_not_found(folder: Blobs) -> None:
    gone = "0" * 64
    for call in (folder.path, folder.read, folder.verify):
        with pytest.raises(NotFound) as caught:
            call(gone)
        assert caught.value.details == {"sha256": gone}
    assert not folder.exists(gone)
    folder.remove(gone)


def test_many_at_once_settle_the_same_content(folder: Blobs) -> None:
    data = [os.urandom(2000) for _ in range(4)]

    def work(number: int) -> list[Staged]:
        staged = [folder.stage([one]) for one in data[number % 2 :]]
        folder.settle(staged)
        return staged

    with ThreadPoolExecutor(8) as threads:
        for done in threads.map(work, range(32)):
            for staged in done:
                folder.verify(staged.sha256)
    assert len(list(folder.files())) == 4
    assert temporary(folder) == []


def test_each_file_is_synced_before_its_name_and_its_folder_after(folder: Blobs, monkeypatch) -> None:
    staged = folder.stage([b"picture"])
    calls = Calls(monkeypatch)
    folder.settle([staged])
    target = str(folder.folder / staged.sha256[:2] / staged.sha256)
    assert [call for call in calls.made if call[0] != "chmod"] == [
        ("fsync", str(staged.path)),
        ("replace", target),
        ("fsync", str(Path(target).parent)),
    ]


def test_known_bytes_are_answered_for_only_once_their_folder_is_durable(folder: Blobs, monkeypatch) -> None:
    """Somebody else may have renamed them a moment ago and not synced yet."""
    first = put(folder, b"picture")
    again = folder.stage([b"picture"])
    calls = Calls(monkeypatch)
    folder.settle([again])
    assert calls.made == [("fsync", str(folder.folder / first.sha256[:2]))]


def test_many_files_share_two_syncs(folder: Blobs, monkeypatch) -> None:
    staged = [folder.stage([f"picture {number}".encode()]) for number in range(40)]
    calls = Calls(monkeypatch)
    folder.settle(staged)
    order = [name for name in calls.names() if name != "chmod"]
    assert order == ["syncfs", *["replace"] * 40, "syncfs"]
    assert len(list(folder.files())) == 40


def test_a_file_of_our_own_is_staged_without_a_copy(folder: Blobs, tmp_path: Path) -> None:
    unpacked = tmp_path / "tmp" / "a.jpg"
    unpacked.write_bytes(b"picture")
    staged = folder.stage_link(unpacked)
    assert staged.path.stat().st_ino == unpacked.stat().st_ino
    assert (staged.sha256, staged.size_bytes) == (hashlib.sha256(b"picture").hexdigest(), 7)
    folder.settle([staged])
    unpacked.unlink()
    assert folder.read(staged.sha256) == b"picture"
    assert temporary(folder) == []


def test_a_file_of_our_own_is_copied_where_there_are_no_links(folder: Blobs, tmp_path: Path, monkeypatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    (tmp_path / "a.jpg").write_bytes(b"picture")
    staged = folder.stage_link(tmp_path / "a.jpg")
    folder.settle([staged])
    assert folder.read(staged.sha256) == (tmp_path / "a.jpg").read_bytes()
    with pytest.raises(StoreError):
        folder.stage_link(tmp_path / "gone.jpg")
    assert temporary(folder) == []


def test_a_chunk_that_fails_leaves_nothing_behind(folder: Blobs) -> None:
    def chunks():
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        folder.stage(chunks())
    assert temporary(folder) == []


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("chunk", [100, 1 << 18])
def test_a_full_disk_is_said_and_nothing_is_left_behind(tiny_disk: Path, compress: bool, chunk: int) -> None:
    (tiny_disk / "tmp").mkdir()
    folder = Blobs(tiny_disk / "blobs", tiny_disk / "tmp")
    noise = os.urandom(3 << 20)
    with pytest.raises(StorageFull, match="disk is full"):
        folder.stage((noise[i : i + chunk] for i in range(0, len(noise), chunk)), compress=compress)
    assert temporary(folder) == []
    assert folder.read(put(folder, b"small").sha256) == b"small"


def test_another_error_of_the_disk_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    code = (
        "import pathlib, resource, signal, sys\n"
        "from appliance.errors import StoreError\n"
        "from appliance.store.blobs import Blobs\n"
        "folder = Blobs(pathlib.Path(sys.argv[1], 'blobs'), pathlib.Path(sys.argv[1], 'tmp'))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    folder.stage([b'x' * 10_000])\n"
        "except StoreError as error:\n    print(error.code, list(pathlib.Path(sys.argv[1], 'tmp').iterdir()))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "store-error []\n"


def test_registering_what_the_collector_took_is_refused(store: Store) -> None:
    staged = settled(store, b"picture")
    store.blobs.remove(staged.sha256)
    with pytest.raises(StoreError, match="send the file again"):
        store.write(lambda tx: store.blobs.register(tx, staged))
    assert store.read(lambda reading: reading.execute("SELECT count(*) FROM blobs").fetchall()) == [(0,)]


def test_registering_again_starts_the_grace_anew(store: Store) -> None:
    staged = settled(store, b"picture")
    for _ in range(2):
        store.write(lambda tx: store.blobs.register(tx, staged))
    sql = "SELECT lower(hex(sha256)), size_bytes, stored_bytes, encoding FROM blobs"
    assert store.read(lambda reading: reading.execute(sql).fetchall()) == [(staged.sha256, 7, 7, "plain")]
