"""Files that can be made again: thumbnails, renditions, embeddings, engines.

No fsync, no rows, no backup: a missing or evicted file is made anew by whoever asks.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["Cache"]

_TRIM_TO = 0.9
_TRIM_EVERY = 2_000
_FIRST_TRIM = 100
_PARTIAL_S = 3_600


class Cache:
    """A folder with a budget, least recently used files first to go.

    Args:
        folder: Made when it does not exist.
        budget_bytes: Size at which the oldest tenth is dropped.
    """

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self.folder = folder
        self._budget_bytes = budget_bytes
        self._puts = _TRIM_EVERY - _FIRST_TRIM
        self._put_bytes = 0
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, kind: str, key: str) -> Path:
        """Return where the file of `key` lies or would lie; `key` is hex and a suffix."""
        return self.folder.joinpath(kind, key[:2], key)

    def get(self, kind: str, key: str) -> Path | None:
        """Return the file and mark it as used, or None."""
        path = self.path(kind, key)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def put(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        """Let `make` write a temporary file and move it into place; concurrent makers are harmless."""
        path = self.path(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_name(f".{secrets.token_hex(8)}.partial{path.suffix}")
        try:
            make(partial)
            size_bytes = partial.stat().st_size
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        self._count(size_bytes)
        return path

    def adopt(self, kind: str, key: str, made: Path) -> Path:
        """Move a file that somebody has made on the same file system into place."""
        path = self.path(kind, key)
        size_bytes = os.stat(made).st_size
        try:
            os.replace(made, path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.replace(made, path)
        self._count(size_bytes)
        return path

    def forget(self, kind: str, key: str) -> None:
        """Drop one file; what is not there is no error."""
        self.path(kind, key).unlink(missing_ok=True)

    def forget_picture(self, sha256: str) -> None:
        """Drop every copy of a picture, whatever its kind."""
        for kind in list(self.folder.iterdir()):
            for path in kind.glob(f"{sha256[:2]}/{sha256}*"):
                path.unlink(missing_ok=True)

    def size_bytes(self) -> int:
        """Return the sum of all files; walks the folder."""
        return sum(size for _, size, _ in self._files())

    def measured(self, between: Callable[[], None] = lambda: None) -> dict[str, tuple[int, int]]:
        """Return files and bytes of each kind; walks the folder, calling `between` after each of its folders."""
        found: dict[str, tuple[int, int]] = {}
        for kind in sorted(path for path in self.folder.iterdir() if path.is_dir()):
            sizes = [size for folder in self._folders(kind, between) for size in _sizes(folder)]
            found[kind.name] = (len(sizes), sum(sizes))
        return found

    def clear(self, between: Callable[[], None] = lambda: None) -> tuple[int, int]:
        """Drop everything but what is being made at present; return how many files and bytes went."""
        files = bytes_ = 0
        for folder in self._folders(self.folder, between):
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
                        files, bytes_ = files + 1, bytes_ + entry.stat().st_size
                        Path(entry.path).unlink(missing_ok=True)
        return files, bytes_

    def trim(self) -> int:
        """Drop the least recently used files until the budget is kept; return how many."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        if total <= self._budget_bytes:
            return 0
        dropped = 0
        for _, size, path in files:
            if total <= self._budget_bytes * _TRIM_TO:
                break
            path.unlink(missing_ok=True)
            total -= size
            dropped += 1
        return dropped

    def _count(self, size_bytes: int) -> None:
        """Trim every 2,000 files or every tenth of the budget, and soon after a start."""
        with self._lock:
            self._puts += 1
            self._put_bytes += size_bytes
            due = self._puts >= _TRIM_EVERY or self._put_bytes >= self._budget_bytes // 10
            if due:
                self._puts = self._put_bytes = 0
        if due:
            self.trim()

    def _folders(self, top: Path, between: Callable[[], None]) -> Iterator[str]:
        for folder, _, _ in os.walk(top):
            between()
            yield folder

    def _files(self) -> list[tuple[int, int, Path]]:
        """Return time, size and path of every file but those being made at present."""
        found = []
        making_ns = time.time_ns() - _PARTIAL_S * 10**9
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):
                    stat = path.stat()
                    if not name.startswith(".") or stat.st_mtime_ns < making_ns:
                        found.append((stat.st_mtime_ns, stat.st_size, path))
        return found


def _sizes(folder: str) -> list[int]:
    with os.scandir(folder) as entries:
        found = []
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False):
                    found.append(entry.stat(follow_symlinks=False).st_size)
        return found
