"""Start the jobs nobody asks for: kinds that declare `every_s`."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from appliance.errors import PixelQueueError
from appliance.store import Reading, jobs

if TYPE_CHECKING:
    from appliance.jobs.services import Jobs

__all__ = ["Schedule"]

_log = logging.getLogger(__name__)

_FIRST_S = 60.0
"""Nothing is due in the first minute: a start shall be quick, and a short-lived process undisturbed."""


class Schedule:
    """A thread that submits each kind with `every_s` when its time has come.

    The interval counts from the process's start, not from a clock that jumps; a kind whose last
    job is not over yet is passed over.
    """

    def __init__(self, service: Jobs) -> None:
        self._service = service
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-schedule", daemon=True)

    def start(self) -> None:
        """Begin to count."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def submit_due(self, kind: str) -> bool:
        """Submit a job of this kind unless one is unfinished or none is due; tell whether it was."""
        store, due = self._service.store, self._service.kinds[kind].due
        now_ms = store.clock.now_ms()

        def wanted(reading: Reading) -> bool:
            return not jobs.unfinished(reading, kind) and (due is None or due(reading, store.settings, now_ms))

        if not store.read(wanted):
            return False
        self._service.submit(kind)
        return True

    def _run(self) -> None:
        left_s = {name: _FIRST_S for name, kind in self._service.kinds.items() if kind.every_s is not None}
        while left_s and not self._closing.wait(wait_s := min(left_s.values())):
            for name in left_s:
                left_s[name] -= wait_s
                if left_s[name] <= 0:
                    left_s[name] = self._service.kinds[name].every_s or _FIRST_S
                    self._submit(name)

    def _submit(self, name: str) -> None:
        try:
            self.submit_due(name)
        except PixelQueueError as error:
            _log.warning("%s could not be scheduled: %s", name, error)
