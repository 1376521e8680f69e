"""Long-lived children that share a queue of small requests.

One thread owns one child: it fills the child's line, waits for the head's answer, and kills
the child when the head passes its deadline. Children answer in order, so when one dies the
head of its line is to blame; those behind it go to the front of the queue again. A head that
hardly got the processor until its deadline is not to blame: it is asked once more.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

from appliance.errors import ChildFailed, PixelQueueError, Unavailable
from appliance.jobs.children import Child, answer_of

__all__ = ["Pool"]

_log = logging.getLogger(__name__)

_LINE = 4
"""Requests in a child's line: enough that it never waits for its parent, few enough to share fairly."""

_STARVED = 0.25
"""The share of its deadline that a child must have had the processor for, to be blamed for passing it."""

_LOOK_EVERY_S = 0.25
"""How soon a keeper whose child is busy hears of the stop."""


@dataclass(slots=True)
class _Asked:
    request: dict[str, Any]
    answer: Future[dict[str, Any]] = field(default_factory=Future)
    taken: bool = False
    deaths: int = 0


class Pool:
    """Children for one task; they start at the first request and end when idle.

    Args:
        start: Makes a child, on the thread that will own it.
        size: How many children at most.
        deadline_s: Seconds the child may take for one request.
        recycle_after: Requests after which a child is replaced.
        idle_s: Seconds without work after which a child ends.
    """

    def __init__(
        self,
        start: Callable[[], Child],
        size: int,
        *,
        deadline_s: float,
        recycle_after: int = 10_000,
        idle_s: float = 60.0,
    ) -> None:
        self._start = start
        self._size = size
        self._deadline_s = deadline_s
        self._recycle_after = recycle_after
        self._idle_s = idle_s
        self._queue: deque[_Asked] = deque()
        self._changed = threading.Condition()
        self._keepers: set[threading.Thread] = set()
        self._idle = 0
        self._closing = False

    def __len__(self) -> int:
        """Return how many children there are at present."""
        with self._changed:
            return len(self._keepers)

    def submit(self, request: dict[str, Any]) -> Future[dict[str, Any]]:
        """Queue a request; the future gets the result, the task's error or `ChildFailed`.

        Raises:
            Unavailable: The pool is closed.
        """
        asked = _Asked(request)
        with self._changed:
            if self._closing:
                raise Unavailable("the appliance is stopping: try again in a moment")
            self._queue.append(asked)
            if len(self._queue) > self._idle and len(self._keepers) < self._size:
                keeper = threading.Thread(target=self._keep, name="child-keeper", daemon=True)
                self._keepers.add(keeper)
                keeper.start()
            self._changed.notify()
        return asked.answer

    def stop(self) -> None:
        """End the children; what was not answered fails."""
        with self._changed:
            self._closing = True
            keepers = list(self._keepers)
            left = list(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        for asked in left:
            _fail(asked, Unavailable("the appliance is stopping: try again in a moment"))
        for keeper in keepers:
            keeper.join()

    def _keep(self) -> None:
        """Own one child after the other until there is nothing to do for a while."""
        line: deque[_Asked] = deque()
        try:
            while self._fill(line) and self._serve_child(line):
                pass
        except Exception as error:  # the border of the thread: a child that cannot even be started
            _log.exception("a child of the pool cannot be kept")
            self._give_up(line, error)

    def _serve_child(self, line: deque[_Asked]) -> bool:
        """Feed one child until it is worn out, dead or idle; return False when it was idle."""
        child = self._start()
        numbers, served = count(), 0
        try:
            for asked in line:
                child.ask(next(numbers), asked.request)
            while line:
                for answer in self._next_answers(child):
                    _settle(line.popleft(), answer)
                    served += 1
                if served >= self._recycle_after:
                    continue
                behind = len(line)
                if not self._fill(line):
                    return False
                for asked in islice(line, behind, None):
                    child.ask(next(numbers), asked.request)
        except ChildFailed as error:
            self._blame_head(line, error)
        finally:
            child.kill()
        return True

    def _next_answers(self, child: Child) -> list[dict[str, Any]]:
        end_s, had_s = time.monotonic() + self._deadline_s, child.cpu_s
        while not self._closing:
            if lines := child.receive(_LOOK_EVERY_S):
                return [line for line in lines if "message" not in line]
            if time.monotonic() > end_s:
                starved = child.cpu_s - had_s < _STARVED * self._deadline_s
                raise child.failed(
                    f"the child {child.task} took longer than {self._deadline_s:g} s",
                    reason="starved" if starved else "deadline",
                )
        raise child.failed("the appliance is stopping", reason="stop")

    def _blame_head(self, line: deque[_Asked], error: ChildFailed) -> None:
        """Fail the request the child died of and put the innocent back to the front of the queue."""
        if line:
            head = line.popleft()
            head.deaths += 1
            # SIGKILL that is not ours is the system short of memory, maybe for somebody else's sake.
            elsewhere = error.details.get("signal") == "SIGKILL" or error.details.get("reason") == "starved"
            if elsewhere and head.deaths < 2:
                line.appendleft(head)
            else:
                _fail(head, error)
        with self._changed:
            if not self._closing:
                self._queue.extendleft(reversed(line))
                line.clear()
        for asked in line:
            _fail(asked, error)
        line.clear()

    def _give_up(self, line: deque[_Asked], error: Exception) -> None:
        """Fail this keeper's line and, when nobody else is left to serve it, the queue."""
        with self._changed:
            self._keepers.discard(threading.current_thread())
            left = [*line, *(() if self._keepers else self._queue)]
            if not self._keepers:
                self._queue.clear()
        for asked in left:
            _fail(asked, error if isinstance(error, PixelQueueError) else Unavailable("no child can be started"))

    def _fill(self, line: deque[_Asked]) -> bool:
        """Move this child's share of the queue into its line; wait for work while the line is empty.

        Returns:
            False when nothing came for so long, or the pool closes: the keeper is dismissed then.
        """
        with self._changed:
            if not line and not self._queue:
                self._idle += 1
                self._changed.wait_for(lambda: self._queue or self._closing, self._idle_s)
                self._idle -= 1
            share = -(-len(self._queue) // self._size)
            while self._queue and len(line) < _LINE and share > 0:
                asked = self._queue.popleft()
                share -= 1
                if asked.taken or asked.answer.set_running_or_notify_cancel():
                    asked.taken = True
                    line.append(asked)
            if not line and not self._queue:
                self._keepers.discard(threading.current_thread())
                return False
        return bool(line) or self._fill(line)


def _settle(asked: _Asked, answer: dict[str, Any]) -> None:
    try:
        asked.answer.set_result(answer_of(answer))
    except PixelQueueError as error:
        _fail(asked, error)


def _fail(asked: _Asked, error: BaseException) -> None:
    asked.answer.set_exception(error)
