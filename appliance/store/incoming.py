"""The bytes of unfinished uploads: one file each, appended to, durable up to a known offset."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from appliance.store.blobs import storage_error

__all__ = ["Appending", "Incoming"]


class Incoming:
    """A folder of files that are named by the ids of their uploads.

    Args:
        folder: On the file system of the blobs, so that a whole file becomes one without a copy.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True, mode=0o700)

    def path(self, upload_id: int) -> Path:
        """Return where an upload's bytes lie."""
        return self._folder / str(upload_id)

    def size_bytes(self, upload_id: int) -> int:
        """Return how much is there, durable or not."""
        try:
            return self.path(upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    def appending(self, upload_id: int, offset_bytes: int) -> Appending:
        """Open an upload's file to go on at an offset; what lies behind it is cut off.

        Raises:
            StorageFull: The disk is full.
            StoreError: The disk reports an error.
        """
        try:
            return Appending(self.path(upload_id), offset_bytes)
        except OSError as error:
            raise storage_error(error) from error

    def remove(self, upload_id: int) -> None:
        """Delete an upload's bytes; what is not there is no error."""
        self.path(upload_id).unlink(missing_ok=True)

    def ids(self) -> Iterator[int]:
        """Yield the uploads that have a file."""
        for entry in os.scandir(self._folder):
            if entry.name.isdecimal():
                yield int(entry.name)


class Appending:
    """An upload's file while a request writes to it.

    Args:
        path: Made when it is not there, and then its folder is made durable too.
        offset_bytes: Where to go on.
    """

    def __init__(self, path: Path, offset_bytes: int) -> None:
        fresh = not path.exists()
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._fd, offset_bytes)
        os.lseek(self._fd, offset_bytes, os.SEEK_SET)
        self.offset_bytes = offset_bytes
        if fresh:
            _sync_folder(path.parent)

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            StorageFull: The disk is full.
        """
        left = memoryview(data)
        try:
            while left:
                written = os.write(self._fd, left)
                self.offset_bytes += written
                left = left[written:]
        except OSError as error:
            raise storage_error(error) from error

    def sync(self) -> None:
        """Make durable what was written.

        Raises:
            StoreError: The disk reports an error.
        """
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise storage_error(error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
