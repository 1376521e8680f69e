"""Where an export's files go: a folder, or one zip archive."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.errors import InvalidInput
from appliance.formats._names import safe_path
from appliance.formats._zip import ZipWriter
from appliance.records import DatasetImage

__all__ = ["FolderSink", "ZipSink"]

Resolve = Callable[[DatasetImage], Path]
"""Tell the file that holds an image's upright picture."""

_COPY_BYTES = 1 << 20
_WHOLE_BYTES = 16 << 20
"""A picture up to this size is read at once: its checksum goes before it."""


def _checked(path: str) -> str:
    if safe_path(path) != path:
        raise InvalidInput(f"refused to write to {path!r}: not a safe relative path", file=path)
    return path


class FolderSink:
    """Files below a folder.

    Each file appears under its name only when it is whole (a temporary neighbour is renamed),
    and the temporary name depends on nothing but the file's, so an export that was killed and
    runs again ends with the same folder. Symbolic links below the root are not followed.

    Args:
        root: The folder; made when it is missing.
        resolve: Tells where an image's upright picture is.
    """

    def __init__(self, root: Path, resolve: Resolve) -> None:
        self._root = root
        self._resolve = resolve
        self._made: set[str] = set()
        root.mkdir(parents=True, exist_ok=True)

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        target, part = self._places(path)
        with open(part, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        os.replace(part, target)

    def picture(self, path: str, image: DatasetImage) -> None:
        """Hard-link the picture, or copy it where links cannot go; one that is right is left alone."""
        source = self._resolve(image)
        target, part = self._places(path)
        try:
            if os.path.samestat(os.stat(target, follow_symlinks=False), os.stat(source)):
                return
        except FileNotFoundError:
            pass
        _remove(part)
        try:
            os.link(source, part)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, part)
        os.replace(part, target)

    def _places(self, path: str) -> tuple[str, str]:
        folder, _, last = _checked(path).rpartition("/")
        if folder not in self._made:
            self._make(folder)
        place = os.path.join(self._root, folder)
        return os.path.join(place, last), os.path.join(place, f".{last}.part")

    def _make(self, folder: str) -> None:
        place = self._root
        for part in filter(None, folder.split("/")):
            place = place / part
            if place.is_symlink():
                raise InvalidInput(f"refused to write through the symbolic link {place}", file=str(place))
            place.mkdir(exist_ok=True)
        self._made.add(folder)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


class ZipSink:
    """One zip archive, the same bytes for the same files in the same order.

    Nothing is compressed: pictures do not get smaller, and deflate gives other bytes with
    another zlib. Large files are fine (zip64), nothing is held in memory but the list of names.
    The archive appears under its name when it is closed; a failed one leaves nothing behind.

    Args:
        file: The archive to write.
        resolve: Tells where an image's upright picture is.

    Attributes:
        sha256: Of the archive, in hexadecimal, once it is closed.
        size_bytes: Its size, once it is closed.
    """

    def __init__(self, file: Path, resolve: Resolve) -> None:
        self._file = file
        self._part = file.with_name(f".{file.name}.part")
        self._resolve = resolve
        self._opened = open(self._part, "w+b", buffering=_COPY_BYTES)  # noqa: SIM115  closed with the sink
        self._zip = ZipWriter(self._opened)
        self.sha256 = ""
        self.size_bytes = 0

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        if isinstance(chunks, (list, tuple)):
            self._zip.add(_checked(path), b"".join(chunks))
        else:
            self._zip.stream(_checked(path), chunks)

    def picture(self, path: str, image: DatasetImage) -> None:
        with open(self._resolve(image), "rb", buffering=0) as picture:
            if os.fstat(picture.fileno()).st_size <= _WHOLE_BYTES:
                self._zip.add(_checked(path), picture.read())
            else:
                self._zip.stream(_checked(path), iter(lambda: picture.read(_COPY_BYTES), b""))

    def close(self) -> None:
        """Finish the archive and let it appear under its name."""
        self.sha256 = self._zip.finish()
        self.size_bytes = self._opened.tell()
        self._opened.close()
        os.replace(self._part, self._file)

    def abort(self) -> None:
        """Drop what was written."""
        self._opened.close()
        _remove(str(self._part))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()
