"""TensorRT's plans: built in a worker when they are first needed, kept in the cache, never trusted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from appliance.engine.tensorrt.plan import Target, check, key_of, seal, shapes_of
from appliance.errors import BackendUnavailable
from appliance.jobs import children
from appliance.jobs.workers import Worker
from appliance.records import ModelInfo
from appliance.store.cache import Cache

__all__ = ["UNWATCHED", "Plan", "Plans", "Watch"]

_KIND = "engines"
_DEADLINE_S = 3 * 3600.0
"""A large model on a small Jetson takes more than half an hour."""


class Plan(NamedTuple):
    """A plan that is whole: its file, and where in it the plan begins."""

    path: Path
    offset: int


class Watch(NamedTuple):
    """How somebody follows a build: `tell` gets words, `attend` may raise to end it."""

    tell: Callable[[str], None] = lambda _: None
    attend: Callable[[], None] = lambda: None


UNWATCHED = Watch()


class Plans:
    """The plans of one device.

    Args:
        cache: Where they are kept.
        start: Starts a worker for the interpreter that has TensorRT.
        workspace_bytes: GPU memory a build may use.
    """

    def __init__(self, cache: Cache, start: Callable[[], Worker], workspace_bytes: int) -> None:
        self._cache = cache
        self._start = start
        self._workspace_bytes = workspace_bytes
        self._one_at_a_time = threading.Lock()

    def ready(
        self, onnx: Path, info: ModelInfo, target: Target, weakly_typed: bool, index: int, watch: Watch
    ) -> Plan:
        """Return the plan of a model, built now unless a sound one is there.

        Args:
            onnx: The graph; the file's name is its SHA-256.
            info: What it says of itself.
            target: Where it shall run.
            weakly_typed: Whether this TensorRT chooses the precision itself.
            index: The GPU, counted from 0.
            watch: Follows the build.

        Raises:
            UnusableModel: TensorRT makes no plan of it.
            BackendUnavailable: The GPU or the worker gave up.
        """
        shapes = shapes_of(info)
        key = key_of(onnx.name, target, shapes)
        with self._one_at_a_time:
            found = self._sound(key)
            if found is None:
                self._build(onnx, key, target, weakly_typed, index, watch, shapes)
                found = self._sound(key)
        if found is None:
            raise BackendUnavailable("the plan was damaged while it was written: try again")
        return found

    def forget(self, plan: Plan) -> None:
        """Drop a plan that TensorRT does not take; the next `ready` builds it anew."""
        self._cache.forget(_KIND, plan.path.name)

    def _sound(self, key: str) -> Plan | None:
        path = self._cache.get(_KIND, f"{key}.plan")
        offset = None if path is None else check(path, key)
        return None if path is None or offset is None else Plan(path, offset)

    def _build(
        self, onnx: Path, key: str, target: Target, weakly_typed: bool, index: int, watch: Watch, shapes: object
    ) -> None:
        timings = self._cache.path(_KIND, f"timings-{target.tensorrt}-sm{target.device.sm}")
        timings.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        source = onnx if weakly_typed or not target.half else self._half(onnx)

        def make(partial: Path) -> None:
            worker = self._start()
            try:
                request = {
                    "do": "build",
                    "onnx": str(source.absolute()),
                    "plan": str(partial.absolute()),
                    "device": index,
                    "shapes": shapes,
                    "half": target.half,
                    "workspace_bytes": self._workspace_bytes,
                    "timing_cache": str(timings.absolute()),
                }
                worker.ask(request, deadline_s=_DEADLINE_S, on_message=_teller(watch), attend=watch.attend)
            finally:
                worker.close()
            sealed = seal(partial.read_bytes(), key)
            partial.write_bytes(sealed)

        self._cache.put(_KIND, f"{key}.plan", make)

    def _half(self, onnx: Path) -> Path:
        """Return the graph with fp16 weights, made in a child of its own."""
        known = self._cache.get(_KIND, f"{onnx.name}.half")
        if known is not None:
            return known

        def make(partial: Path) -> None:
            request = {"do": "halve", "path": str(onnx.absolute()), "to": str(partial.absolute())}
            children.once("engine.half", request, deadline_s=_DEADLINE_S)

        return self._cache.put(_KIND, f"{onnx.name}.half", make)


def _teller(watch: Watch) -> Callable[[dict[str, object]], None]:
    def tell(message: dict[str, object]) -> None:
        watch.tell(f"TensorRT builds the engine: {message['phase']}, {message['step']} of {message['steps']}")

    return tell
