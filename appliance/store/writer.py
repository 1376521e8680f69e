"""The one writer: group commit on a raw apsw connection.

Callers hand in callables; the writer thread runs those that wait inside one
``BEGIN IMMEDIATE``, each in a SAVEPOINT of its own, commits once, and only then answers.
One fsync thus serves everybody who came during the last one.

A FULL, IOERR or NOMEM inside a SAVEPOINT can roll back the *whole* transaction, and with it
the work of neighbours that had already succeeded. So after every callable the writer looks
at the connection's own `in_transaction`: if it is gone, the culprit gets the error and the
innocent run again in a new transaction. A callable therefore may run more than once and
must have no effect but through its `Transaction`. A full disk first costs the emergency
reserve, and the group runs again; only then is somebody told.
Source: https://sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction".
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Generic, TypeVar

import apsw

from appliance.errors import PixelQueueError, StorageFull, StoreCorrupt, StoreError
from appliance.events import Bus
from appliance.records import Event
from appliance.store import chain
from appliance.store.checkpoint import Checkpointer
from appliance.store.clock import Clock

__all__ = ["Transaction", "Writer", "actor"]

T = TypeVar("T")
_log = logging.getLogger(__name__)

_GROUP = 256
_BULK_SLICE_S = 0.005

actor: contextvars.ContextVar[int | None] = contextvars.ContextVar("actor", default=None)
"""Id of the user on whose behalf the present code runs; the audit log takes it from here."""


class Transaction:
    """What a callable sees: SQL, the time, events and the audit log, all of one commit."""

    def __init__(self, connection: apsw.Connection, clock: Clock, user_id: int | None) -> None:
        self.connection = connection
        self.execute: Callable[..., Any] = connection.execute
        self.executemany: Callable[..., Any] = connection.executemany
        self.now_ms = clock.now_ms()
        self.user_id = user_id
        self.events: list[Event] = []
        self.after_commit: list[Callable[[], None]] = []

    def insert(self, sql: str, parameters: Sequence[Any]) -> int:
        """Run an INSERT and return the new row's id."""
        self.execute(sql, parameters)
        return self.connection.last_insert_rowid()

    def changes(self) -> int:
        """Return how many rows the last statement touched."""
        return self.connection.changes()

    def event(
        self, kind: str, data: dict[str, Any], *, project_id: int | None = None, user_id: int | None = None
    ) -> None:
        """Add an event to the outbox; it is published after the commit."""
        row = (kind, project_id, user_id, _encode(data), self.now_ms)
        seq = self.insert("INSERT INTO events (kind, project_id, user_id, data, at_ms) VALUES (?, ?, ?, ?, ?)", row)
        self.events.append(
            Event(seq=seq, kind=kind, project_id=project_id, user_id=user_id, data=data, at_ms=self.now_ms)
        )

    def audit(self, action: str, subject: str, *, project_id: int | None = None, **details: Any) -> None:
        """Write a line of the audit log in the name of the acting user, linked to the line before."""
        number, before = chain.last(self)
        line = (number + 1, self.now_ms, self.user_id, action, subject, project_id)
        encoded = _encode(details)
        self.execute(
            "INSERT INTO audit (id, at_ms, user_id, action, subject, project_id, details, hash) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*line, encoded, chain.link(before, line, encoded)),
        )


