"""Disk space kept back, so that annotating goes on when everything else has filled the disk."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

__all__ = ["Reserve"]

_log = logging.getLogger(__name__)


class Reserve:
    """A file of real blocks that is given up when the database meets a full disk.

    Args:
        path: Where the file lies.
        size_bytes: How much to keep back; 0 keeps nothing.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size_bytes = size_bytes

    def keep(self) -> bool:
        """Allocate the file where there is room; return whether it stands."""
        if not self._size_bytes:
            return False
        try:
            self._allocate()
        except OSError as error:
            self._path.unlink(missing_ok=True)
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP, errno.EINVAL):
                raise
            _log.warning("no room for the emergency reserve of %d bytes", self._size_bytes)
            return False
        return True

    def _allocate(self) -> None:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, self._size_bytes)
        finally:
            os.close(fd)

    def give(self) -> bool:
        """Give the space back to the disk; return whether there was any to give."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        _log.warning("the disk is full: the emergency reserve of %d bytes was given up", self._size_bytes)
        return True
