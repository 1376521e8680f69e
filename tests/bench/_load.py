"""A closed-loop load client in a process of its own, as cheap as Python allows.

Every request is rendered beforehand; each connection sends its next one when the answer to the
last is complete. One thread, raw sockets, epoll: no HTTP library in the way. The client's own
processor time is measured and told, because it runs on the same cores as the server.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from tests._shared import ROOT
from tests.bench._base import percentile

__all__ = ["Connection", "Outcome", "drive", "render"]

_READ_BYTES = 1 << 18


class Plan(msgspec.Struct):
    """Requests to send over so many connections to a port of this machine."""

    port: int
    connections: int
    requests: list[bytes]


class Outcome(msgspec.Struct):
    """What came of a plan.

    Attributes:
        seconds: From the first byte sent to the last answer.
        latencies_ms: One per request, in no order.
        statuses: How often each HTTP status came.
        client_us: Processor time of the client per request, in microseconds.
    """

    seconds: float
    latencies_ms: list[float]
    statuses: dict[int, int]
    client_us: float

    @property
    def per_s(self) -> float:
        return len(self.latencies_ms) / self.seconds

    def p(self, share: float) -> float:
        """Return a percentile of the latencies in milliseconds."""
        return percentile(self.latencies_ms, share)

    def require(self, *statuses: int) -> Outcome:
        """Return itself.

        Raises:
            RuntimeError: Some answer had another status.
        """
        if set(self.statuses) - set(statuses):
            raise RuntimeError(f"the load met statuses {self.statuses}, expected only {statuses}")
        return self


def render(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
    """Return the bytes of one HTTP/1.1 request that keeps its connection alive."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def drive(url: str, requests: Iterable[bytes], connections: int = 1) -> Outcome:
    """Send the requests from a child process and wait for it.

    Raises:
        RuntimeError: The child failed: a connection was refused or broke.
    """
    port = int(url.rpartition(":")[2].rstrip("/"))
    with tempfile.NamedTemporaryFile(suffix=".plan") as plan:
        plan.write(msgspec.msgpack.encode(Plan(port, connections, list(requests))))
        plan.flush()
        command = [sys.executable, "-m", "tests.bench._load", plan.name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the load client failed: {done.stderr.decode()[-500:]}")
    return msgspec.msgpack.decode(done.stdout, type=Outcome)


class Connection:
    """One connection: the request under way and what has come of its answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.socket = self._connect()
        self.sent_s = 0.0
        self._received = bytearray()

    def _connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._port), timeout=120)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self, request: bytes) -> None:
        self._received.clear()
        self.sent_s = time.perf_counter()
        self.socket.sendall(request)

    def reconnect(self) -> None:
        self.socket.close()
        self.socket = self._connect()

    def receive(self) -> tuple[int, bool] | None:
        """Take what came; return status and whether the connection lives, once the answer is complete."""
        data = self.socket.recv(_READ_BYTES)
        self._received += data
        return _complete(self._received, ended=not data)

    @property
    def body(self) -> bytes:
        """The complete answer's body, if it was not sent in chunks."""
        return bytes(self._received[self._received.find(b"\r\n\r\n") + 4 :])


def _complete(received: bytearray, *, ended: bool) -> tuple[int, bool] | None:
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        if ended:
            raise ConnectionError("the server closed the connection without an answer")
        return None
    head = bytes(received[:head_end]).lower()
    status = int(head[9:12])
    alive = b"\r\nconnection: close" not in head and not ended
    length = _header(head, b"content-length")
    if length is not None:
        whole = len(received) - head_end - 4 >= int(length)
    elif status in (204, 304):
        whole = True
    elif _header(head, b"transfer-encoding") == b"chunked":
        whole = received.endswith(b"0\r\n\r\n")
    else:
        whole = ended
    if ended and not whole:
        raise ConnectionError("the server closed the connection in the middle of an answer")
    return (status, alive) if whole else None


def _header(head: bytes, name: bytes) -> bytes | None:
    at = head.find(b"\r\n" + name + b":")
    return None if at < 0 else head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip()


def _run(plan: Plan) -> Outcome:
    waiting = iter(plan.requests)
    connections = [Connection(plan.port) for _ in range(min(plan.connections, len(plan.requests)))]
    latencies_ms: list[float] = []
    statuses: Counter[int] = Counter()
    selector = selectors.DefaultSelector()
    cpu_s, started_s = time.process_time(), time.perf_counter()
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(waiting))
    while selector.get_map():
        for key, _ in selector.select():
            connection = key.data
            answer = connection.receive()
            if answer is None:
                continue
            status, alive = answer
            latencies_ms.append((time.perf_counter() - connection.sent_s) * 1000)
            statuses[status] += 1
            following = next(waiting, None)
            if following is None or not alive:
                selector.unregister(connection.socket)
            if following is None:
                continue
            if not alive:
                connection.reconnect()
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(following)
    seconds = time.perf_counter() - started_s
    client_us = (time.process_time() - cpu_s) / len(latencies_ms) * 1e6
    return Outcome(seconds, latencies_ms, dict(statuses), client_us)


def main(arguments: Sequence[str]) -> None:
    """Run the plan in a file and write the outcome to standard output."""
    plan = msgspec.msgpack.decode(Path(arguments[0]).read_bytes(), type=Plan)
    sys.stdout.buffer.write(msgspec.msgpack.encode(_run(plan)))


if __name__ == "__main__":
    main(sys.argv[1:])
