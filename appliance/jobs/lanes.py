"""Who runs when: each lane lets a few through at a time, the most urgent first.

A lane knows nothing of what a job is. It asks for the priority of the queue's head, begins
that job on a thread of its own when it is its turn, and at a running job's `give_way` lets
somebody more urgent go first. The interrupted one keeps its stack and goes on from memory;
only a pause, a stop or a crash makes a job go on from its checkpoint. Whoever is in a hurry does
not wait for that: what a turn `holds` the place for is ended, to be done again afterwards, and
between two holds the place is free to take.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Protocol

__all__ = ["Begun", "Lane", "ThreadLane", "Turn"]

_log = logging.getLogger(__name__)

_RETRY_S = 5.0
_numbers = count()


class Turn:
    """A place in a lane: somebody who runs in it or waits to go on.

    Attributes:
        hurried: A person waits: it ends what less urgent turns hold their place for.
        brief: It is over so soon that it may run beside another hurried one.
        end: Ends what the turn does just now, where that can be done again.
        resting: It needs its place only when it holds it next.
    """

    def __init__(self, priority: int, *, hurried: bool = False, brief: bool = False) -> None:
        self.priority = priority
        self.number = next(_numbers)
        self.hurried = hurried
        self.brief = brief
        self.end: Callable[[], None] | None = None
        self.resting = False


class Begun(Protocol):
    """A job that was taken from the queue; `run` does it and returns when it is over."""

    turn: Turn
    name: str

    def run(self) -> None: ...


class Lane(Protocol):
    """What the rest of `jobs` asks of a lane, so that other executors can take its place."""

    def start(self) -> None:
        """Begin to take jobs from the queue."""
        ...

    def poke(self) -> None:
        """Say that the queue has changed."""
        ...

    def nudge(self) -> None:
        """Let those who wait to go on look whether they are wanted elsewhere."""
        ...

    def contested(self, turn: Turn) -> bool:
        """Tell, cheaply, whether somebody more urgent waits for this turn's place."""
        ...

    def give_way(self, turn: Turn, give_up: Callable[[], bool]) -> None:
        """Let the more urgent run first; return when it is this turn again or `give_up()` holds."""
        ...

    def hold(self, turn: Turn, end: Callable[[], None], give_up: Callable[[], bool]) -> None:
        """Take the turn's place for what `end` ends; return when it is there or `give_up()` holds."""
        ...

    def rest(self, turn: Turn) -> None:
        """Leave the turn's place, until the next `hold`, to whoever is in a hurry."""
        ...

    def stop(self, timeout_s: float) -> bool:
        """Take no more jobs, wait for those that run, and tell whether all ended in time."""
        ...


