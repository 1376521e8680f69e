"""ONNX Runtime: on the CPU everywhere, on NVIDIA GPUs where the CUDA build is installed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from appliance.engine.backends._base import Availability
from appliance.engine.backends._graph import Stop, Stopped
from appliance.errors import BackendUnavailable, UnusableModel
from appliance.records import ModelInfo

__all__ = ["BACKEND", "OnnxRuntime", "OnnxSession", "halved", "physical_cores"]

_KINDS = {"tensor(float16)": np.float16, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
_CPU_TOPOLOGY = Path("/sys/devices/system/cpu")


def physical_cores() -> int:
    """Return how many physical cores this process may use, at least 1.

    Two hardware threads of one core share its vector units, so more threads than cores only
    add switching.
    """
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    siblings = {_siblings(cpu) for cpu in usable}
    return max(1, len(siblings))


def _siblings(cpu: int) -> str:
    listed = _CPU_TOPOLOGY / f"cpu{cpu}" / "topology" / "thread_siblings_list"
    return listed.read_text().strip() if listed.exists() else str(cpu)


class OnnxSession:
    """A graph in ONNX Runtime."""

    def __init__(self, session: Any, info: ModelInfo) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        half = session.get_inputs()[0].type == "tensor(float16)"
        self._dtype = np.float16 if half else np.float32
        self._warm_up(info)

    def _warm_up(self, info: ModelInfo) -> None:
        """Run once on nothing, so that the first picture does not pay for allocation and tuning."""
        self.run(np.zeros((info.batch or 1, 3, *info.input_size), np.float32))

    def run(self, batch: np.ndarray, stop: Stop | None = None) -> list[np.ndarray]:
        if self._session is None:
            raise BackendUnavailable("this model was unloaded; load it again")
        outputs = _run(self._session, {self._input: batch.astype(self._dtype, copy=False)}, stop)
        return [np.asarray(o, np.float32) if o.dtype.kind == "f" else o for o in outputs]

    def close(self) -> None:
        self._session = None


class OnnxGraph:
    """A graph with any inputs in ONNX Runtime."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._kinds = {one.name: _KINDS.get(one.type, np.float32) for one in session.get_inputs()}
        self._outputs = [one.name for one in session.get_outputs()]

    def run(self, feeds: Mapping[str, np.ndarray], stop: Stop | None = None) -> dict[str, np.ndarray]:
        if self._session is None:
            raise BackendUnavailable("this model was unloaded; load it again")
        fed = {name: np.asarray(feeds[name], kind) for name, kind in self._kinds.items()}
        outputs = _run(self._session, fed, stop)
        cast = (np.asarray(o, np.float32) if o.dtype.kind == "f" else o for o in outputs)
        return dict(zip(self._outputs, cast, strict=True))

    def close(self) -> None:
        self._session = None


def _run(session: Any, fed: Mapping[str, np.ndarray], stop: Stop | None) -> list[np.ndarray]:
    import onnxruntime

    options = onnxruntime.RunOptions()
    if stop is not None:
        stop.watch(options)
    try:
        outputs: list[np.ndarray] = session.run(None, fed, options)
    except Exception as error:
        if not _from_runtime(error):
            raise
        if stop is not None and stop.is_set:
            raise Stopped from error
        raise BackendUnavailable(f"ONNX Runtime could not run the model: {_first_line(error)}") from error
    return outputs


class OnnxRuntime:
    """The adapter. CPU threads do not spin: measured, a spinning pool takes the cores that decode."""

    name = "onnxruntime"
    rank: int | None = 10

    def probe(self) -> Availability:
        return _probe()

    def load(self, path: Path, info: ModelInfo, device: str, threads: int | None = None) -> OnnxSession:
        import onnxruntime

        found = self.probe()
        if device not in found.devices:
            raise BackendUnavailable(f"ONNX Runtime has no device {device!r} here, only {', '.join(found.devices)}")
        try:
            session = onnxruntime.InferenceSession(
                str(path), _options(info.dynamic, threads), providers=_providers(device, dynamic=info.dynamic)
            )
            return OnnxSession(session, info)
        except Exception as error:
            if not _from_runtime(error):
                raise
            raise UnusableModel(f"ONNX Runtime refuses the model: {_first_line(error)}", file=path.name) from error

    def load_graph(self, path: Path, device: str, threads: int | None = None) -> OnnxGraph:
        """Load a graph whose inputs are not pictures alone; `load` says what is raised."""
        import onnxruntime

        try:
            made = onnxruntime.InferenceSession(
                str(path), _options(True, threads), providers=_providers(device, dynamic=True)
            )
        except Exception as error:
            if not _from_runtime(error):
                raise
            raise UnusableModel(f"ONNX Runtime refuses the model: {_first_line(error)}", file=path.name) from error
        return OnnxGraph(made)


@cache
def _probe() -> Availability:
    try:
        import onnxruntime
    except ImportError as error:
        return Availability(False, f"onnxruntime cannot be imported: {error}")
    gpu = ("cuda:0",) if "CUDAExecutionProvider" in onnxruntime.get_available_providers() else ()
    return Availability(True, f"ONNX Runtime {onnxruntime.__version__}", (*gpu, "cpu"))


def halved(model: Any) -> Any:
    """Return an ONNX model in fp16, operators that lose by it excepted; inputs and outputs stay float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, keep_io_types=True)


def _options(dynamic: bool, threads: int | None) -> Any:
    """Return session options for flat memory and for cores shared with decoding.

    Source: https://onnxruntime.ai/docs/performance/tune-performance/threading.html
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or physical_cores()
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = not dynamic  # patterns are kept for each input shape ever seen
    options.log_severity_level = 4
    return options


def _providers(device: str, *, dynamic: bool) -> list[Any]:
    if device == "cpu":
        return ["CPUExecutionProvider"]
    search = "HEURISTIC" if dynamic else "EXHAUSTIVE"  # an exhaustive search again at every new shape
    cuda = {
        "device_id": int(device.partition(":")[2] or 0),
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": search,
    }
    return [("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]


def _from_runtime(error: Exception) -> bool:
    """Tell ONNX Runtime's own exceptions, which share no base class, from programming errors."""
    return type(error).__module__.startswith("onnxruntime") or isinstance(error, (RuntimeError, MemoryError))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


BACKEND = OnnxRuntime()
