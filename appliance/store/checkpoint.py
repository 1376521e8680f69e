"""Move the write-ahead log into the database without holding up the writer."""

from __future__ import annotations

import logging
import threading

import apsw

__all__ = ["Checkpointer"]

_log = logging.getLogger(__name__)

_PAGES = 1_000
_PAGES_CAP = 16_000
_CAP_WAIT_MS = 50


class Checkpointer:
    """Checkpoint on a connection and a thread of its own, whenever the log is worth it.

    A PASSIVE checkpoint copies pages while others read and write, and never waits. Under
    constant writing the log would still only grow, so past 64 MB the writer itself asks for
    a RESTART (`cap`), which by then has next to nothing left to copy; it gives up after 50 ms
    if a reader is in the way and tries again later.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._due = threading.Event()
        self._closing = False
        self._cap_at = _PAGES_CAP
        self._thread = threading.Thread(target=self._run, name="store-checkpointer", daemon=True)
        self._thread.start()

    def grown(self, pages: int) -> None:
        """Hear from the WAL hook how long the log is, in pages."""
        if pages >= _PAGES:
            self._due.set()

    def cap(self, writer: apsw.Connection, pages: int) -> None:
        """Keep the log from growing without bound; called on the writer's thread between commits."""
        if pages < self._cap_at:
            self._cap_at = _PAGES_CAP if pages < _PAGES_CAP else self._cap_at
            return
        writer.set_busy_timeout(_CAP_WAIT_MS)
        try:
            writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
            self._cap_at = _PAGES_CAP
        except apsw.BusyError:
            self._cap_at = pages + _PAGES
        except apsw.Error as error:
            self._cap_at = pages + _PAGES
            _log.warning("the log could not be checkpointed, it keeps growing: %s", error)
        finally:
            writer.set_busy_timeout(10_000)

    def close(self) -> None:
        """End the thread and its connection."""
        self._closing = True
        self._due.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closing:
                return
            try:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            except apsw.BusyError:  # the writer is at it itself
                continue
            except apsw.Error as error:
                _log.warning("checkpoint failed, the log keeps growing until the next: %s", error)