class ThreadLane:
    """A lane of threads in this process.

    Args:
        name: For threads and logs.
        width: How many run at the same time.
        head: Returns the priority of the next queued job, or None.
        begin: Takes that job from the queue, or returns None when it has gone.
    """

    def __init__(
        self, name: str, width: int, *, head: Callable[[], int | None], begin: Callable[[], Begun | None]
    ) -> None:
        self.name = name
        self._width = width
        self._head = head
        self._begin = begin
        self._active: set[Turn] = set()
        self._waiting: set[Turn] = set()
        self._threads: set[threading.Thread] = set()
        self._queued_priority: int | None = None
        self._changed = threading.Condition()
        self._dirty = True
        self._closing = False
        self._dispatcher = threading.Thread(target=self._dispatch, name=f"lane-{name}", daemon=True)

    def start(self) -> None:
        """Begin to take jobs from the queue."""
        self._dispatcher.start()

    def poke(self) -> None:
        """Say that the queue has changed."""
        with self._changed:
            self._dirty = True
            self._changed.notify_all()

    def nudge(self) -> None:
        """Let those who wait to go on look whether they are wanted elsewhere."""
        with self._changed:
            self._changed.notify_all()

    def busy(self) -> int:
        """Return how many places are taken at present."""
        with self._changed:
            return len(self._active)

    def contested(self, turn: Turn) -> bool:
        """Tell, cheaply, whether somebody more urgent waits for this turn's place."""
        with self._changed:
            if turn not in self._active:
                return True
            if len(self._active) < self._width:
                return False
            waiting = max((other.priority for other in self._waiting), default=turn.priority)
            urgent = max(waiting, turn.priority if self._queued_priority is None else self._queued_priority)
            return urgent > turn.priority and all(other.priority >= turn.priority for other in self._active)

    def give_way(self, turn: Turn, give_up: Callable[[], bool]) -> None:
        """Let the more urgent run first; return when it is this turn again or `give_up()` holds."""
        with self._changed:
            self._active.discard(turn)
            self._wait(turn, give_up)

    def hold(self, turn: Turn, end: Callable[[], None], give_up: Callable[[], bool]) -> None:
        """Take the turn's place for what `end` ends; return when it is there or `give_up()` holds."""
        with self._changed:
            turn.resting = False
            if turn not in self._active:
                self._wait(turn, give_up)
            turn.end = end
            self._hurry()

    def rest(self, turn: Turn) -> None:
        """Leave the turn's place, until the next `hold`, to whoever is in a hurry."""
        with self._changed:
            turn.end, turn.resting = None, True
            self._hurry()

    @contextmanager
    def borrowed(self, priority: int, *, hurried: bool = False, brief: bool = False) -> Iterator[Turn]:
        """Hold the lane for work that is no job, a click's inference say; blocks until it is free.

        Args:
            priority: As of jobs.
            hurried: End what a less urgent turn holds the lane for, in place of waiting for it.
            brief: It may also run beside another hurried one.
        """
        turn = Turn(priority, hurried=hurried, brief=brief)
        with self._changed:
            self._wait(turn, lambda: self._closing)
        try:
            yield turn
        finally:
            self._leave(turn)

    def stop(self, timeout_s: float) -> bool:
        """Take no more jobs, wait for those that run, and tell whether all ended in time."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._dispatcher.is_alive():
            self._dispatcher.join()
        with self._changed:
            return self._changed.wait_for(lambda: not self._threads, timeout_s)

    def _wait(self, turn: Turn, give_up: Callable[[], bool]) -> None:
        self._waiting.add(turn)
        self._dirty = True
        self._hurry()
        self._changed.notify_all()
        self._changed.wait_for(lambda: turn in self._active or give_up())
        self._waiting.discard(turn)

    def _hurry(self) -> None:
        """Seat those in a hurry without the dispatcher, whose look into the queue takes its time."""
        hurried = [turn for turn in self._waiting if turn.hurried]
        for turn in sorted(hurried, key=lambda turn: (-turn.priority, turn.number)):
            for other in [other for other in self._active if other.priority < turn.priority]:
                self._make_room(other)
            beside = turn.brief and all(other.hurried for other in self._active)
            if len(self._active) < self._width + beside:
                self._waiting.discard(turn)
                self._active.add(turn)
                self._changed.notify_all()

    def _make_room(self, turn: Turn) -> None:
        if turn.resting:
            self._active.discard(turn)
            self._waiting.add(turn)
        elif turn.end is not None:
            turn.end()

    def _leave(self, turn: Turn) -> None:
        with self._changed:
            self._active.discard(turn)
            self._waiting.discard(turn)
            self._dirty = True
            self._hurry()
            self._changed.notify_all()

    def _dispatch(self) -> None:
        wait_s: float | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._dirty or self._closing, wait_s)
                if self._closing:
                    return
                self._dirty = False
            try:
                while self._fill():
                    pass
                wait_s = None
            except Exception:  # a border: the lane outlives whatever the store says today
                wait_s = _RETRY_S
                _log.exception("lane %s cannot take its next job", self.name)

    def _fill(self) -> bool:
        """Give one free place away; return False when there is none or nobody wants it."""
        head = self._head()
        with self._changed:
            self._queued_priority = head
            if self._closing or len(self._active) >= self._width:
                return False
            best = max(self._waiting, key=lambda turn: (turn.priority, -turn.number), default=None)
            if best is not None and (head is None or best.priority >= head):
                self._waiting.discard(best)
                self._active.add(best)
                self._changed.notify_all()
                return True
        begun = self._begin() if head is not None else None
        if begun is not None:
            self._spawn(begun)
        return head is not None

    def _spawn(self, begun: Begun) -> None:
        thread = threading.Thread(target=self._run, args=(begun,), name=begun.name, daemon=True)
        with self._changed:
            self._active.add(begun.turn)
            self._threads.add(thread)
        thread.start()

    def _run(self, begun: Begun) -> None:
        try:
            begun.run()
        finally:
            with self._changed:
                self._threads.discard(threading.current_thread())
            self._leave(begun.turn)
