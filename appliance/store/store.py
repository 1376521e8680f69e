"""A data directory, open: the writer, the readers, the blobs and the cache."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import apsw

from appliance.errors import StorageFull, StoreError
from appliance.events import Bus
from appliance.settings import Settings
from appliance.store import database
from appliance.store.blobs import Blobs
from appliance.store.cache import Cache
from appliance.store.checkpoint import Checkpointer
from appliance.store.clock import Clock
from appliance.store.incoming import Incoming
from appliance.store.reserve import Reserve
from appliance.store.writer import Transaction, Writer

__all__ = ["Reading", "Store"]

T = TypeVar("T")


class Reading(Protocol):
    """What reading functions need: `execute` returns an iterator of row tuples.

    Both a pooled read-only connection and a `Transaction` are one.
    """

    def execute(self, sql: str, parameters: Any = ()) -> Any: ...


class Store:
    """Everything the appliance keeps, below one folder.

    ::

        DIR/pixelqueue.sqlite   metadata, annotations, history, jobs, events
        DIR/blobs/              content-addressed bytes: pictures, models, manifests
        DIR/uploads/            what has come of unfinished uploads
        DIR/cache/              what can be made again
        DIR/tmp/                half-written files, emptied at start
        DIR/reserve             space given up when the disk is full
        DIR/quarantine/         damaged blobs that a scrub put aside
        DIR/lock                held by the process that has it open
        DIR/console             while it is served: where commands ask the box

    Args:
        folder: Made when it does not exist.
        settings: Sizes of the pools and limits.
        vfs: Name of an APSW VFS for the database file, for fault injection.

    Raises:
        StoreLocked: Another process has the folder open.
        StoreTooNew: A newer release wrote it.
    """

    def __init__(self, folder: Path, settings: Settings | None = None, *, vfs: str | None = None) -> None:
        settings = settings or Settings()
        self.folder = folder
        self.settings = settings
        self.bus = Bus()
        self.temporary = folder / "tmp"
        self._prepare()
        self._lock = database.Lock(folder)
        try:
            self._empty_temporary()
            self.file = folder / database.FILE
            connection = database.connect(self.file, vfs=vfs)
            self.file.chmod(0o600)
            try:
                self._open_parts(connection, settings, vfs)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    def _open_parts(self, connection: apsw.Connection, settings: Settings, vfs: str | None) -> None:
        database.migrate(connection, self.file)
        self.clock = Clock(_high_water_ms(connection))
        self.blobs = Blobs(self.folder / "blobs", self.temporary)
        self.incoming = Incoming(self.folder / "uploads")
        self.cache = Cache(self.folder / "cache", settings.cache_bytes)
        self.reserve = Reserve(self.folder / "reserve", settings.reserve_bytes)
        self.reserve.keep()
        self._open_pools(connection, settings, vfs)

    def _open_pools(self, connection: apsw.Connection, settings: Settings, vfs: str | None) -> None:
        self._connection = connection
        self._closed = False
        self._checkpointer = Checkpointer(database.connect(self.file, vfs=vfs))
        self.writer = Writer(connection, self.clock, self.bus, self._checkpointer, self.reserve.give)
        self._readers: queue.SimpleQueue[apsw.Connection] = queue.SimpleQueue()
        self._all_readers = [database.connect(self.file, readonly=True, vfs=vfs) for _ in range(settings.readers)]
        for reader in self._all_readers:
            self._readers.put(reader)
        self._glance = database.connect(self.file, readonly=True, vfs=vfs)
        self._threads = ThreadPoolExecutor(settings.readers, thread_name_prefix="store-reader")

    def _prepare(self) -> None:
        try:
            for folder in (self.folder, self.temporary):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be made: {error.strerror}", file=str(self.folder)) from error

    def _empty_temporary(self) -> None:
        shutil.rmtree(self.temporary)
        self.temporary.mkdir(mode=0o700)

    def write(self, call: Callable[[Transaction], T], *, bulk: bool = False) -> T:
        """Run `call` in the writer and return its result after the commit; blocks.

        `call` may run more than once (see `writer`): its only effect is on its transaction.
        Never from the event loop, nor from inside another write.
        """
        return self.writer.submit(call, bulk=bulk).result()

    def writing(self, call: Callable[[Transaction], T], *, bulk: bool = False) -> Future[T]:
        """Like `write`, but return the future at once."""
        return self.writer.submit(call, bulk=bulk)

    async def awrite(self, call: Callable[[Transaction], T]) -> T:
        """Like `write`, from the event loop; survives the client's going away."""
        return await asyncio.shield(asyncio.wrap_future(self.writer.submit(call)))

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Lend a read-only connection; several statements see one state of the database."""
        connection = self._readers.get()
        try:
            connection.execute("BEGIN").fetchall()
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK").fetchall()
            self._readers.put(connection)

    def read(self, call: Callable[[Reading], T]) -> T:
        """Run `call` on a read-only connection in one state of the database; blocks."""
        with self.reading() as connection:
            return call(connection)

    async def aread(self, call: Callable[[Reading], T]) -> T:
        """Like `read`, from the event loop, on a reader thread."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, self.read, call)

    def glance(self, call: Callable[[Reading], T]) -> T:
        """Run a few look-ups by key at once, on the event loop itself; from its thread only.

        Some microseconds each: a hop to a reader thread and back costs ten times that. Readers of
        a write-ahead log never wait for the writer. Each statement sees the latest state.
        """
        return call(self._glance)

    def free_bytes(self) -> int:
        """Return the free space of the disk under the data directory."""
        return shutil.disk_usage(self.folder).free

    def require_space(self, incoming_bytes: int = 0) -> None:
        """Refuse to take in pictures and models when the disk is nearly full.

        Raises:
            StorageFull: Less than the configured floor would be left.
        """
        free = self.free_bytes() - incoming_bytes
        if free < self.settings.free_floor_bytes:
            raise StorageFull(
                f"the disk has only {max(free, 0) // 2**20} MiB left and {self.settings.free_floor_bytes // 2**20} "
                "MiB must stay free: delete images or exports, or free some space; annotating goes on"
            )

    def close(self) -> None:
        """Finish the queued writes and close everything; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self.writer.close()
        self._threads.shutdown()
        self._checkpointer.close()
        for reader in (*self._all_readers, self._glance):
            reader.close()
        self._connection.close()
        self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _high_water_ms(connection: apsw.Connection) -> int:
    for (value,) in connection.execute("SELECT value FROM meta WHERE key = 'high_water_ms'"):
        return int(value)
    return 0
