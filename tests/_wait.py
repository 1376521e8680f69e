"""Waiting for what says nothing when it happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["until"]


def until(holds: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Return once it holds; ask again every few milliseconds.

    Raises:
        AssertionError: It does not hold in time.
    """
    end_s, tick = time.monotonic() + timeout_s, threading.Event()
    while not holds():
        assert time.monotonic() < end_s, "it never came to that"
        tick.wait(0.005)
