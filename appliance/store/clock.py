"""Time that never runs back, across restarts too."""

from __future__ import annotations

import threading
import time

__all__ = ["Clock"]


class Clock:
    """Milliseconds since 1970 UTC that only grow.

    The wall clock of a box in the field jumps: no battery, a first NTP answer, a hand-set
    date. `now_ms` follows the wall clock forward, holds still while it is behind the highest
    value ever given, and moves on with the monotonic clock meanwhile. The store persists
    `now_ms` as its high-water mark and starts the next clock from it.
    """

    def __init__(self, high_water_ms: int = 0) -> None:
        self._lock = threading.Lock()
        self._last_ms = max(high_water_ms, 0)
        self._mono_ms = time.monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        """Return the time; thread-safe and never less than what was returned before."""
        with self._lock:
            mono_ms = time.monotonic_ns() // 1_000_000
            self._last_ms = max(time.time_ns() // 1_000_000, self._last_ms + mono_ms - self._mono_ms)
            self._mono_ms = mono_ms
            return self._last_ms
