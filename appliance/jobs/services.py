"""Jobs as the rest of the appliance uses them: submit, steer, wait."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from appliance.errors import InvalidInput, NotFound
from appliance.jobs._base import Kind
from appliance.jobs.context import Run
from appliance.jobs.conversion import Abilities
from appliance.jobs.ingest import Ingest
from appliance.jobs.lanes import ThreadLane
from appliance.jobs.pictures import Pictures
from appliance.jobs.runtimes import Runtimes
from appliance.jobs.schedule import Schedule
from appliance.jobs.segmenting import Segmenting
from appliance.jobs.tiles import Tiles
from appliance.records import Event, Job
from appliance.registry import discover
from appliance.settings import Settings
from appliance.store import Store, Transaction, jobs, recorded
from appliance.store.blobs import Staged

__all__ = ["WIDTHS", "Jobs", "kinds"]

_log = logging.getLogger(__name__)

WIDTHS = {"model": 1, "cpu": 1, "io": 2}
"""How many jobs each lane runs at a time; `model` is one device."""

_OVER = ("done", "failed", "cancelled")


def kinds() -> dict[str, Kind[Any]]:
    """Return every kind of job by its name."""
    return discover("appliance.jobs.kinds", "KIND")


class Jobs:
    """The queue, its lanes, and what jobs and uploads share.

    Every method blocks on the store; call them from a thread, never from the event loop.

    Attributes:
        pictures: The pool of children that look at picture bytes.
        ingest: The way pictures come into a project.
        tiles: The pyramids of very large ones.
        lanes: By name; `borrowed` lends one to work that is no job.
        runtimes: What can run models here.
        conversion: Whether checkpoints can be converted here.
        segmenting: What answers clicks.
    """

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        self.store = store
        self.settings = settings or store.settings
        self.pictures = Pictures(store, self.settings)
        self.tiles = Tiles(store, self.submit_in)
        self.ingest = Ingest(store, self.pictures, self.tiles.follow_up)
        self.runtimes = Runtimes(store.cache, self.settings)
        self.conversion = Abilities(self.settings)
        self.kinds = dict(kinds())
        self.lanes = {
            name: ThreadLane(name, width, head=self._head_of(name), begin=self._begin_of(name))
            for name, width in WIDTHS.items()
        }
        self.segmenting = Segmenting(store, self.lanes["model"], self.tiles, self.settings.device)
        self._runs: dict[int, Run] = {}
        self._lock = threading.Lock()
        self._stopping = False
        self._schedule = Schedule(self)

    def start(self) -> None:
        """Settle what the last process left behind and open the lanes."""
        for job in self.store.write(jobs.recover):
            _log.info("job %d (%s) was running when the appliance ended: now %s", job.id, job.kind, job.state)
        for lane in self.lanes.values():
            lane.start()
        self.segmenting.start()
        self._schedule.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Send the running jobs back into the queue at their next batch boundary and end all children.

        A job that does not get there in time is left as it is: the next start queues it again.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._lock:
            self._stopping = True
            running = list(self._runs.values())
        self._schedule.stop()
        for run in running:
            run.halt()
        for lane in self.lanes.values():
            if not lane.stop(max(deadline_s - time.monotonic(), 0.0)):
                _log.warning("lane %s did not come to rest in %.0f s", lane.name, timeout_s)
        self.segmenting.stop()
        self.ingest.stop()
        self.pictures.stop()
        self.runtimes.close()

    def submit(
        self,
        kind: str,
        parameters: dict[str, Any] | msgspec.Struct | None = None,
        *,
        project_id: int | None = None,
        created_by: int | None = None,
        priority: int | None = None,
        blobs: Iterable[Staged] = (),
    ) -> Job:
        """Queue a job; like `submit_in`, in a transaction of its own."""
        attached = tuple(blobs)
        return self.store.write(
            lambda tx: self.submit_in(
                tx, kind, parameters, project_id=project_id, created_by=created_by, priority=priority, blobs=attached
            )
        )

    def submit_in(
        self,
        tx: Transaction,
        kind: str,
        parameters: dict[str, Any] | msgspec.Struct | None = None,
        *,
        project_id: int | None = None,
        created_by: int | None = None,
        priority: int | None = None,
        blobs: Iterable[Staged] = (),
    ) -> Job:
        """Queue a job in the caller's transaction.

        Args:
            tx: The transaction; the lane hears of the job after its commit.
            kind: Name of a registered kind.
            parameters: As the kind's struct wants them.
            project_id: The project it belongs to; the job goes when the project goes.
            created_by: On whose behalf it acts.
            priority: The kind's default unless given.
            blobs: Settled bytes the job needs; they are registered and kept until it is over.

        Raises:
            NotFound: There is no such kind.
            InvalidInput: The parameters do not fit.
        """
        what = self.kinds.get(kind)
        if what is None:
            raise NotFound(f"there is no job of the kind {kind!r}", field="kind")
        job = jobs.create(
            tx,
            kind,
            what.lane,
            what.priority if priority is None else priority,
            _fitting(what, parameters),
            project_id=project_id,
            created_by=created_by,
        )
        for staged in blobs:
            jobs.attach(tx, self.store.blobs, job.id, staged)
        tx.after_commit.append(self.lanes[what.lane].poke)
        return job

    def record_in(
        self,
        tx: Transaction,
        kind: str,
        parameters: dict[str, Any] | msgspec.Struct,
        *,
        project_id: int,
        created_by: int | None,
        checkpoint: dict[str, Any] | None = None,
    ) -> int:
        """Put on record, as a job of this kind that is over, what the caller does at once; return its id.

        `recorded.close` ends it. With its `checkpoint` it is undone like a job that a lane ran.
        """
        what = self.kinds[kind]
        return recorded.begin(
            tx,
            kind,
            what.lane,
            _fitting(what, parameters),
            project_id=project_id,
            created_by=created_by,
            checkpoint=checkpoint,
        )

    def pause(self, job_id: int) -> Job:
        """Let a job wait from its next batch boundary on; see `store.jobs.pause`."""
        return self._steer(lambda tx: jobs.pause(tx, job_id), "pause", "job.pause")

    def resume(self, job_id: int) -> Job:
        """Let a paused job go on; see `store.jobs.resume`."""
        return self._steer(lambda tx: jobs.resume(tx, job_id), None, "job.resume")

    def cancel(self, job_id: int) -> Job:
        """End a job at its next batch boundary; see `store.jobs.cancel`."""
        return self._steer(lambda tx: jobs.cancel(tx, job_id), "cancel", "job.cancel")

    def retry(self, job_id: int, reason: str = "") -> Job:
        """Queue a failed or cancelled job again; see `store.jobs.retry`."""
        return self._steer(lambda tx: jobs.retry(tx, job_id, reason), None, "job.retry")

    def wait(self, job_id: int, timeout_s: float | None = None) -> Job:
        """Return the job when it is over or paused, or as it stands after `timeout_s`."""
        changed = threading.Event()

        def deliver(event: Event) -> None:
            if event.kind == "job.changed" and event.data["job"]["id"] == job_id:
                changed.set()

        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        unsubscribe = self.store.bus.subscribe(deliver)
        try:
            while True:
                changed.clear()
                job = self.store.read(lambda reading: jobs.get(reading, job_id))
                left_s = None if deadline_s is None else deadline_s - time.monotonic()
                if job.state in (*_OVER, "paused") or (left_s is not None and left_s <= 0):
                    return job
                changed.wait(left_s)
        finally:
            unsubscribe()

    def _steer(self, change: Callable[[Transaction], Job], wanted: str | None, action: str) -> Job:
        def audited(tx: Transaction) -> Job:
            job = change(tx)
            tx.audit(action, f"job {job.id}", project_id=job.project_id, kind=job.kind)
            return job

        job = self.store.write(audited)
        with self._lock:
            run = self._runs.get(job.id)
        if run is not None and job.state == "running":
            run.want(wanted)
        self.lanes[job.lane].poke()
        return job

    def _head_of(self, lane: str) -> Callable[[], int | None]:
        return lambda: self.store.read(lambda reading: jobs.head_priority(reading, lane))

    def _begin_of(self, lane: str) -> Callable[[], Run | None]:
        return lambda: self._begin(lane)

    def _begin(self, lane: str) -> Run | None:
        job = self.store.write(lambda tx: jobs.claim(tx, lane))
        if job is None:
            return None
        kind = self.kinds.get(job.kind) or _missing(job)
        run = _Tracked(self, job, kind)
        with self._lock:
            self._runs[job.id] = run
            stopping = self._stopping
        if stopping:
            run.halt()
        return run

    def _forget(self, job_id: int) -> None:
        with self._lock:
            self._runs.pop(job_id, None)


class _Tracked(Run):
    """A run that the service can reach for as long as it lasts."""

    def __init__(self, service: Jobs, job: Job, kind: Kind[Any]) -> None:
        super().__init__(
            job,
            kind,
            service.lanes[job.lane],
            store=service.store,
            settings=service.settings,
            pictures=service.pictures,
            ingest=service.ingest,
            runtimes=service.runtimes,
        )
        self._service = service

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._service._forget(self.job.id)


def _fitting(kind: Kind[Any], parameters: dict[str, Any] | msgspec.Struct | None) -> dict[str, Any]:
    plain = msgspec.to_builtins({} if parameters is None else parameters)
    try:
        checked = msgspec.convert(plain, kind.parameters)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"the parameters of a job {kind.name!r} do not fit: {error}", field="parameters"
        ) from error
    fitting: dict[str, Any] = msgspec.to_builtins(checked)
    return fitting


def _missing(job: Job) -> Kind[Any]:
    def run(_context: object, _parameters: object) -> dict[str, Any]:
        raise NotFound(f"this release knows no job of the kind {job.kind!r}: cancel it")

    return Kind(job.kind, job.lane, job.priority, dict, run)
