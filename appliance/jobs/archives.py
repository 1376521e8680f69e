"""Unpack an archive that came from outside, refusing what is not harmless."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from appliance.errors import UnsafeArchive

__all__ = ["MAX_ENTRIES", "sketch", "unpack"]

MAX_ENTRIES = 100_000
_MAX_RATIO = 200
"""Unpacked to packed bytes of a whole archive; pictures hardly shrink, a bomb reaches thousands."""

_RATIO_FROM_BYTES = 64 << 20
_CHUNK = 1 << 20
_IGNORED = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


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
        UnsafeArchive: Not a zip archive, too many entries, too large, encrypted, or an entry that
            is absolute, climbs out, is a link or a device; the entry is named.
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

    def hashed(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
        if not is_picture(entry.filename):
            return False
        _path(target, entry).touch()
        tell(entry.filename, _sha256(opened, entry, name) if entry.file_size else "")
        return True

    return _each(archive, target, max_bytes, name, hashed)


def _each(
    archive: Path,
    target: Path,
    max_bytes: int,
    name: str,
    taken: Callable[[zipfile.ZipFile, zipfile.ZipInfo], bool],
) -> int:
    """Write every entry that is not `taken` care of."""
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [e for e in opened.infolist() if not e.is_dir() and not _ignored(e.filename)]
            _judge(entries, archive.stat().st_size, max_bytes, name)
            left = max_bytes
            for entry in entries:
                if not taken(opened, entry):
                    left -= _write(opened, entry, target, left, name)
            return len(entries)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise UnsafeArchive(f"{name} cannot be read as a zip archive: {error}", file=name) from error


def _ignored(filename: str) -> bool:
    return filename.startswith(_IGNORED[0]) or PurePosixPath(filename).name in _IGNORED[1:]


def _judge(entries: list[zipfile.ZipInfo], packed_bytes: int, max_bytes: int, name: str) -> None:
    if len(entries) > MAX_ENTRIES:
        raise UnsafeArchive(
            f"{name} holds {len(entries)} files, at most {MAX_ENTRIES} are taken: split it", file=name
        )
    total = sum(entry.file_size for entry in entries)
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


def _judge_entry(entry: zipfile.ZipInfo, name: str) -> None:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    mode = entry.external_attr >> 16
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in entry.filename:
        raise UnsafeArchive(f"{name} holds {entry.filename!r}, which points outside of it", file=name)
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise UnsafeArchive(f"{name} holds {entry.filename!r}, which is a link or a device", file=name)
    if entry.flag_bits & 0x1:
        raise UnsafeArchive(f"{name} is encrypted: unpack it and send the files", file=name)


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int, name: str) -> int:
    path = _path(target, entry)
    written = 0
    with opened.open(entry) as source, path.open("wb") as out:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > min(left, entry.file_size):
                raise UnsafeArchive(f"{name} holds {entry.filename!r}, which is larger than it says", file=name)
            out.write(chunk)
    return written


def _path(target: Path, entry: zipfile.ZipInfo) -> Path:
    path = target.joinpath(*PurePosixPath(entry.filename.replace("\\", "/")).parts)
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
