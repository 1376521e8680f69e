"""Unpack an archive that came from outside, refusing what is not harmless."""

from __future__ import annotations

import hashlib
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from appliance.errors import UnsafeArchive

__all__ = ["MAX_ENTRIES", "sketch", "unpack"]

MAX_ENTRIES = 100_000
_MAX_RATIO = 200
"""Unpacked to packed bytes of a whole archive; pictures hardly shrink, a bomb reaches thousands."""

_RATIO_FROM_BYTES = 64 << 20
_CHUNK = 1 << 20
_LOCAL_HEADER_BYTES = 30
"""The least that lies before an entry's content. Source: APPNOTE.TXT 6.3.10, 4.3.7."""

_LONGEST_PART_BYTES = 255
_LONGEST_PATH_BYTES = 2_000
_BROKEN = (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, struct.error, zlib.error, lzma.LZMAError)
_IGNORED_FOLDER = "__MACOSX/"
_IGNORED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


class _Entry(NamedTuple):
    """A file of an archive, and its path part by part; an absolute one's first part is empty."""

    info: zipfile.ZipInfo
    parts: tuple[str, ...]


def unpack(archive: Path, target: Path, *, max_bytes: int, name: str) -> int:
    """Unpack a zip archive below `target` and return how many files it held.

    Count and sizes are judged before the first byte is written, and again while unpacking:
    headers lie.

    Args:
        archive: The file.
        target: A folder of our own; made when it is missing.
        max_bytes: Most bytes it may unpack to.
        name: The archive as the user named it.

    Raises:
        UnsafeArchive: Not a zip archive, too many entries, too large, or an entry that is
            encrypted or broken, absolute, climbs out, is a link or a device, or shares its name or
            its bytes with another; the entry is named.
    """
    return _each(archive, target, max_bytes, name, lambda *_: False)


def sketch(
    archive: Path,
    target: Path,
    *,
    max_bytes: int,
    name: str,
    is_picture: Callable[[str], bool],
    tell: Callable[[str, str], None],
) -> int:
    """Like `unpack`, but pictures become empty files: enough to see what a dataset says of them.

    Args:
        archive: The file.
        target: A folder of our own; made when it is missing.
        max_bytes: Most bytes it may unpack to.
        name: The archive as the user named it.
        is_picture: Says of a file's path whether it is one.
        tell: Gets each picture's path and the SHA-256 of its bytes, empty where it has none.

    Raises:
        UnsafeArchive: As `unpack`.
    """

    def hashed(opened: zipfile.ZipFile, entry: _Entry) -> bool:
        info = entry.info
        if not is_picture(info.filename):
            return False
        _path(target, entry).touch()
        tell(info.filename, _sha256(opened, info, name) if info.file_size else "")
        return True

    return _each(archive, target, max_bytes, name, hashed)


def _each(
    archive: Path,
    target: Path,
    max_bytes: int,
    name: str,
    taken: Callable[[zipfile.ZipFile, _Entry], bool],
) -> int:
    """Write every entry that is not `taken` care of."""
    try:
        with zipfile.ZipFile(archive) as opened:
            listed = opened.infolist()
            _judge_number(len(listed), name)
            entries = [_Entry(e, _parts(e.filename)) for e in listed if not e.is_dir() and not _ignored(e.filename)]
            _judge(entries, archive.stat().st_size, max_bytes, name)
            left = max_bytes
            for entry in entries:
                left -= _taken(opened, entry, target, left, name, taken)
            return len(entries)
    except UnicodeDecodeError as error:
        raise UnsafeArchive(f"{name} holds {error.object!r}, a name that is not UTF-8", file=name) from error
    except (*_BROKEN, zipfile.LargeZipFile) as error:
        raise UnsafeArchive(f"{name} cannot be read as a zip archive: {error}", file=name) from error


def _taken(
    opened: zipfile.ZipFile,
    entry: _Entry,
    target: Path,
    left: int,
    name: str,
    taken: Callable[[zipfile.ZipFile, _Entry], bool],
) -> int:
    """Write an entry that is not `taken` care of, and return how many bytes it was."""
    try:
        return 0 if taken(opened, entry) else _write(opened, entry, target, left, name)
    except _BROKEN as error:
        held = f"{name} holds {entry.info.filename!r}"
        raise UnsafeArchive(f"{held}, which cannot be read: {error}", file=name) from error


