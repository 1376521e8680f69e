"""What a kind of job is, and what it sees of the world while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from appliance.records import Job, Note
from appliance.settings import Settings
from appliance.store import Store, Transaction

if TYPE_CHECKING:
    from appliance.jobs.pictures import Pictures

__all__ = ["BATCH", "FOREGROUND", "INTERACTIVE", "MAINTENANCE", "Context", "Kind"]

INTERACTIVE, FOREGROUND, BATCH, MAINTENANCE = 300, 200, 100, 0

P = TypeVar("P")
T = TypeVar("T")


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
    """

    name: str
    lane: str
    priority: int
    parameters: type[P]
    run: Callable[[Context, P], dict[str, Any]]


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
        """Run `work` as bulk, in one transaction with the checkpoint, progress and pending notes."""
        ...

    def note(self, notes: Note | Iterable[Note]) -> None:
        """Keep what went wrong with one file among many; written with the next commit."""
        ...

    def pause_point(self) -> None:
        """Call between micro-batches: hands the lane to somebody more urgent.

        Raises:
            JobCancelled: Somebody wants the job to end.
            JobPaused: Somebody wants the job to wait, or the appliance stops.
        """
        ...

    def child(
        self,
        task: str,
        request: dict[str, Any],
        *,
        on_message: Callable[[dict[str, Any]], None] | None = None,
        deadline_s: float | None = None,
        memory_bytes: int | None = None,
    ) -> dict[str, Any]:
        """Run ``appliance.<task>.handle(request, send)`` in a throw-away child process.

        Every ``send({...})`` of the child arrives at `on_message`, in order, as it happens.
        `pause_point` is honoured meanwhile: cancelling kills the child.

        Raises:
            PixelQueueError: What the child raised from the tree.
            ChildFailed: It died, hung or hit its limits.
        """
        ...
