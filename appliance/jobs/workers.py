"""Sessions that run in a worker: a model in a process of its own, tensors through shared memory."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from appliance.engine.backends._graph import Stop
from appliance.engine.tensorrt import worker as task
from appliance.engine.tensorrt.worker import ALIGNMENT
from appliance.errors import BackendUnavailable, ChildFailed
from appliance.jobs.children import Child, answer_of

__all__ = ["Worker", "WorkerSession", "program_of"]

_TASK = "engine.tensorrt.worker"
_SHARED = Path("/dev/shm")
_RUN_DEADLINE_S = 120.0
_LISTEN_S = 0.5
_FIRST_ROOM_BYTES = 4 << 20
"""For outputs: a detector's 8,400 candidates with 80 classes take 2.8 MB a picture; more is asked for."""


def program_of(interpreter: str) -> list[str] | None:
    """Return the command that starts the worker under another Python, or None for this one's child."""
    return [interpreter, str(Path(task.__file__).resolve())] if interpreter else None


class Worker:
    """A worker process and the thread that it belongs to; any thread may ask, one at a time.

    Args:
        program: See `program_of`.
    """

    def __init__(self, program: Sequence[str] | None = None) -> None:
        self._thread = ThreadPoolExecutor(1, "worker")
        self._child = self._thread.submit(Child, _TASK, program=program).result()
        self._asked = 0

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._child.pid

    def ask(
        self,
        request: dict[str, Any],
        *,
        deadline_s: float,
        on_message: Callable[[dict[str, Any]], None] = lambda _: None,
        attend: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """Send a request and return its result.

        Args:
            request: As `engine.tensorrt.worker` has them.
            deadline_s: Seconds it may take.
            on_message: Gets what the worker tells meanwhile, on the worker's thread.
            attend: Called now and then on that thread; what it raises ends the worker.

        Raises:
            UnusableModel: The plan or a tensor does not fit.
            BackendUnavailable: The device is not there, gave up, or the worker died.
        """
        try:
            return self._thread.submit(self._ask, request, deadline_s, on_message, attend).result()
        except ChildFailed as error:
            raise BackendUnavailable(f"the worker that runs the model gave up: {error.message}") from error

    def close(self) -> None:
        """End the worker; a second call does nothing."""
        with contextlib.suppress(RuntimeError):  # the pool is shut down already
            self._thread.submit(self._child.kill).result()
        self._thread.shutdown()

    def _ask(
        self,
        request: dict[str, Any],
        deadline_s: float,
        on_message: Callable[[dict[str, Any]], None],
        attend: Callable[[], None],
    ) -> dict[str, Any]:
        self._asked += 1
        end_s = time.monotonic() + deadline_s
        try:
            self._child.ask(self._asked, request)
            while True:
                for line in self._child.receive(_LISTEN_S):
                    if "message" not in line:
                        return answer_of(line)
                    on_message(line["message"])
                attend()
                if time.monotonic() > end_s:
                    raise self._child.failed(f"it took longer than {deadline_s:g} s", reason="deadline")
        except (ChildFailed, ValueError, OSError) as error:  # the latter two: its pipes are closed
            raise error if isinstance(error, ChildFailed) else ChildFailed("it has ended") from error


class WorkerSession:
    """A model that is loaded in a worker, as `engine.backends._base.Session` has it.

    Args:
        worker: Closed with the session.
        load: The request that loads the model.
        deadline_s: Seconds loading may take.

    Raises:
        UnusableModel: The worker's runtime refuses the model.
        BackendUnavailable: The device is not there, or the worker died.
    """

    def __init__(self, worker: Worker, load: dict[str, Any], *, deadline_s: float = _RUN_DEADLINE_S) -> None:
        self._worker: Worker | None = worker
        self._memory: mmap.mmap | None = None
        try:
            loaded = worker.ask({"do": "load", **load}, deadline_s=deadline_s)
        except BaseException:
            self.close()
            raise
        (self._input,) = loaded["inputs"]
        self._outputs = loaded["outputs"]
        self.device_bytes: int = loaded["device_bytes"]

    def run(self, batch: np.ndarray, stop: Stop | None = None) -> list[np.ndarray]:  # noqa: ARG002
        if self._worker is None:
            raise BackendUnavailable("this model was unloaded; load it again")
        fed = np.ascontiguousarray(batch, self._input["dtype"])
        room = _aligned(fed.nbytes)
        memory = self._shared(self._worker, room + _FIRST_ROOM_BYTES)
        np.frombuffer(memory, fed.dtype, fed.size)[:] = fed.ravel()
        inputs = {self._input["name"]: {"offset": 0, "shape": list(fed.shape)}}
        answer = self._worker.ask({"do": "run", "inputs": inputs, "room": room}, deadline_s=_RUN_DEADLINE_S)
        if "needs" in answer:
            memory = self._shared(self._worker, answer["needs"])
            answer = self._worker.ask({"do": "fetch", "room": room}, deadline_s=_RUN_DEADLINE_S)
        return [_read(memory, answer["outputs"][tensor["name"]], tensor["dtype"]) for tensor in self._outputs]

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = self._memory = None

    def _shared(self, worker: Worker, size_bytes: int) -> mmap.mmap:
        """Return memory that the worker sees too, at least that large; its file has no name any more."""
        if self._memory is not None and len(self._memory) >= size_bytes:
            return self._memory
        handle, path = tempfile.mkstemp(prefix="pixelqueue-", dir=_SHARED if _SHARED.is_dir() else None)
        try:
            os.ftruncate(handle, size_bytes)
            self._memory = mmap.mmap(handle, size_bytes)
            worker.ask({"do": "map", "memory": path}, deadline_s=_RUN_DEADLINE_S)
        finally:
            os.close(handle)
            os.unlink(path)
        return self._memory


def _aligned(size_bytes: int) -> int:
    return -(-size_bytes // ALIGNMENT) * ALIGNMENT


def _read(memory: mmap.mmap, place: dict[str, Any], dtype: str) -> np.ndarray:
    """Return a copy of an output, floating-point ones as float32."""
    count = int(np.prod(place["shape"]))
    values = np.frombuffer(memory, dtype, count, place["offset"]).reshape(place["shape"])
    return values.astype(np.float32) if values.dtype.kind == "f" else values.copy()