def _ignored(filename: str) -> bool:
    return filename.startswith(_IGNORED_FOLDER) or filename.rpartition("/")[2] in _IGNORED


def _judge_number(listed: int, name: str) -> None:
    if listed > MAX_ENTRIES:
        raise UnsafeArchive(
            f"{name} holds {listed} files and folders, at most {MAX_ENTRIES} are taken: split it", file=name
        )


def _judge(entries: list[_Entry], packed_bytes: int, max_bytes: int, name: str) -> None:
    total = sum(entry.info.file_size for entry in entries)
    if total > max_bytes:
        raise UnsafeArchive(
            f"{name} unpacks to {total >> 20} MiB and there is room for {max_bytes >> 20} MiB: split it", file=name
        )
    if total > _RATIO_FROM_BYTES and total > _MAX_RATIO * packed_bytes:
        raise UnsafeArchive(
            f"{name} unpacks to {total // packed_bytes} times its size: it looks like a bomb", file=name
        )
    for entry in entries:
        _judge_entry(entry, name)
    _judge_names(entries, name)
    _judge_places((entry.info for entry in entries), name)


def _judge_names(entries: list[_Entry], name: str) -> None:
    """Refuse two entries that would be one file, and one that would be a file and a folder."""
    files: set[tuple[str, ...]] = set()
    for info, parts in entries:
        if parts in files:
            raise UnsafeArchive(f"{name} holds {info.filename!r} twice: pack it again", file=name)
        files.add(parts)
    folders: set[tuple[str, ...]] = set()
    for info, parts in entries:
        for n in range(len(parts) - 1, 0, -1):
            folder = parts[:n]
            if folder in folders:
                break
            if folder in files:
                raise UnsafeArchive(f"{name} holds {info.filename!r} below what is a file itself", file=name)
            folders.add(folder)


def _judge_places(entries: Iterable[zipfile.ZipInfo], name: str) -> None:
    """Refuse entries that share bytes: a bomb needs few of its own.

    Source: D. Fifield, "A better zip bomb", WOOT 2019.
    """
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise UnsafeArchive(
                f"{name} holds {entry.filename!r}, which overlaps another: it looks like a bomb", file=name
            )
        end = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size


def _parts(filename: str) -> tuple[str, ...]:
    path = filename.replace("\\", "/")
    parts = (part for part in path.split("/") if part not in ("", "."))
    return ("", *parts) if path.startswith("/") else tuple(parts)


def _judge_entry(entry: _Entry, name: str) -> None:
    info, parts = entry
    if not any(parts):
        raise UnsafeArchive(f"{name} holds {info.filename!r}, which is no file's name", file=name)
    if _too_long(info.filename, parts):
        raise UnsafeArchive(f"{name} holds a name that is too long: {info.filename[:100]!r}…", file=name)
    if not parts[0] or ".." in parts or ":" in parts[0] or "\0" in info.filename:
        raise UnsafeArchive(f"{name} holds {info.filename!r}, which points outside of it", file=name)
    _judge_kind(info, name)


def _too_long(filename: str, parts: tuple[str, ...]) -> bool:
    whole = len(filename.encode())
    if whole <= _LONGEST_PART_BYTES:
        return False
    return whole > _LONGEST_PATH_BYTES or any(len(part.encode()) > _LONGEST_PART_BYTES for part in parts)


def _judge_kind(entry: zipfile.ZipInfo, name: str) -> None:
    mode = entry.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise UnsafeArchive(f"{name} holds {entry.filename!r}, which is a link or a device", file=name)
    if entry.flag_bits & 0x1:
        raise UnsafeArchive(
            f"{name} holds {entry.filename!r}, which is encrypted: unpack it and send the files", file=name
        )


def _write(opened: zipfile.ZipFile, entry: _Entry, target: Path, left: int, name: str) -> int:
    path, info = _path(target, entry), entry.info
    written = 0
    with opened.open(info) as source, path.open("wb") as out:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > min(left, info.file_size):
                raise UnsafeArchive(f"{name} holds {info.filename!r}, which is larger than it says", file=name)
            out.write(chunk)
    return written


def _path(target: Path, entry: _Entry) -> Path:
    path = target.joinpath(*entry.parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _sha256(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> str:
    digest, read = hashlib.sha256(), 0
    with opened.open(entry) as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            read += len(chunk)
            if read > entry.file_size:
                raise UnsafeArchive(f"{name} holds {entry.filename!r}, which is larger than it says", file=name)
    return digest.hexdigest()
