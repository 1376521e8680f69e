"""A running job service over a fresh data directory, and a kind whose steps the test decides."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from appliance.jobs._base import BATCH, Context, Kind
from appliance.jobs.services import Jobs
from appliance.settings import Settings
from appliance.store import Store
from tests._wait import until

__all__ = ["WAIT_S", "Anything", "Gate", "audited", "serving"]

WAIT_S = 30.0


class Anything(msgspec.Struct):
    name: str = ""
    batches: int = 1


class Gate:
    """A kind `gate`: each batch is announced, then waits to be let through."""

    def __init__(self, service: Jobs, lane: str = "cpu") -> None:
        self.log: list[tuple[str, int]] = []
        self._service = service
        self._lane = lane
        self._contexts: dict[str, Context] = {}
        self._changed = threading.Condition()
        self._open: dict[str, int] = {}
        service.kinds["gate"] = Kind("gate", lane, BATCH, Anything, self._run)

    def let(self, name: str, batches: int = 1) -> None:
        """Let so many more batches of the job through."""
        with self._changed:
            self._open[name] = self._open.get(name, 0) + batches
            self._changed.notify_all()

    def reached(self, name: str, batch: int) -> None:
        """Return when the job has come to this batch."""
        with self._changed:
            assert self._changed.wait_for(lambda: (name, batch) in self.log, WAIT_S), (name, batch, self.log)

    def contested(self, name: str) -> None:
        """Return when the job's lane knows that somebody more urgent waits for its place."""
        until(lambda: self._service.lanes[self._lane].contested(self._contexts[name].turn), WAIT_S)

    def halted(self, name: str) -> None:
        """Return when the job has been told that the service stops."""
        until(self._contexts[name]._halting.is_set, WAIT_S)

    def _run(self, context: Context, parameters: Anything) -> dict[str, Any]:
        self._contexts[parameters.name] = context
        for batch in range(context.checkpoint.get("next", 0), parameters.batches):
            context.pause_point()
            with self._changed:
                self.log.append((parameters.name, batch))
                self._changed.notify_all()
                assert self._changed.wait_for(lambda: self._open.get(parameters.name, 0) > 0, WAIT_S)
                self._open[parameters.name] -= 1
            context.commit(lambda _tx: None, checkpoint={"next": batch + 1}, progress=batch + 1)
        context.pause_point()
        return {"name": parameters.name}


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[Jobs]:
    """A started service; stopped and closed afterwards."""
    with Store(folder, Settings(**settings)) as store:
        service = Jobs(store)
        service.start()
        try:
            yield service
        finally:
            service.stop()


def audited(store: Store) -> list[tuple[str, str]]:
    """Return label and details of every batch the fake kind has written."""
    sql = "SELECT subject, details FROM audit WHERE action = 'fake.batch' ORDER BY id"
    return store.read(lambda reading: list(reading.execute(sql)))
