"""An APSW VFS that fails at the k-th write-like call, as a disk would."""

from __future__ import annotations

import threading
from collections.abc import Callable

import apsw

__all__ = ["FaultyDisk"]


class FaultyDisk(apsw.VFS):
    """Pass everything to the default VFS until armed; then raise at call `at`, for `times` calls.

    Counts xWrite, xSync and xTruncate of the database and its log. `full` for ENOSPC, `io` for EIO.
    """

    def __init__(self, name: str = "faulty-disk") -> None:
        self.calls = 0
        self._fail: range = range(0)
        self._error: Callable[[], Exception] = apsw.FullError
        self._lock = threading.Lock()
        self._base = ""
        super().__init__(name, self._base)
        self.name = name

    def arm(self, at: int, kind: str, times: int = 1) -> None:
        """Fail `times` calls from the `at`-th one, counted from now."""
        with self._lock:
            self.calls = 0
            self._fail = range(at, at + times)
            self._error = {"full": lambda: apsw.FullError("disk full"), "io": _io_error}[kind]

    def disarm(self) -> None:
        with self._lock:
            self._fail = range(0)

    def step(self) -> None:
        """Count one call and fail when it is the chosen one."""
        with self._lock:
            call, self.calls = self.calls, self.calls + 1
            failing = call in self._fail
        if failing:
            raise self._error()

    def xOpen(self, name, flags):
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name, flags) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xWrite(self, data, offset):
        self._disk.step()
        return super().xWrite(data, offset)

    def xSync(self, flags):
        self._disk.step()
        return super().xSync(flags)

    def xTruncate(self, size):
        self._disk.step()
        return super().xTruncate(size)


def _io_error() -> Exception:
    error = apsw.IOError("disk I/O error")
    error.extendedresult = apsw.SQLITE_IOERR_WRITE
    return error
