"""Loaded models and the memory they may take: those nobody uses stay until the room is needed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Protocol

import numpy as np

from appliance.engine.backends._graph import Stop
from appliance.errors import BackendUnavailable

__all__ = ["Lent", "Residents"]


class _Resident(Protocol):
    device_bytes: int

    def run(self, batch: np.ndarray, stop: Stop | None = None) -> list[np.ndarray]: ...

    def close(self) -> None: ...


class Lent:
    """A session that goes back to the residents when it is closed; one borrower at a time."""

    def __init__(self, residents: Residents, key: Hashable, session: _Resident) -> None:
        self._residents = residents
        self._key = key
        self._session: _Resident | None = session

    def run(self, batch: np.ndarray, stop: Stop | None = None) -> list[np.ndarray]:
        """Run the model; see `Session.run`. A session that fails is not lent again.

        Raises:
            Stopped: `stop` was set.
            BackendUnavailable: It was given back, or the runtime gave up.
        """
        if self._session is None:
            raise BackendUnavailable("this model was unloaded; load it again")
        try:
            return self._session.run(batch, stop)
        except BackendUnavailable:
            session, self._session = self._session, None
            self._residents.drop(session)
            raise

    def close(self) -> None:
        """Give the session back; a second call does nothing."""
        if self._session is not None:
            session, self._session = self._session, None
            self._residents.take_back(self._key, session)


class Residents:
    """Sessions on one device, least recently used ones first to go.

    Args:
        budget_bytes: Device memory that all of them together may take.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._idle: OrderedDict[tuple[Hashable, int], _Resident] = OrderedDict()
        self._used_bytes = 0
        self._count = 0
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """Device memory of all sessions, lent or idle."""
        return self._used_bytes

    def lend(self, key: Hashable, need_bytes: int, load: Callable[[], _Resident]) -> Lent:
        """Return an idle session of that key, or load one after making room for it.

        Args:
            key: What the session was loaded from, and how.
            need_bytes: What it will take, as far as that is known beforehand.
            load: Loads it; may raise.

        Raises:
            BackendUnavailable: Those in use leave no room within the budget.
        """
        with self._lock:
            known = next((place for place in reversed(self._idle) if place[0] == key), None)
            if known is not None:
                return Lent(self, key, self._idle.pop(known))
            leaving = self._make_room(need_bytes)
        for session in leaving:
            session.close()
        session = load()
        with self._lock:
            self._used_bytes += session.device_bytes
            leaving = self._evicted(0)
        for other in leaving:
            other.close()
        return Lent(self, key, session)

    def take_back(self, key: Hashable, session: _Resident) -> None:
        """Keep a session that nobody uses any more, as far as the budget allows."""
        with self._lock:
            self._count += 1
            self._idle[key, self._count] = session
            leaving = self._evicted(0)
        for other in leaving:
            other.close()

    def drop(self, session: _Resident) -> None:
        """Close a lent session that is of no use any more."""
        with self._lock:
            self._used_bytes -= session.device_bytes
        session.close()

    def close(self) -> None:
        """Close what is idle; what is lent ends with `drop` or stays its borrower's."""
        with self._lock:
            leaving = list(self._idle.values())
            self._idle.clear()
            self._used_bytes -= sum(session.device_bytes for session in leaving)
        for session in leaving:
            session.close()

    def _make_room(self, need_bytes: int) -> list[_Resident]:
        leaving = self._evicted(need_bytes)
        if self._used_bytes + need_bytes > self._budget_bytes and self._used_bytes:
            for session in leaving:
                session.close()
            raise BackendUnavailable(
                f"the models in use take {self._used_bytes >> 20} MiB of the {self._budget_bytes >> 20} MiB "
                "that `engine_memory_bytes` allows: wait for them, or allow more"
            )
        return leaving

    def _evicted(self, need_bytes: int) -> list[_Resident]:
        leaving = []
        while self._idle and self._used_bytes + need_bytes > self._budget_bytes:
            _, session = self._idle.popitem(last=False)
            self._used_bytes -= session.device_bytes
            leaving.append(session)
        return leaving
