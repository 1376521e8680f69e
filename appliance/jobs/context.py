"""One run of one job: the context its kind sees, and the border that turns its end into a state."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from appliance.errors import ChildFailed, InvalidInput, JobCancelled, PixelQueueError
from appliance.jobs import children
from appliance.jobs._base import BATCH, JobPaused, Kind
from appliance.jobs.lanes import Lane, Turn
from appliance.records import Job, Note
from appliance.settings import Settings
from appliance.store import Store, Transaction, actor, jobs

if TYPE_CHECKING:
    from appliance.engine.backends._graph import Stop
    from appliance.jobs.ingest import Ingest
    from appliance.jobs.pictures import Pictures
from appliance.jobs.runtimes import Runtimes

__all__ = ["Run"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

_TELL_EVERY_S = 0.25
_RETRY_S = 2.0
_NICE = 10


class Run:
    """A started job; what its kind gets as `Context`.

    `want` and `halt` may be called from any thread, everything else from the job's own only.
    """

    def __init__(
        self,
        job: Job,
        kind: Kind[Any],
        lane: Lane,
        *,
        store: Store,
        settings: Settings,
        pictures: Pictures,
        ingest: Ingest,
        runtimes: Runtimes,
    ) -> None:
        self.job = job
        self.store = store
        self.settings = settings
        self.pictures = pictures
        self.ingest = ingest
        self.runtimes = runtimes
        self.checkpoint: dict[str, Any] = {}
        self.turn = Turn(job.priority)
        self.name = f"job-{job.id}-{job.kind}"
        self._kind = kind
        self._lane = lane
        self._wanted: str | None = None
        self._halting = threading.Event()
        self._notes: list[Note] = []
        self._told_s = -_TELL_EVERY_S

    def want(self, wanted: str | None) -> None:
        """Tell the running job to pause or to end, or None to go on after all."""
        self._wanted = wanted
        self._lane.nudge()

    def halt(self) -> None:
        """Tell the job to go back into the queue at its next batch boundary: the appliance stops."""
        self._halting.set()
        self._lane.nudge()

    # What the kind calls

    def commit(
        self,
        work: Callable[[Transaction], T],
        *,
        checkpoint: dict[str, Any] | None = None,
        progress: int | None = None,
        total: int | None = None,
        message: str | None = None,
    ) -> T:
        """Run `work` as bulk, in one transaction with the checkpoint, progress and pending notes."""
        now_s = time.monotonic()
        tell = now_s - self._told_s >= _TELL_EVERY_S
        notes = list(self._notes)

        def together(tx: Transaction) -> tuple[T, str | None]:
            wanted = jobs.advance(
                tx, self.job.id, checkpoint=checkpoint, progress=progress, total=total, message=message, tell=tell
            )
            jobs.add_notes(tx, self.job.id, notes)
            return work(tx), wanted

        result, wanted = self.store.write(together, bulk=True)
        self._wanted = self._wanted or wanted
        self._told_s = now_s if tell else self._told_s
        del self._notes[: len(notes)]
        if checkpoint is not None:
            self.checkpoint = checkpoint
        return result

    def note(self, notes: Note | Iterable[Note]) -> None:
        """Keep what went wrong with one file among many; written with the next commit."""
        self._notes.extend([notes] if isinstance(notes, Note) else notes)

    def pause_point(self) -> None:
        """Hand the lane to somebody more urgent; raise when the job shall end or wait."""
        self._obey()
        if self._lane.contested(self.turn):
            self._lane.give_way(self.turn, self._unwanted)
            self._obey()

    @contextmanager
    def holding(self, stop: Stop) -> Iterator[None]:
        """Hold the lane for one run that `stop` ends; outside it is anybody's who cannot wait."""
        self.pause_point()
        self._lane.hold(self.turn, stop.set, self._unwanted)
        try:
            self._obey()
            yield
        finally:
            self.rest()

    def rest(self) -> None:
        """Leave the lane to whoever cannot wait until it is held again."""
        self._lane.rest(self.turn)

    def child(
        self,
        task: str,
        request: dict[str, Any],
        *,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        deadline_s: float | None = None,
        memory_bytes: int | None = None,
        interpreter: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        network: bool = True,
    ) -> dict[str, Any]:
        """Run ``appliance.<task>.handle(request, send)`` in a throw-away child process.

        While somebody more urgent has the lane, the child is suspended.
        """
        return children.once(
            task,
            request,
            on_message=on_message,
            attend=self._attend,
            deadline_s=deadline_s,
            memory_bytes=memory_bytes,
            interpreter=interpreter,
            environment=environment,
            network=network,
            nice=_NICE if self.job.priority <= BATCH else _NICE // 2,
        )

    def _attend(self, child: children.Child) -> float:
        self._obey()
        if not self._lane.contested(self.turn):
            return 0.0
        began_s = time.monotonic()
        child.suspend()
        self.pause_point()
        child.resume()
        return time.monotonic() - began_s

    def _unwanted(self) -> bool:
        return self._wanted is not None or self._halting.is_set()

    def _obey(self) -> None:
        if self._wanted == "cancel":
            raise JobCancelled("the job was cancelled")
        if self._wanted == "pause" or self._halting.is_set():
            raise JobPaused

    # What the lane calls

    def run(self) -> None:
        """Do the job from its last checkpoint and write down how it ended; never raises."""
        actor.set(self.job.created_by)
        self._write_down(self._outcome())

    def _outcome(self) -> Callable[[Transaction], object]:
        """Run the kind; return the write that states its end. The border of the job."""
        job_id = self.job.id
        try:
            self.checkpoint, self._wanted = self.store.read(lambda reading: jobs.standing(reading, job_id))
            self._obey()
            result = self._kind.run(self, self._parameters())
            return lambda tx: jobs.finish(tx, job_id, result)
        except JobPaused:
            return lambda tx: jobs.stop(tx, job_id)
        except JobCancelled:
            return lambda tx: jobs.cancelled(tx, job_id)
        except BaseException as error:
            if self._halting.is_set():
                _log.info("%s ended while the appliance stops, it starts again next time: %r", self.name, error)
                return lambda tx: jobs.stop(tx, job_id)
            facts = self._facts(error)
            return lambda tx: jobs.fail(tx, job_id, facts)

    def _parameters(self) -> Any:
        try:
            return msgspec.convert(self.job.parameters, self._kind.parameters)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"the job's parameters do not fit this release: {error}") from error

    def _facts(self, error: BaseException) -> dict[str, Any]:
        if isinstance(error, PixelQueueError):
            _log.warning("%s failed: %s", self.name, error, exc_info=isinstance(error, ChildFailed))
            return error.as_dict()
        _log.error("%s failed unexpectedly", self.name, exc_info=error)
        words = f"the job failed unexpectedly ({type(error).__name__}); the log has the details"
        return PixelQueueError(words).as_dict()

    def _write_down(self, state: Callable[[Transaction], object]) -> None:
        """Commit the job's end with its last notes; while the disk refuses, try again until the stop."""

        def together(tx: Transaction) -> None:
            if state(tx) is not None:
                jobs.add_notes(tx, self.job.id, self._notes)

        while True:
            try:
                self.store.write(together)
                return
            except PixelQueueError as error:
                _log.error("%s: its end cannot be written down: %s", self.name, error)
            if self._halting.wait(_RETRY_S):
                return
