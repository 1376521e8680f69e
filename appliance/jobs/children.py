"""Supervised, killable child processes; `child` is their inside and states the protocol.

A child belongs to the thread that started it and ends with that thread (the kernel's
parent-death signal goes by threads), and so with the process, kill -9 included. It has a
process group of its own, inherits no file but its three pipes and no environment, and lives
under an address-space limit. Whoever talks to it sets the deadlines.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

import appliance
from appliance.errors import ChildFailed, error_from
from appliance.jobs.child import PROTOCOL, Options

__all__ = ["Child", "answer_of", "once"]

_log = logging.getLogger(__name__)

_MAX_LINE_BYTES = 64 << 20
_STDERR_LINES = 20
_ATTEND_EVERY_S = 0.2
_LAST_BREATH_S = 5.0


class Child:
    """One child process; used by the thread that made it and by no other.

    Args:
        task: Dotted name below ``appliance``.
        memory_bytes: Address space it may use.
        nice: Added to the niceness, for bulk work.
        interpreter: Command in place of this interpreter, for runtimes that live in another one.
        program: Command in place of interpreter and `jobs.child`, which speaks its protocol.
        environment: Variables besides the minimal ones.
        network: False keeps it off the network.
    """

    def __init__(
        self,
        task: str,
        *,
        memory_bytes: int | None = None,
        nice: int = 0,
        interpreter: Sequence[str] | None = None,
        program: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        network: bool = True,
    ) -> None:
        self.task = task
        options = Options(parent=os.getpid(), memory_bytes=memory_bytes, nice=nice, network=network)
        self._process = subprocess.Popen(
            [*(program or _command(interpreter)), task, msgspec.json.encode(options).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=_environment(environment, own=program is None),
            start_new_session=True,
        )
        self._pipes = [
            pipe for pipe in (self._process.stdin, self._process.stdout, self._process.stderr) if pipe is not None
        ]
        self._in, self._out, self._err = (pipe.fileno() for pipe in self._pipes)
        os.set_blocking(self._in, False)
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._poll.register(self._err, select.POLLIN)
        self._unsent = bytearray()
        self._unread = bytearray()
        self._unlogged = bytearray()
        self._stderr: deque[str] = deque(maxlen=_STDERR_LINES)
        self._greeted = False

    @property
    def pid(self) -> int:
        """The process id, which is its group's id too."""
        return self._process.pid

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time that the child has had.

        Source: proc_pid_stat(5), utime and stime, which stand behind the name in parentheses.
        """
        fields = Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, number: int, request: dict[str, Any]) -> None:
        """Send a request; never blocks. What a dead child does not take shows in `receive`."""
        self._unsent += msgspec.json.encode({"id": number, "request": request}) + b"\n"
        self._send()

    def receive(self, timeout_s: float) -> list[dict[str, Any]]:
        """Return the lines that came, or none after `timeout_s`.

        Raises:
            ChildFailed: The child has ended or does not keep the protocol; it is gone now.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            left_s = max(deadline_s - time.monotonic(), 0.0)
            events = self._poll.poll(left_s * 1000)
            if any(fd == self._err for fd, _ in events):
                self._log_stderr()
            if any(fd == self._in for fd, _ in events):
                self._send()
            if any(fd == self._out for fd, _ in events) and (lines := self._read()):
                return lines
            if left_s == 0.0:
                return []

    def suspend(self) -> None:
        """Stop the child and all it started, until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended child go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the child and all it started, at once; a second call does nothing."""
        if self._process.returncode is None:
            self._signal(signal.SIGKILL)
            self._process.wait()
        for pipe in self._pipes:
            pipe.close()

    def failed(self, words: str, **details: Any) -> ChildFailed:
        """Kill the child and return the error that says why.

        The child's last words are a note of the exception: for the log, not for the client.
        """
        self._drain_stderr()
        self.kill()
        error = ChildFailed(words, details=details)
        if self._stderr:
            error.add_note("\n".join(self._stderr))
        return error

    def _send(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: os.write(self._in, self._unsent)]
        except BlockingIOError:
            self._poll.register(self._in, select.POLLOUT)
            return
        except BrokenPipeError:
            self._unsent.clear()
        with contextlib.suppress(KeyError):
            self._poll.unregister(self._in)

    def _read(self) -> list[dict[str, Any]]:
        data = os.read(self._out, 1 << 16)
        if not data:
            raise self._ended()
        self._unread += data
        if len(self._unread) > _MAX_LINE_BYTES:
            raise self.failed(f"the child {self.task} wrote a line without end", reason="protocol")
        if b"\n" not in data:
            return []
        complete, _, rest = bytes(self._unread).rpartition(b"\n")
        self._unread = bytearray(rest)
        return [line for raw in complete.split(b"\n") if (line := self._decoded(raw)) is not None]

    def _decoded(self, raw: bytes) -> dict[str, Any] | None:
        try:
            line = msgspec.json.decode(raw, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise self.failed(f"the child {self.task} broke its protocol", reason="protocol") from error
        if self._greeted:
            return line
        if line.get("hello") != PROTOCOL:
            raise self.failed(
                f"the child {self.task} speaks protocol {line.get('hello')}, this release {PROTOCOL}",
                reason="protocol",
            )
        self._greeted = True
        return None

    def _ended(self) -> ChildFailed:
        """Reap the child, whose output has ended, and say how it died."""
        gone = os.pidfd_open(self.pid)
        try:
            poll = select.poll()
            poll.register(gone, select.POLLIN)
            poll.poll(_LAST_BREATH_S * 1000)
        finally:
            os.close(gone)
        self._drain_stderr()
        self.kill()
        code = self._process.returncode
        if code < 0:
            name = signal.Signals(-code).name
            return self.failed(f"the child {self.task} was ended by {name}", reason="signal", signal=name)
        return self.failed(f"the child {self.task} ended with exit code {code}", reason="exit", exit=code)

    def _drain_stderr(self) -> None:
        if self._pipes[-1].closed:
            return
        poll = select.poll()
        poll.register(self._err, select.POLLIN)
        while poll.poll(0) and self._log_stderr():
            pass

    def _log_stderr(self) -> bool:
        data = os.read(self._err, 1 << 16)
        if not data:
            with contextlib.suppress(KeyError):
                self._poll.unregister(self._err)
        *lines, rest = (self._unlogged + data).split(b"\n")
        self._unlogged = rest[-4096:]
        for raw in lines:
            text = raw.decode("utf-8", "replace")[:1000]
            self._stderr.append(text)
            _log.info("%s[%d]: %s", self.task, self.pid, text)
        return bool(data)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def once(
    task: str,
    request: dict[str, Any],
    *,
    on_message: Callable[[dict[str, Any]], None] | None = None,
    attend: Callable[[Child], float] | None = None,
    deadline_s: float | None = None,
    memory_bytes: int | None = None,
    nice: int = 0,
    interpreter: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    network: bool = True,
) -> dict[str, Any]:
    """Run one request in a child of its own and return its result; the child is gone afterwards.

    Args:
        task: Dotted name below ``appliance``.
        request: JSON-able.
        on_message: Gets what the task sends, in order, on this thread.
        attend: Called several times a second; returns the seconds the child was suspended, which
            do not count. What it raises ends the child.
        deadline_s: Seconds the child may take.
        memory_bytes: Address space it may use.
        nice: Added to the niceness.
        interpreter: As of `Child`.
        environment: As of `Child`.
        network: As of `Child`.

    Raises:
        PixelQueueError: What the task raised from the tree.
        ChildFailed: It died, hung or hit its limits.
    """
    child = Child(
        task,
        memory_bytes=memory_bytes,
        nice=nice,
        interpreter=interpreter,
        environment=environment,
        network=network,
    )
    try:
        end_s = None if deadline_s is None else time.monotonic() + deadline_s
        child.ask(0, request)
        while True:
            for line in child.receive(_ATTEND_EVERY_S):
                if "message" not in line:
                    return answer_of(line)
                if on_message is not None:
                    on_message(line["message"])
            suspended_s = attend(child) if attend is not None else 0.0
            end_s = None if end_s is None else end_s + suspended_s
            if end_s is not None and time.monotonic() > end_s:
                raise child.failed(f"the child {task} took longer than {deadline_s:g} s", reason="deadline")
    finally:
        child.kill()


def answer_of(line: dict[str, Any]) -> dict[str, Any]:
    """Return the result a line carries.

    Raises:
        PixelQueueError: The error it carries.
    """
    if "error" in line:
        raise error_from(line["error"])
    result: dict[str, Any] = line["result"]
    return result


def _command(interpreter: Sequence[str] | None) -> list[str]:
    if interpreter is not None:
        return [*interpreter, "-m", "appliance.jobs.child"]
    if getattr(sys, "frozen", False):
        return [sys.executable, "child"]
    return [sys.executable, "-m", "appliance.jobs.child"]


def _environment(more: Mapping[str, str] | None, *, own: bool) -> dict[str, str]:
    """Return the child's whole environment: nothing of ours leaks, one thread per library.

    Only what is our own interpreter's shall find our packages.
    """
    ours = {"PYTHONPATH": str(Path(appliance.__path__[0]).resolve().parent)} if own else {}
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        **ours,
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "VIPS_CONCURRENCY": "1",
        "VIPS_BLOCK_UNTRUSTED": "1",
        **(more or {}),
    }
