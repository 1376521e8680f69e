"""Connections to the one SQLite file: pragmas, lock, version and migrations."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import apsw

from appliance.errors import StorageFull, StoreCorrupt, StoreError, StoreLocked, StoreTooNew
from appliance.store import splits

__all__ = ["FILE", "Lock", "connect", "migrate", "migrations"]

FILE = "pixelqueue.sqlite"
_APPLICATION_ID = 0x50585155  # "PXQU"

# Before 3.51.3 a WAL shared by several connections can lose a commit at a checkpoint.
# Source: https://sqlite.org/releaselog/3_51_3.html
_OLDEST_SQLITE = 3_051_003

_WRITER_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "wal_autocheckpoint = 0",
    "journal_size_limit = 67108864",
)
# The writer's cache fills whatever its size within minutes, and that is memory; a reader's is emptied
# by every commit of the writer. The system's own cache is behind both.
_PRAGMAS = ("foreign_keys = ON", "cache_size = -8192", "temp_store = MEMORY")


class Lock:
    """Hold the data directory against a second process for as long as this object lives."""

    def __init__(self, folder: Path) -> None:
        path = folder / "lock"
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{path} cannot be opened: {error.strerror}", file=str(path)) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise StoreLocked(
                f"{folder} is in use by another PixelQueue (process {holder}): stop it, or give another --data",
                file=str(folder),
            ) from error
        except OSError as error:
            os.close(self._fd)
            raise StoreError(f"{path} cannot be locked: {error.strerror}", file=str(path)) from error
        with contextlib.suppress(OSError):  # whose it is, is only told to people: a full disk may refuse it
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next process in."""
        os.close(self._fd)


def connect(path: Path, *, readonly: bool = False, vfs: str | None = None) -> apsw.Connection:
    """Open a connection with the appliance's pragmas: WAL, FULL, foreign keys.

    Raises:
        StoreError: SQLite is too old, or the file cannot be opened.
        StoreCorrupt: It is no database.
    """
    if apsw.SQLITE_VERSION_NUMBER < _OLDEST_SQLITE:
        raise StoreError(f"SQLite {apsw.sqlite_lib_version()} is too old: install apsw ≥ 3.51.3")
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    with _translated(path):
        connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
        try:
            connection.set_busy_timeout(10_000)
            splits.register(connection)
            for pragma in _PRAGMAS if readonly else _WRITER_PRAGMAS + _PRAGMAS:
                _drain(connection, f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
    return connection


def migrations() -> list[tuple[int, str]]:
    """Return number and SQL of every migration, in order."""
    found = []
    for entry in files("appliance.store").joinpath("migrations").iterdir():
        match = re.fullmatch(r"(\d{4})_\w+\.sql", entry.name)
        if match:
            found.append((int(match[1]), entry.read_text("utf-8")))
    return sorted(found)


def migrate(connection: apsw.Connection, path: Path) -> int:
    """Bring the schema to this release's version, forward only, and return that version.

    Each migration and the new version number commit together, so an interruption leaves the
    old or the new version. An existing database is copied to ``NAME.before-VERSION`` first.

    Raises:
        StoreTooNew: The file was written by a newer release.
        StoreCorrupt: It is damaged, or another program's.
        StorageFull: There is no room for the copy or the new schema.
    """
    with _translated(path):
        return _migrate(connection, path)


def _migrate(connection: apsw.Connection, path: Path) -> int:
    steps = migrations()
    newest = steps[-1][0]
    version = _pragma(connection, "user_version")
    _refuse_foreign(connection, path, version)
    if version > newest:
        raise StoreTooNew(
            f"{path} has schema {version}, this release knows {newest}: install the newer release again",
            file=str(path),
        )
    if version and version < newest:
        _copy_aside(connection, path.with_name(f"{path.name}.before-{newest}"))
    for number, sql in steps:
        if number > version:
            with _transaction(connection):
                for _ in connection.execute(sql):
                    pass
                _drain(connection, f"PRAGMA user_version = {number}")
                _drain(connection, f"PRAGMA application_id = {_APPLICATION_ID}")
    return newest


def _refuse_foreign(connection: apsw.Connection, path: Path, version: int) -> None:
    ours = _pragma(connection, "application_id") == _APPLICATION_ID
    if not ours and (version or connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()):
        raise StoreCorrupt(f"{path} is another program's database: give another --data", file=str(path))


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StoreCorrupt(f"{path} is not a sound database: restore it from a backup", file=str(path)) from error
    except apsw.FullError as error:
        raise StorageFull(f"the disk is full, {path} cannot be opened: free some space", file=str(path)) from error
    except apsw.Error as error:
        raise StoreError(f"{path} cannot be opened: {error}", file=str(path)) from error


def _pragma(connection: apsw.Connection, name: str) -> int:
    ((value,),) = connection.execute(f"PRAGMA {name}").fetchall()
    assert isinstance(value, int)
    return value


def _drain(connection: apsw.Connection, sql: str) -> None:
    for _ in connection.execute(sql):
        pass


def _copy_aside(connection: apsw.Connection, target: Path) -> None:
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    copy = apsw.Connection(str(partial))
    with contextlib.closing(copy), copy.backup("main", connection, "main") as backup:
        while not backup.done:
            backup.step(1000)
    os.replace(partial, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _transaction(connection: apsw.Connection) -> Iterator[None]:
    _drain(connection, "BEGIN IMMEDIATE")
    try:
        yield
        _drain(connection, "COMMIT")
    except BaseException:
        if connection.in_transaction:
            _drain(connection, "ROLLBACK")
        raise
