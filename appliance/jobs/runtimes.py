"""What can run models here, asked in a child, so that no native library is loaded to find out."""

from __future__ import annotations

import threading

import msgspec

from appliance.errors import PixelQueueError
from appliance.jobs import children

__all__ = ["Found", "Runtime", "Runtimes", "look"]

_DEADLINE_S = 60.0


class Runtime(msgspec.Struct, frozen=True):
    """A runtime: may it run here, why (not), and on which devices, best first."""

    name: str
    ok: bool
    reason: str
    devices: list[str]


class Found(msgspec.Struct, frozen=True):
    """What a look found; `fault` says why child processes do not start, where they do not."""

    backends: list[Runtime]
    fault: str | None = None


def look() -> Found:
    """Start a child and ask it; blocks for about a second."""
    try:
        return msgspec.convert(children.once("jobs.probe_task", {}, deadline_s=_DEADLINE_S), Found)
    except PixelQueueError as error:
        return Found([], error.message)


class Runtimes:
    """The answer, kept: runtimes come and go only with a new start. A fault is looked at again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Found | None = None

    def found(self) -> Found:
        """Return what can run here; blocks when it is asked for the first time."""
        with self._lock:
            if self._found is None or self._found.fault is not None:
                self._found = look()
            return self._found
