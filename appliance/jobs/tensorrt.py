"""TensorRT as jobs use it: a backend that builds what it needs and runs it where that is possible.

Where the bindings import in this process, engines run here; else they run in a worker under the
interpreter that `tensorrt_python` names. Building is a worker's task either way.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from appliance.engine.backends._base import Availability, Backend, Session
from appliance.engine.backends.tensorrt import BACKEND
from appliance.engine.residents import Residents
from appliance.engine.tensorrt.cuda import Facts
from appliance.engine.tensorrt.plan import Target
from appliance.errors import BackendUnavailable, PixelQueueError, UnusableModel
from appliance.jobs.plans import UNWATCHED, Plan, Plans, Watch
from appliance.jobs.workers import Worker, WorkerSession, program_of
from appliance.records import ModelInfo
from appliance.settings import Settings
from appliance.store.cache import Cache

__all__ = ["Look", "TensorRt", "look"]

_PROBE_DEADLINE_S = 60.0


class Look(NamedTuple):
    """What a worker found: TensorRT's release, whether that chooses the precision itself, the GPUs."""

    availability: Availability
    release: str
    weakly_typed: bool
    devices: list[Facts]


class TensorRt:
    """The backend; made once, for the cache and the settings of this appliance.

    Args:
        cache: Keeps the plans.
        settings: Which interpreter, which precision, how much memory.
    """

    name = "tensorrt"
    rank: int | None = BACKEND.rank

    def __init__(self, cache: Cache, settings: Settings) -> None:
        self._inside = importlib.util.find_spec("tensorrt") is not None
        self._program = None if self._inside else program_of(settings.tensorrt_python)
        self._half = settings.precision == "fp16"
        self._plans = Plans(cache, lambda: Worker(self._program), settings.tensorrt_workspace_bytes)
        self._residents = Residents(settings.engine_memory_bytes)
        self._found: Look | None = None
        self._lock = threading.Lock()

    def probe(self) -> Availability:
        """Say whether it can run here; asks a worker the first time."""
        return self._look().availability

    def watched(self, watch: Watch) -> Backend:
        """Return this backend with somebody who follows its builds."""
        return _Watched(self, watch)

    def load(
        self, path: Path, info: ModelInfo, device: str, threads: int | None = None, *, watch: Watch = UNWATCHED
    ) -> Session:
        """Load a model, building its plan first where there is none; see `Backend.load`.

        A plan that TensorRT does not take is built once more.

        Raises:
            UnusableModel: TensorRT makes no plan of the graph.
            BackendUnavailable: The device is not there, has no room, or the worker died.
        """
        index = int(device.partition(":")[2] or 0)
        found = self._look()
        if device not in found.availability.devices:
            raise BackendUnavailable(f"TensorRT has no device {device!r} here: {found.availability.reason}")
        target = Target(found.release, found.devices[index], self._half)

        def ready() -> Plan:
            return self._plans.ready(path, info, target, found.weakly_typed, index, watch)

        def load() -> Any:
            try:
                return self._open(ready(), info, device, threads)
            except UnusableModel:
                self._plans.forget(ready())
                return self._open(ready(), info, device, threads)

        return self._residents.lend((path.name, device), path.stat().st_size, load)

    def close(self) -> None:
        """Free the models that are kept loaded."""
        self._residents.close()

    def _open(self, plan: Plan, info: ModelInfo, device: str, threads: int | None) -> Any:
        if self._inside:
            return BACKEND.load(plan.path, info, device, threads)
        index = int(device.partition(":")[2] or 0)
        request = {"runtime": self.name, "plan": str(plan.path.absolute()), "from": plan.offset, "device": index}
        return WorkerSession(Worker(self._program), request)

    def _look(self) -> Look:
        with self._lock:
            if self._found is None:
                self._found = look(self._program, self._inside)
            return self._found


class _Watched:
    """TensorRT, with somebody who follows its builds."""

    def __init__(self, backend: TensorRt, watch: Watch) -> None:
        self._backend = backend
        self._watch = watch
        self.name, self.rank = backend.name, backend.rank

    def probe(self) -> Availability:
        return self._backend.probe()

    def load(self, path: Path, info: ModelInfo, device: str, threads: int | None = None) -> Session:
        return self._backend.load(path, info, device, threads, watch=self._watch)


def look(program: Sequence[str] | None, inside: bool) -> Look:
    """Ask a worker what TensorRT is there; blocks for a second or two.

    Args:
        program: See `workers.program_of`.
        inside: Whether this Python has TensorRT.
    """
    if not inside and program is None:
        reason = "TensorRT is not installed for this Python; the setting tensorrt_python names another that has it"
        return Look(Availability(False, reason), "", False, [])
    try:
        worker = Worker(program)
        try:
            facts = worker.ask({"do": "probe"}, deadline_s=_PROBE_DEADLINE_S)
        finally:
            worker.close()
    except (PixelQueueError, OSError) as error:
        return Look(Availability(False, str(error)), "", False, [])
    where = f" under {program[0]}" if program else ""
    devices = [Facts(**device) for device in facts["devices"]]
    found = Availability(
        True, f"TensorRT {facts['tensorrt']}{where}", tuple(f"cuda:{i}" for i in range(len(devices)))
    )
    return Look(found, facts["tensorrt"], facts["weakly_typed"], devices)
