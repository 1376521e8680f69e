"""Let a thread of the appliance read and compute only when nobody else wants the disk or the processor."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import threading

__all__ = ["yield_to_everybody"]

# Source: linux/ioprio.h, and the system call tables of the two machines; both act on one thread.
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
_WHO_PROCESS = 1
_CLASS_IDLE = 3 << 13
_NICEST = 19


def yield_to_everybody() -> None:
    """Give the calling thread the idle I/O class and the lowest priority, for the rest of its life.

    Where the system knows no such thing, nothing happens.
    """
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, _NICEST)
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None:
        ctypes.CDLL(None, use_errno=True).syscall(number, _WHO_PROCESS, thread, _CLASS_IDLE)
