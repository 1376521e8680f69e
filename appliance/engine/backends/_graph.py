"""A graph with any inputs, as models of several files need: encoders and decoders."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

import numpy as np

__all__ = ["GraphSession", "Stop", "Stopped"]


class Stopped(Exception):
    """A run was ended because somebody more urgent wants the device."""


class Stop:
    """Ends one run of a graph, now or before it begins; `set` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set = False
        self._options: object | None = None

    def set(self) -> None:
        """End the run."""
        with self._lock:
            self._set = True
            if self._options is not None:
                self._options.terminate = True  # type: ignore[attr-defined]

    @property
    def is_set(self) -> bool:
        return self._set

    def watch(self, options: object) -> None:
        """Let this end the run that has the runtime's `options`."""
        with self._lock:
            self._options = options
            if self._set:
                options.terminate = True  # type: ignore[attr-defined]


class GraphSession(Protocol):
    """A graph that is loaded on one device; several threads may run it."""

    def run(self, feeds: Mapping[str, np.ndarray], stop: Stop | None = None) -> dict[str, np.ndarray]:
        """Run the graph once.

        Args:
            feeds: Arrays by the names of the graph's inputs; they are cast to its element types.
            stop: Ends the run from another thread.

        Returns:
            Its outputs by name, floating ones as float32.

        Raises:
            Stopped: `stop` was set.
            BackendUnavailable: The runtime gave up.
        """
        ...

    def close(self) -> None:
        """Free the graph's memory; the session cannot run afterwards."""
        ...
