"""Many people with time to think, in one process and one thread: their scripts, connections and event sockets."""

from __future__ import annotations

import heapq
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tests._shared import ROOT
from tests.bench._ledger import Ledger
from tests.bench._load import Connection, render
from tests.bench._roles import Ask, Person, Script, annotate, review

__all__ = ["Outcome", "Plan", "send"]

_DRAIN_S = 60.0
_SCRIPTS: dict[str, Callable[[Person, int, int, list[int], Ledger], Script]] = {
    "annotator": annotate,
    "reviewer": review,
}


class Plan(msgspec.Struct):
    """Who works for how long in which project of the box on a port of this machine."""

    port: int
    project_id: int
    label_ids: list[int]
    people: list[Person]
    seconds: float


class Outcome(msgspec.Struct):
    """What they were told, and what share of a core this process took."""

    ledger: Ledger
    cpu_share: float


def send(plan: Plan, folder: Path) -> Callable[[], Outcome | None]:
    """Start the crowd; what is returned tells how it went, or None while they work.

    Raises:
        RuntimeError: When asked: the process failed.
    """
    asked, told = folder / "crowd.plan", folder / "crowd.outcome"
    asked.write_bytes(msgspec.msgpack.encode(plan))
    process = subprocess.Popen([sys.executable, "-m", "tests.bench._crowd", str(asked), str(told)], cwd=ROOT)

    def outcome() -> Outcome | None:
        if process.poll() is None:
            return None
        if process.returncode:
            raise RuntimeError(f"the crowd failed with {process.returncode}")
        return msgspec.msgpack.decode(told.read_bytes(), type=Outcome)

    return outcome


class _Seat:
    """One person at work: a script and the connection its requests go over."""

    def __init__(self, crowd: _Crowd, person: Person, plan: Plan) -> None:
        self._crowd = crowd
        self._script = _SCRIPTS[person.role](person, plan.port, plan.project_id, plan.label_ids, crowd.ledger)
        self._connection = Connection(plan.port)
        self._person = person
        self._kind = ""
        crowd.watch(self._connection.socket, self.readable)

    def go(self, answer: tuple[int, bytes] | None = None) -> None:
        """Take the script's next step: think, or send a request."""
        wanted = next(self._script) if answer is None else self._script.send(answer)
        if self._crowd.over:
            return
        if isinstance(wanted, float):
            self._crowd.later(wanted, self)
        else:
            self._ask(wanted)

    def _ask(self, wanted: Ask) -> None:
        self._kind, request = wanted
        self._crowd.asking.add(self)
        self._connection.send(request)

    def readable(self) -> None:
        """Take what came; go on when the answer is complete."""
        ledger, connection = self._crowd.ledger, self._connection
        try:
            answer = connection.receive()
        except OSError as error:
            ledger.errors.append(f"{self._kind or 'waiting'} of user {self._person.user_id}: {error}")
            answer = (0, False)
        if answer is None:
            return
        (status, alive), body = answer, connection.body
        if not alive:
            self._crowd.forget(connection.socket)
            connection.reconnect()
            self._crowd.watch(connection.socket, self.readable)
        if self in self._crowd.asking:
            self._crowd.asking.discard(self)
            ledger.latencies_ms[self._kind].append((time.perf_counter() - connection.sent_s) * 1000)
            self.go((status, body))


class _Watcher:
    """An event socket, as a page holds one: it reads and counts what comes."""

    def __init__(self, crowd: _Crowd, person: Person, plan: Plan) -> None:
        host = f"127.0.0.1:{plan.port}"
        headers = {"Host": host, "Origin": f"http://{host}", "Cookie": person.cookie, "Connection": "Upgrade",
                   "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "cGl4ZWxxdWV1ZS1iZW5jaA=="}  # fmt: skip
        self._crowd = crowd
        self._socket = Connection(plan.port).socket
        self._received = bytearray()
        self._opened = False
        self._socket.sendall(render("GET", "/api/events?together=true", headers))
        crowd.watch(self._socket, self.readable)

    def readable(self) -> None:
        data = self._socket.recv(1 << 16)
        self._received += data
        if not self._opened and b"\r\n\r\n" in self._received:
            head, _, rest = bytes(self._received).partition(b"\r\n\r\n")
            self._received = bytearray(rest)
            self._opened = head.startswith(b"HTTP/1.1 101")
        if not data or (self._opened and self._read()):
            self._crowd.forget(self._socket)
            self._crowd.ledger.errors.append(f"an event socket was closed: {bytes(self._received[:100])!r}")

    def _read(self) -> bool:
        """Count the events of whole frames, answer pings, tell whether the box closed."""
        at, received = 0, self._received
        while len(received) >= at + 2:
            kind, length, begin = received[at] & 15, received[at + 1] & 127, at + 2
            if length == 126:
                length, begin = int.from_bytes(received[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, begin = int.from_bytes(received[at + 2 : at + 10], "big"), at + 10
            if len(received) < begin + length:
                break
            if kind == 8:
                return True
            if kind == 9:
                self._socket.sendall(bytes((0x8A, 0x80 | length)) + bytes(4) + received[begin : begin + length])
            at = begin + length
        self._crowd.ledger.events += received[:at].count(b'"seq":')
        del received[:at]
        return False


class _Crowd:
    """The loop: who thinks until when, who waits for an answer, what can be read."""

    def __init__(self, plan: Plan) -> None:
        self.ledger = Ledger()
        self.asking: set[_Seat] = set()
        self.over = False
        self._thinking: list[tuple[float, int, _Seat]] = []
        self._steps = 0
        self._selector = selectors.DefaultSelector()
        self._seconds = plan.seconds
        for person in plan.people:
            if person.watches:
                _Watcher(self, person, plan)
        self._seats = [_Seat(self, person, plan) for person in plan.people]

    def watch(self, source: object, readable: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, readable)  # type: ignore[arg-type]

    def forget(self, source: object) -> None:
        self._selector.unregister(source)  # type: ignore[arg-type]

    def later(self, seconds: float, seat: _Seat) -> None:
        """Let a person think."""
        self._steps += 1
        heapq.heappush(self._thinking, (time.perf_counter() + seconds, self._steps, seat))

    def run(self) -> None:
        """Work until the time is over, then wait for the answers that are under way."""
        end_s = time.perf_counter() + self._seconds
        for seat in self._seats:
            seat.go()
        while (now_s := time.perf_counter()) < end_s + _DRAIN_S:
            self.over = now_s >= end_s
            if self.over and not self.asking:
                return
            while not self.over and self._thinking and self._thinking[0][0] <= now_s:
                heapq.heappop(self._thinking)[2].go()
            next_s = self._thinking[0][0] if self._thinking and not self.over else now_s + 1
            for key, _ in self._selector.select(max(0.0, min(next_s, now_s + 1) - time.perf_counter())):
                key.data()
        self.ledger.errors += ["a request was not answered at all"] * len(self.asking)


def main(arguments: Sequence[str]) -> None:
    """Run the plan in a file and write the outcome to another."""
    plan = msgspec.msgpack.decode(Path(arguments[0]).read_bytes(), type=Plan)
    crowd = _Crowd(plan)
    cpu_s, started_s = time.process_time(), time.perf_counter()
    crowd.run()
    share = (time.process_time() - cpu_s) / (time.perf_counter() - started_s)
    written = Path(arguments[1] + ".part")
    written.write_bytes(msgspec.msgpack.encode(Outcome(crowd.ledger, share)))
    os.replace(written, arguments[1])


if __name__ == "__main__":
    main(sys.argv[1:])