def _encode(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


@dataclass(slots=True)
class _Work(Generic[T]):
    call: Callable[[Transaction], T]
    user_id: int | None
    answer: Future[T] = field(default_factory=Future)
    result: Any = None
    transaction: Transaction | None = None
    error: BaseException | None = None


class Writer:
    """Run callables in group commits on a thread of its own.

    Two queues: interactive work first, all that waits; bulk work, one slice of at most 5 ms
    a commit. Whoever submits bulk work cuts it into callables that small.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        clock: Clock,
        bus: Bus,
        checkpointer: Checkpointer,
        relieve: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._checkpointer = checkpointer
        self._relieve = relieve
        self._clock = clock
        self._bus = bus
        self._interactive: deque[_Work[Any]] = deque()
        self._bulk: deque[_Work[Any]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._wal_pages = 0
        self._high_water_ms = 0
        connection.set_wal_hook(self._on_wal)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[Transaction], T], *, bulk: bool = False) -> Future[T]:
        """Queue `call`; the future is answered after its commit, or with its error.

        Raises:
            StoreError: The writer is closed.
        """
        work = _Work(call, actor.get())
        with self._wake:
            if self._closing:
                raise StoreError("the store is closed")
            (self._bulk if bulk else self._interactive).append(work)
            self._wake.notify()
        return work.answer

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _on_wal(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._wal_pages = pages
        self._checkpointer.grown(pages)
        return apsw.SQLITE_OK

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._interactive or self._bulk or self._closing):
                    self._wake.wait()
                if not (self._interactive or self._bulk):
                    return
                group = [self._interactive.popleft() for _ in range(min(_GROUP, len(self._interactive)))]
            self._commit_group(group)
            self._checkpointer.cap(self._connection, self._wal_pages)

    def _commit_group(self, group: list[_Work[Any]]) -> None:
        pending = [work for work in group if work.answer.set_running_or_notify_cancel()]
        take_bulk = True
        while pending or take_bulk:
            try:
                done, pending = self._attempt(pending, take_bulk)
            except Exception as error:  # BEGIN itself failed: nobody ran
                for work in pending:
                    work.error = _translated(error)
                done, pending = pending, []
            take_bulk = False
            self._answer(done)

    def _attempt(self, group: list[_Work[Any]], take_bulk: bool) -> tuple[list[_Work[Any]], list[_Work[Any]]]:
        """Run one transaction; return the work that is decided and the innocent to run again."""
        self._execute("BEGIN IMMEDIATE")
        ran: list[_Work[Any]] = []
        queue = deque(group)
        bulk_from_s: float | None = None
        while True:
            if not queue:
                # The slice begins when the interactive work is done: however long that took, some bulk runs.
                bulk_from_s = perf_counter() if bulk_from_s is None else bulk_from_s
                if not (take_bulk and self._more_bulk(queue, bulk_from_s)):
                    break
            work = queue.popleft()
            whole = self._savepoint(work)
            if work.error and isinstance(work.error.__cause__, apsw.FullError) and self._relieve():
                self._rollback()
                return [], [*ran, work, *queue]
            if not whole:
                return [work], [*ran, *queue]
            ran.append(work)
        try:
            if any(work.error is None for work in ran):
                self._keep_high_water()
            self._execute("COMMIT")
        except Exception as error:
            self._rollback()
            if isinstance(error, apsw.FullError) and self._relieve():
                return [], ran
            for work in ran:
                work.error = work.error or _translated(error)
        return ran, []

    def _more_bulk(self, queue: deque[_Work[Any]], started: float) -> bool:
        if perf_counter() - started > _BULK_SLICE_S:
            return False
        with self._wake:
            while self._bulk:
                work = self._bulk.popleft()
                if work.answer.set_running_or_notify_cancel():
                    queue.append(work)
                    return True
        return False

    def _savepoint(self, work: _Work[Any]) -> bool:
        """Run one callable; return False when it took the whole transaction with it."""
        work.error = None
        try:
            self._execute("SAVEPOINT work")
            work.transaction = Transaction(self._connection, self._clock, work.user_id)
            work.result = work.call(work.transaction)
            if self._connection.in_transaction:
                self._execute("RELEASE work")
        except BaseException as error:  # the border: not even a SystemExit of a caller's may end the writer
            work.error = _translated(error)
            if self._connection.in_transaction:
                self._undo(work)
        if not self._connection.in_transaction:
            work.error = work.error or StoreError("the change was rolled back by the database: try again")
            return False
        return True

    def _undo(self, work: _Work[Any]) -> None:
        try:
            self._execute("ROLLBACK TO work")
            self._execute("RELEASE work")
        except apsw.Error as error:
            work.error = _translated(error)
            self._rollback()

    def _rollback(self) -> None:
        # A ROLLBACK that meets the same broken disk still ends the transaction.
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._execute("ROLLBACK")

    def _answer(self, done: list[_Work[Any]]) -> None:
        for work in done:
            if work.error is not None:
                work.answer.set_exception(work.error)
            else:
                self._tell(work.transaction)
                work.answer.set_result(work.result)

    def _tell(self, transaction: Transaction | None) -> None:
        """Publish what was committed; a listener's fault must not end the writer."""
        if transaction is None:
            return
        calls: list[Callable[[], None]] = [partial(self._bus.publish, event) for event in transaction.events]
        for call in calls + transaction.after_commit:
            try:
                call()
            except Exception:
                _log.exception("a listener failed on a committed change")

    def _keep_high_water(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - self._high_water_ms >= 1_000:
            self._execute("INSERT OR REPLACE INTO meta VALUES ('high_water_ms', ?)", (str(now_ms),))
            self._high_water_ms = now_ms

    def _execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        for _ in self._connection.execute(sql, parameters):
            pass


def _translated(error: BaseException) -> BaseException:
    """Give SQLite's errors a code and words; everything else stays what it is."""
    if isinstance(error, PixelQueueError) or not isinstance(error, apsw.Error):
        return error
    kind: type[StoreError] | type[StorageFull]
    if isinstance(error, apsw.FullError):
        kind, words = StorageFull, "the disk is full, the change was not saved: free some space and try again"
    elif isinstance(error, apsw.IOError):
        kind, words = StoreError, "the disk reports an error, the change was not saved: check the disk"
    elif isinstance(error, apsw.CorruptError | apsw.NotADBError):
        kind, words = StoreCorrupt, "the database is damaged: restore the latest backup"
    else:
        kind, words = StoreError, f"the database refused the change: {error}"
    translated = kind(words)
    translated.__cause__ = error
    return translated
