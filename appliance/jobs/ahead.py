"""Looking ahead: the embeddings of what people have leased are made before they get there."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from appliance.errors import NotFound, PixelQueueError
from appliance.jobs.embeddings import Key
from appliance.records import Event

if TYPE_CHECKING:
    from appliance.engine.backends._graph import Stop
    from appliance.store import Store

__all__ = ["Ahead", "Look"]

_log = logging.getLogger(__name__)

_MOST = 32
"""Images that wait; more than the queues of a team lease at a time."""

Look = Callable[[int, int, Callable[[Key], "Stop"]], None]
"""Looks at an image (its id, its project's), telling what of before it takes long."""


class Ahead:
    """A thread that looks at one leased image after the other, and makes room for clicks.

    Args:
        look: Does it; raises `Stopped` when the stop it was given is set.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._waiting: deque[tuple[int, int]] = deque(maxlen=_MOST)
        self._changed = threading.Condition()
        self._now: tuple[Key, Stop] | None = None
        self._clicks = 0
        self._closing = False
        self._unsubscribe: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="segment-ahead", daemon=True)

    def start(self, store: Store) -> None:
        """Follow what people lease."""
        self._unsubscribe = store.bus.subscribe(self._hear)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and what it is at."""
        self._unsubscribe()
        with self._changed:
            self._closing = True
            if self._now is not None:
                self._now[1].set()
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def out_of_the_way(self, key: Key) -> Iterator[None]:
        """End what is under way for the time of a click, unless it is what the click needs."""
        with self._changed:
            self._clicks += 1
            if self._now is not None and self._now[0] != key:
                self._now[1].set()
        try:
            yield
        finally:
            with self._changed:
                self._clicks -= 1
                self._changed.notify_all()

    def _hear(self, event: Event) -> None:
        if event.kind == "task.changed" and event.data.get("state") == "in_progress" and event.project_id is not None:
            wanted = (int(event.data["image_id"]), event.project_id)
            with self._changed:
                if wanted not in self._waiting:
                    self._waiting.append(wanted)
                    self._changed.notify_all()

    def _begin(self, key: Key) -> Stop:
        from appliance.engine.backends._graph import Stop

        stop = Stop()
        with self._changed:
            self._now = key, stop
            if self._closing:
                stop.set()
        return stop

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or (self._waiting and self._clicks == 0))
                if self._closing:
                    return
                wanted = self._waiting.popleft()
            self._one(wanted)

    def _one(self, wanted: tuple[int, int]) -> None:
        from appliance.engine.backends._graph import Stopped

        try:
            self._look(*wanted, self._begin)
        except Stopped:
            with self._changed:
                self._waiting.appendleft(wanted)
        except NotFound:
            _log.debug("image %d went before it was looked at", wanted[0])
        except PixelQueueError as error:
            _log.info("image %d is not looked at ahead: %s", wanted[0], error)
        except Exception:  # the border of the thread: clicks do without what could not be made ahead
            _log.exception("image %d cannot be looked at ahead", wanted[0])
        finally:
            with self._changed:
                self._now = None
