"""From the store's bus to the sockets: one subscription, one encoding, a bounded feed each."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

import msgspec

from appliance.events import Bus
from appliance.records import Event

__all__ = ["Feed", "Hub", "Told", "told"]

_LONGEST = 1_000
_GATHER_S = 0.1
"""Events are handed out at most this often: each time wakes every socket, and nobody sees a tenth of a second."""

_encoder = msgspec.json.Encoder()


class Told(msgspec.Struct, frozen=True):
    """An event and the message it becomes."""

    event: Event
    message: str


def told(event: Event) -> Told:
    """Encode an event for sockets; for whom it is stays here."""
    facts = {"seq": event.seq, "kind": event.kind, "project_id": event.project_id, "data": event.data}
    return Told(event, _encoder.encode(facts | {"at_ms": event.at_ms}).decode())


class Feed:
    """What waits for one socket; on the loop only.

    Attributes:
        wake: Set when there is something to do.
        lost: The socket was too slow and events were dropped here: it must read them from the log.
    """

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.lost = False
        self._waiting: deque[Told] = deque()

    def put(self, batch: list[Told]) -> None:
        """Add events, or drop all when too many wait."""
        if len(self._waiting) + len(batch) > _LONGEST:
            self._waiting.clear()
            self.lost = True
        else:
            self._waiting.extend(batch)
        self.wake.set()

    def take(self) -> list[Told]:
        """Return what waits and forget it."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Hub:
    """Hand events to every feed. The writer's thread only appends and wakes the loop once.

    Args:
        bus: Subscribed to while there is a feed.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._feeds: set[Feed] = set()
        self._fresh: deque[Event] = deque()
        self._lock = threading.Lock()
        self._woken = False
        self._handed_s = float("-inf")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe = lambda: None

    def open(self) -> Feed:
        """Begin a feed: it gets every event that is committed from now on."""
        feed = Feed()
        if not self._feeds:
            self._loop = asyncio.get_running_loop()
            self._unsubscribe = self._bus.subscribe(self._publish)
        self._feeds.add(feed)
        return feed

    def close(self, feed: Feed) -> None:
        """End a feed."""
        self._feeds.discard(feed)
        if not self._feeds:
            self._unsubscribe()

    def _publish(self, event: Event) -> None:
        with self._lock:
            self._fresh.append(event)
            if self._woken or self._loop is None or self._loop.is_closed():
                return
            self._woken = True
        self._loop.call_soon_threadsafe(self._gather)

    def _gather(self) -> None:
        """Hand out at once after a pause, else with what comes until the next time."""
        loop = asyncio.get_running_loop()
        wait_s = self._handed_s + _GATHER_S - loop.time()
        if wait_s > 0:
            loop.call_later(wait_s, self._distribute)
        else:
            self._distribute()

    def _distribute(self) -> None:
        self._handed_s = asyncio.get_running_loop().time()
        with self._lock:
            batch = [told(event) for event in self._fresh]
            self._fresh.clear()
            self._woken = False
        for feed in self._feeds:
            feed.put(batch)
