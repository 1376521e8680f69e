"""An APSW VFS that remembers what was synced, so that the power can be cut at any moment."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import apsw

__all__ = ["PowerDisk"]


class PowerDisk(apsw.VFS):
    """Pass everything to the default VFS and keep, for each file, what a power cut would leave.

    `image` is what of each file was synced at this moment. `torn` adds some of the writes that
    came after the last sync, in any order, the last of them cut in the middle of a sector.
    """

    def __init__(self, name: str = "power-disk") -> None:
        self.files: dict[str, _Kept] = {}
        self.lock = threading.RLock()
        self._base = ""
        super().__init__(name, self._base)
        self.name = name

    def xOpen(self, name, flags):
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        with self.lock:
            kept = self.files.setdefault(path, _Kept()) if path else _Kept()
        return _File(self, kept, name, flags)

    def xDelete(self, name, sync_folder):
        with self.lock:
            self.files.pop(name, None)
        return super().xDelete(name, sync_folder)

    def image(self) -> dict[str, bytes]:
        """Return what is certain to be on the platter now."""
        with self.lock:
            return {Path(path).name: bytes(kept.synced) for path, kept in self.files.items()}

    def torn(self, luck: random.Random) -> dict[str, bytes]:
        """Return what may be on the platter now, when the disk wrote some of the rest in its own order."""
        with self.lock:
            return {Path(path).name: kept.torn(luck) for path, kept in self.files.items()}


class _Kept:
    def __init__(self) -> None:
        self.synced = bytearray()
        self.pending: list[tuple[int, bytes] | int] = []

    def sync(self) -> None:
        for step in self.pending:
            _apply(self.synced, step)
        self.pending.clear()

    def torn(self, luck: random.Random) -> bytes:
        content = bytearray(self.synced)
        chosen = [step for step in self.pending if luck.random() < 0.5]
        luck.shuffle(chosen)
        for number, step in enumerate(chosen):
            if not isinstance(step, int) and number == len(chosen) - 1:
                step = (step[0], step[1][: luck.randrange(len(step[1]) + 1)])
            _apply(content, step)
        return bytes(content)


def _apply(content: bytearray, step: tuple[int, bytes] | int) -> None:
    if isinstance(step, int):
        del content[step:]
        return
    offset, data = step
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class _File(apsw.VFSFile):
    def __init__(self, disk: PowerDisk, kept: _Kept, name, flags) -> None:
        self._disk = disk
        self._kept = kept
        super().__init__("", name, flags)

    def xWrite(self, data, offset):
        super().xWrite(data, offset)
        with self._disk.lock:
            self._kept.pending.append((offset, bytes(data)))

    def xTruncate(self, size):
        super().xTruncate(size)
        with self._disk.lock:
            self._kept.pending.append(size)

    def xSync(self, flags):
        super().xSync(flags)
        with self._disk.lock:
            self._kept.sync()
