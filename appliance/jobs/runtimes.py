"""What can run models here, and a predictor on the best of it that works."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from appliance.errors import BackendUnavailable, PixelQueueError, UnusableModel
from appliance.jobs import children
from appliance.records import ModelInfo
from appliance.settings import Settings
from appliance.store.cache import Cache

if TYPE_CHECKING:
    from appliance.engine.backends._base import Backend
    from appliance.engine.decoders._base import PredictOptions
    from appliance.engine.predictor import Predictor
    from appliance.jobs.plans import Watch
    from appliance.jobs.tensorrt import TensorRt

__all__ = ["Chosen", "Found", "Runtime", "Runtimes", "chosen", "look"]

_log = logging.getLogger(__name__)

_DEADLINE_S = 60.0


class Runtime(msgspec.Struct, frozen=True):
    """A runtime: may it run here, why (not), and on which devices, best first.

    `fallback` says why the last model went to another runtime, where that happened.
    """

    name: str
    ok: bool
    reason: str
    devices: list[str]
    fallback: str | None = None


class Found(msgspec.Struct, frozen=True):
    """What a look found; `fault` says why child processes do not start, where they do not."""

    backends: list[Runtime]
    fault: str | None = None


class Chosen(msgspec.Struct, frozen=True):
    """What a model would run on: `backend` and `device`, None where nothing can; `reason` says why that one."""

    backend: str | None
    device: str | None
    reason: str
    backends: list[Runtime]


def chosen(found: Found, settings: Settings) -> Chosen:
    """Return what the settings take of the runtimes that were found, best first."""
    fitting = [
        one
        for one in found.backends
        if one.ok
        and settings.backend in ("auto", one.name)
        and (settings.device == "auto" or settings.device in one.devices)
    ]
    if not fitting:
        reason = found.fault or f"no runtime is there for backend {settings.backend} on device {settings.device}"
        return Chosen(None, None, reason, found.backends)
    best = fitting[0]
    device = best.devices[0] if settings.device == "auto" else settings.device
    how = "the best that can run here" if settings.backend == "auto" else "the settings name it"
    fell_back = f". The last model went elsewhere: {best.fallback}" if best.fallback else ""
    return Chosen(best.name, device, f"{best.reason}: {how}{fell_back}", found.backends)


def look(settings: Settings) -> Found:
    """Start a child and ask it, and the interpreter that has TensorRT; blocks for about a second."""
    try:
        found = msgspec.convert(children.once("jobs.probe_task", {}, deadline_s=_DEADLINE_S), Found)
    except PixelQueueError as error:
        return Found([], error.message)
    if importlib.util.find_spec("tensorrt") is None:
        from appliance.jobs import tensorrt
        from appliance.jobs.workers import program_of

        answer = tensorrt.look(program_of(settings.tensorrt_python), inside=False).availability
        elsewhere = Runtime("tensorrt", answer.ok, answer.reason, list(answer.devices))
        found = Found([elsewhere if one.name == "tensorrt" else one for one in found.backends])
    return found


class Runtimes:
    """The answer, kept, and the models loaded by it.

    Runtimes come and go only with a new start. A fault is looked at again.

    Args:
        cache: Keeps TensorRT's plans.
        settings: Which backend and device to take.
    """

    def __init__(self, cache: Cache, settings: Settings) -> None:
        self._cache = cache
        self._settings = settings
        self._lock = threading.Lock()
        self._found: Found | None = None
        self._fallbacks: dict[str, str] = {}
        self._tensorrt: TensorRt | None = None

    def found(self) -> Found:
        """Return what can run here; blocks when it is asked for the first time."""
        with self._lock:
            if self._found is None or self._found.fault is not None:
                self._found = look(self._settings)
            told = [
                msgspec.structs.replace(one, fallback=self._fallbacks.get(one.name)) for one in self._found.backends
            ]
            return Found(told, self._found.fault)

    def predictor(
        self,
        path: Path,
        info: ModelInfo,
        options: PredictOptions,
        *,
        device: str | None = None,
        nice: int = 0,
        watch: Watch | None = None,
    ) -> Predictor:
        """Load a detector on the best runtime that takes it; blocks, for minutes where a plan is built.

        Args:
            path: The ONNX file, admitted.
            info: What it says of itself.
            options: How to predict.
            device: In place of the setting's.
            nice: As of `Predictor`.
            watch: Follows what takes long.

        Raises:
            BackendUnavailable: No runtime can run it now; the message says of each why not.
            UnusableModel: The last runtime that was tried refuses it.
        """
        from appliance.engine.predictor import Predictor

        able = self._candidates(device or self._settings.device)
        for tried, (backend, where) in enumerate(able, 1):
            try:
                return Predictor(path, info, self._watched(backend, watch), where, options, nice=nice)
            except (BackendUnavailable, UnusableModel) as error:
                if tried == len(able):
                    raise
                _log.warning("%s goes to another runtime than %s: %s", path.name, backend.name, error)
                self._fallbacks[backend.name] = error.message
        raise AssertionError("candidates are never empty")

    def fallback(self, backend: str) -> str | None:
        """Return why the model that a backend has just taken is on no better one; None where there is none."""
        better = itertools.takewhile(lambda one: one.name != backend, self.found().backends)
        return next((one.fallback for one in better if one.fallback), None)

    def close(self) -> None:
        """Free the models that are kept loaded."""
        with self._lock:
            if self._tensorrt is not None:
                self._tensorrt.close()

    def _watched(self, backend: Backend, watch: Watch | None) -> Backend:
        return backend if watch is None or backend is not self._tensorrt else self._tensorrt.watched(watch)

    def _candidates(self, device: str) -> list[tuple[Backend, str]]:
        from appliance.engine.backends._base import backends, candidates
        from appliance.jobs.tensorrt import TensorRt

        with self._lock:
            if self._tensorrt is None:
                self._tensorrt = TensorRt(self._cache, self._settings)
        return candidates({**backends(), self._tensorrt.name: self._tensorrt}, self._settings.backend, device)
