"""What a kind of job is, and what it sees of the world while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from appliance.records import Job, Note
from appliance.settings import Settings
from appliance.store import Reading, Store, Transaction

if TYPE_CHECKING:
    from appliance.engine.backends._graph import Stop
    from appliance.jobs.ingest import Ingest
    from appliance.jobs.pictures import Pictures
    from appliance.jobs.runtimes import Runtimes

__all__ = [
    "BATCH",
    "CHILD_DEADLINE_S",
    "FOREGROUND",
    "INTERACTIVE",
    "MAINTENANCE",
    "Context",
    "JobPaused",
    "Kind",
    "child_memory_bytes",
]

INTERACTIVE, FOREGROUND, BATCH, MAINTENANCE = 300, 200, 100, 0

CHILD_DEADLINE_S = 6 * 3600.0
"""How long the child of a job may take: a large dataset from a slow stick does, a hang does not end."""

P = TypeVar("P")
T = TypeVar("T")


class JobPaused(BaseException):
    """Ends `run` at a batch boundary because the job shall wait or the appliance stops.

    It is no error and no `Exception`, so that a kind's own handling of errors lets it through.
    """


@dataclass(frozen=True)
class Kind(Generic[P]):
    """One kind of job; its module declares it as the constant ``KIND``.

    Attributes:
        name: As it stands in the database and in the API.
        lane: ``model`` (one per device), ``cpu`` or ``io``.
        priority: The default one.
        parameters: A msgspec struct; a job whose parameters do not fit is refused at once.
        run: The work. It may be started again at any point with the last checkpoint, and
            returns the job's result.
        every_s: Seconds after which the appliance itself starts the next one; None for never.
        due: Asked every `every_s` whether one shall be started; None for always.
    """

    name: str
    lane: str
    priority: int
    parameters: type[P]
    run: Callable[[Context, P], dict[str, Any]]
    every_s: float | None = None
    due: Callable[[Reading, Settings, int], bool] | None = None


def child_memory_bytes(settings: Settings) -> int:
    """Return the address space of a job's child: libraries, buffers, and the largest picture twice over."""
    return (2 << 30) + 5 * settings.max_pixels


class Context(Protocol):
    """What `run` gets. All of it may be called from the job's own thread only.

    Attributes:
        job: The job as it stood when it was started.
        checkpoint: What the last `commit` kept, empty at the first start.
    """

    job: Job
    store: Store
    settings: Settings
    pictures: Pictures
    ingest: Ingest
    runtimes: Runtimes
    checkpoint: dict[str, Any]

    def commit(
        self,
        work: Callable[[Transaction], T],
        *,
        checkpoint: dict[str, Any] | None = None,
        progress: int | None = None,
        total: int | None = None,
        message: str | None = None,
    ) -> T:
        """Run `work` as bulk, in one transaction with the checkpoint, progress and pending notes.

        `work` may run more than once; its only effect is on its transaction.

        Raises:
            JobCancelled: The job was deleted meanwhile (with its project): nothing was committed.
        """
        ...

    def note(self, notes: Note | Iterable[Note]) -> None:
        """Keep what went wrong with one file among many; written with the next commit."""
        ...

    def pause_point(self) -> None:
        """Call between micro-batches: hands the lane to somebody more urgent.

        The interrupted job stays where it is, in memory, and goes on when the lane is free again.

        Raises:
            JobCancelled: Somebody wants the job to end.
            JobPaused: Somebody wants the job to wait, or the appliance stops.
        """
        ...

    def holding(self, stop: Stop) -> AbstractContextManager[None]:
        """Hold the lane for one run of a model, after a pause point.

        Outside, the lane is left to whoever cannot wait: a person's click takes it between two runs
        and sets `stop` during one.

        Raises:
            JobCancelled: Somebody wants the job to end.
            JobPaused: Somebody wants the job to wait, or the appliance stops.
        """
        ...

    def rest(self) -> None:
        """Leave the lane to whoever cannot wait until the next `holding`, while a model is loaded say."""
        ...

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

        Every ``send({...})`` of the child arrives at `on_message`, in order, as it happens.
        `pause_point` is honoured meanwhile: cancelling, pausing and stopping kill the child, a more
        urgent job only suspends it.

        Raises:
            PixelQueueError: What the child raised from the tree.
            ChildFailed: It died, hung or hit its limits.
        """
        ...
