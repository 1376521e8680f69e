"""The machine's own console: who is heard while the box is served, and what it answers."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.errors import NotFound, StoreLocked
from appliance.store import Store
from appliance.web import console
from tests._server import Serving, serving


def said(folder: Path, line: bytes) -> bytes:
    """Send one line and return the answer."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(folder / "console"))
        asking.sendall(line)
        asking.shutdown(socket.SHUT_WR)
        return asking.makefile("rb").readline()


def test_a_code_comes_from_the_box_itself_and_is_in_the_audit_log(box: Serving) -> None:
    ann = box.person("ann")
    folder = box.appliance.store.folder
    made = console.ask(folder, console.NewReset("Ann@Example.org"))
    assert (made.email, made.valid_s) == ("ann@example.org", 3600)
    body = {"email": made.email, "code": made.code, "password": "an entirely different phrase"}
    assert box.client().post("/api/reset", json=body).status_code == 201
    audited = "SELECT user_id, subject FROM audit WHERE action = 'user.reset'"
    assert box.appliance.store.read(lambda r: r.execute(audited).fetchall()) == [(None, f"user {ann.id}")]
    with pytest.raises(NotFound, match="no account bob"):
        console.ask(folder, console.NewReset("bob@example.org"))


def test_only_its_owner_reaches_it(box: Serving) -> None:
    assert stat.S_IMODE((box.appliance.store.folder / "console").stat().st_mode) == 0o600


def heard_by(user_id: int, path: Path, line: bytes) -> bytes:
    """Return what a process of this user is answered."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(user_id)
            with socket.socket(socket.AF_UNIX) as asking:
                asking.connect(str(path))
                asking.sendall(line)
                os.write(writing, b"connected " + asking.recv(4096))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_is_not_heard_even_where_the_modes_let_them(box: Serving) -> None:
    box.person("ann")
    path = box.appliance.store.folder / "console"
    line = json.dumps({"ask": "user-reset", "email": "ann@example.org"}).encode() + b"\n"
    assert heard_by(65534, path, line) == b"", "the folder keeps them out"
    with tempfile.TemporaryDirectory(dir="/tmp") as open_to_all:
        Path(open_to_all).chmod(0o777)
        path.chmod(0o666)
        moved = path.rename(Path(open_to_all) / "console")
        assert b'"code"' in heard_by(0, moved, line)
        assert heard_by(65534, moved, line) in (b"connected ", b""), "it may connect and hears nothing"
        assert box.appliance.store.read(lambda r: r.execute("SELECT count(*) FROM resets").fetchall()) == [(1,)]


@pytest.mark.parametrize(
    "line", [b"\n", b"no json\n", b'{"ask":"shut-down"}\n', b'{"ask":"user-reset"}\n', b"x" * 200_000 + b"\n", b""]
)
def test_what_it_does_not_know_changes_nothing_and_ends_nothing(box: Serving, line: bytes) -> None:
    box.person("ann")
    folder = box.appliance.store.folder
    try:
        answer = said(folder, line)
    except ConnectionError:  # it hung up on what is too long before that was sent
        answer = b""
    assert b'code":"' not in answer or b'"error"' in answer
    assert box.appliance.store.read(lambda r: r.execute("SELECT count(*) FROM resets").fetchall()) == [(0,)]
    assert console.ask(folder, console.NewReset("ann@example.org")).code


def test_a_folder_that_another_command_has_open_is_said_to_be_in_use(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(StoreLocked, match="its console does not answer"):
        console.ask(tmp_path, console.NewReset("ann@example.org"))


def test_a_long_path_is_no_obstacle_and_many_may_ask(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / "box"
    folder.parent.mkdir()
    with serving(folder) as running:
        names = [f"person-{n}" for n in range(6)]
        for name in names:
            running.person(name)
        with ThreadPoolExecutor(6) as threads:
            asked = [threads.submit(console.ask, folder, console.NewReset(f"{name}@example.org")) for name in names]
            assert len({one.result(60).code for one in asked}) == 6
    assert not (folder / "console").exists()
