"""The machine under the appliance, as Linux tells it; None or 0 where it does not."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import time
from pathlib import Path

import msgspec

__all__ = ["Memory", "Temperature", "clock_is_set", "load", "memory", "temperatures", "uptime_s"]

_PROC, _THERMAL = Path("/proc"), Path("/sys/class/thermal")
_TIME_ERROR = 5
_TIMEX_BYTES = 512
"""Room for `struct timex`, which has 208 bytes on 64-bit machines."""

_STARTED_S = time.monotonic()


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """`resident_bytes` is this process's; zeros where nothing tells."""

    total_bytes: int
    available_bytes: int
    resident_bytes: int


class Temperature(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor in °C; `limit` is where the machine begins to slow down, None where unknown."""

    name: str
    celsius: float
    limit: float | None


def memory() -> Memory:
    """Read Linux's own accounts.

    Source: proc(5), /proc/meminfo and /proc/self/statm.
    """
    try:
        lines = (_PROC / "meminfo").read_text("ascii").splitlines()
        pages = int((_PROC / "self/statm").read_text("ascii").split()[1])
    except OSError:
        return Memory(total_bytes=0, available_bytes=0, resident_bytes=0)
    kib = {line.partition(":")[0]: int(line.split()[1]) for line in lines}
    return Memory(
        total_bytes=kib["MemTotal"] * 1024,
        available_bytes=kib["MemAvailable"] * 1024,
        resident_bytes=pages * resource.getpagesize(),
    )


def load() -> tuple[float, int]:
    """Return the load of the last minute and the processors this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return os.getloadavg()[0], usable


def temperatures() -> list[Temperature]:
    """Return the sensors, hottest first.

    Source: Documentation/driver-api/thermal/sysfs-api.rst of Linux; millidegrees Celsius.
    """
    found = []
    for zone in sorted(_THERMAL.glob("thermal_zone*")):
        with contextlib.suppress(OSError, ValueError):
            celsius = int((zone / "temp").read_text("ascii")) / 1000
            name = (zone / "type").read_text("ascii").strip()
            found.append(Temperature(name=name, celsius=celsius, limit=_passive_limit(zone)))
    return sorted(found, key=lambda one: -one.celsius)


def clock_is_set() -> bool | None:
    """Tell whether something (NTP, GPS) keeps the clock; None where the system does not say.

    Source: adjtimex(2): a call that changes nothing answers TIME_ERROR for a clock nobody sets.
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)
    answer = -1 if call is None else int(call(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return None if answer < 0 else answer != _TIME_ERROR


def uptime_s() -> float:
    """Return the seconds since this process began."""
    return time.monotonic() - _STARTED_S


def _passive_limit(zone: Path) -> float | None:
    for trip in sorted(zone.glob("trip_point_*_type")):
        if trip.read_text("ascii").strip() == "passive":
            return int(trip.with_name(trip.name.replace("_type", "_temp")).read_text("ascii")) / 1000
    return None
