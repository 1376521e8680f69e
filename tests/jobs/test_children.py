"""What becomes of children that misbehave, and of children whose parent is gone."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import ChildFailed, InvalidInput
from appliance.jobs import children
from appliance.jobs._base import INTERACTIVE
from appliance.jobs.children import Child, once
from tests._shared import ROOT
from tests.jobs._service import WAIT_S, serving

TASK = "jobs.fake_task"


def test_messages_arrive_in_order_and_the_result_last() -> None:
    seen: list[dict] = []
    assert once(TASK, {"do": "count", "to": 50}, on_message=seen.append) == {"counted": 50}
    assert seen == [{"number": number} for number in range(50)]


def test_a_large_request_and_answer_pass() -> None:
    value = "ü" * 3_000_000
    assert once(TASK, {"do": "echo", "value": value}) == {"echo": value}


def test_an_error_of_the_tree_comes_back_as_itself() -> None:
    with pytest.raises(InvalidInput, match="refused as asked") as caught:
        once(TASK, {"do": "refuse", "name": "a.jpg"})
    assert (caught.value.field, caught.value.file) == ("value", "a.jpg")


def test_what_is_printed_cannot_forge_an_answer() -> None:
    assert once(TASK, {"do": "print"}) == {"printed": True}


def test_a_crash_names_the_signal_and_the_last_words() -> None:
    with pytest.raises(ChildFailed, match="SIGABRT") as caught:
        once(TASK, {"do": "abort"})
    assert caught.value.details == {"reason": "signal", "signal": "SIGABRT"}
    assert caught.value.__notes__ == ["about to abort"]


def test_an_exit_names_its_code() -> None:
    with pytest.raises(ChildFailed, match="exit code 7"):
        once(TASK, {"do": "exit", "code": 7})


def test_memory_is_limited() -> None:
    with pytest.raises(ChildFailed, match="512 MiB"):
        once(TASK, {"do": "hog"}, memory_bytes=512 << 20)


def test_a_hang_is_ended_at_the_deadline() -> None:
    with pytest.raises(ChildFailed, match=r"longer than 0\.3 s"):
        once(TASK, {"do": "hang"}, deadline_s=0.3)


def test_only_child_tasks_can_be_run() -> None:
    for name in ("jobs.services", "errors", "os", "jobs.fake_task.os", "jobs/fake_task"):
        with pytest.raises(ChildFailed) as caught:
            once(name, {})
        assert caught.value.details["reason"] == "exit"


def test_a_child_has_its_own_group_no_foreign_files_and_a_bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_PARENT", "x")
    with open(os.devnull) as left_open:
        os.set_inheritable(left_open.fileno(), True)
        facts = once(TASK, {"do": "facts"})
    assert facts["group"] == facts["pid"]
    assert not [name for name in facts["environment"] if "SECRET" in name or name == "HOME"]
    assert len(facts["descriptors"]) == 6  # standard ones, the two of the protocol, the listing itself


def test_a_job_that_is_cancelled_ends_its_child(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        child = {"do": "count", "to": 1_000_000, "every_s": 0.01}
        job = service.submit("fake", {"then": "child", "child": child})
        pid = _child_of(os.getpid())
        service.cancel(job.id)
        assert service.wait(job.id, WAIT_S).state == "cancelled"
        assert not Path(f"/proc/{pid}").exists()


def test_a_child_is_suspended_while_its_lane_is_handed_over(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        job = service.submit("fake", {"then": "child", "child": {"do": "count", "to": 100, "every_s": 0.01}})
        pid = _child_of(os.getpid())
        with service.lanes["cpu"].borrowed(INTERACTIVE):
            _until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        assert service.wait(job.id, WAIT_S).result == {"counted": 100}


def test_kill_9_of_the_parent_ends_its_children() -> None:
    script = """
        import sys, threading
        from appliance.jobs.children import Child
        child = Child("jobs.fake_task")
        child.ask(0, {"do": "count", "to": 1, "every_s": 600})
        assert child.receive(60.0)
        print(child.pid, flush=True)
        threading.Event().wait()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        gone = os.pidfd_open(pid)
        parent.kill()
        poll = select.poll()
        poll.register(gone, select.POLLIN)
        assert poll.poll(WAIT_S * 1000), "the child outlived its parent"
        os.close(gone)


def test_a_child_that_speaks_another_protocol_is_refused(tmp_path: Path) -> None:
    impostor = tmp_path / "python"
    impostor.write_text("#!/bin/sh\necho '{\"hello\": 99}'\nexec sleep 600\n")
    impostor.chmod(0o700)
    child = Child(TASK, interpreter=[str(impostor)])
    with pytest.raises(ChildFailed, match="protocol 99"):
        child.receive(WAIT_S)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


def test_a_line_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_MAX_LINE_BYTES", 1 << 20)
    impostor = tmp_path / "python"
    impostor.write_text("#!/bin/sh\nexec cat /dev/zero\n")
    impostor.chmod(0o700)
    child = Child(TASK, interpreter=[str(impostor)])
    with pytest.raises(ChildFailed, match="without end"):
        child.receive(WAIT_S)


def test_killing_twice_is_harmless() -> None:
    child = Child(TASK)
    child.kill()
    child.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, signal.SIGCONT)


def _child_of(parent: int) -> int:
    """Return the pid of this process's child, as soon as it runs the protocol."""
    found: list[int] = []

    def look() -> bool:
        for task in Path(f"/proc/{parent}/task").iterdir():
            pids = (task / "children").read_text().split()
            found.extend(int(pid) for pid in pids if b"jobs.child" in Path(f"/proc/{pid}/cmdline").read_bytes())
        return bool(found)

    _until(look)
    return found[0]


def _until(holds: Callable[[], bool]) -> None:
    """Look at what only the kernel knows until it is so."""
    end_s = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end_s, "it never came about"
        os.sched_yield()


def test_a_child_off_the_network_reaches_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)):
        answer = children.once("jobs.fake_task", {"do": "connect"}, network=False)
    assert answer["outcome"] == "PermissionError"
    assert set(answer["interfaces"]) <= {"lo"} or os.geteuid() != 0
    assert children.once("jobs.fake_task", {"do": "connect"})["outcome"] != "PermissionError"
