"""In-process publish and subscribe over the durable event log.

The store writes an event row in the same transaction as the change it tells of, and hands
the event to the bus after the commit. A subscriber that was away asks the store for what
lies between its last sequence number and now: the bus only carries what is new.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from appliance.records import Event

__all__ = ["Bus"]


class Bus:
    """Hand each event to every subscriber, in sequence order.

    Thread-safe. Subscribers are called on the publishing (writer) thread and must return
    at once: they put the event into a queue of their own.
    """

    def __init__(self) -> None:
        self._subscribers: dict[int, Callable[[Event], None]] = {}
        self._next = 0
        self._lock = threading.Lock()

    def subscribe(self, deliver: Callable[[Event], None]) -> Callable[[], None]:
        """Call `deliver` for each event from now on; the returned function ends that."""
        with self._lock:
            key = self._next
            self._next += 1
            self._subscribers = {**self._subscribers, key: deliver}

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = {k: v for k, v in self._subscribers.items() if k != key}

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Deliver one event to all who subscribe at this moment."""
        failed: list[Exception] = []
        for deliver in self._subscribers.values():
            try:
                deliver(event)
            except Exception as error:  # one subscriber's fault must not keep the event from the others
                failed.append(error)
        if failed:
            raise failed[0]
