"""TensorRT in this process, where its bindings import: it runs plans that were built before.

Building is work for a worker and minutes; `jobs.plans` sees to it and hands the plan to `load`.
"""

from __future__ import annotations

import ctypes
from functools import cache
from math import prod
from pathlib import Path

import numpy as np

from appliance.engine.backends._base import Availability
from appliance.engine.backends._graph import Stop
from appliance.engine.tensorrt.cuda import CudaError, Device, Driver, Facts
from appliance.engine.tensorrt.plan import offset_of
from appliance.engine.tensorrt.runner import Array, Refused, Runner
from appliance.errors import BackendUnavailable, UnusableModel
from appliance.records import ModelInfo

__all__ = ["BACKEND", "PlanSession", "read_array"]


class PlanSession:
    """A plan on a GPU."""

    def __init__(self, runner: Runner) -> None:
        self._runner: Runner | None = runner
        self.device_bytes = runner.device_bytes

    def run(self, batch: np.ndarray, stop: Stop | None = None) -> list[np.ndarray]:  # noqa: ARG002
        if self._runner is None:
            raise BackendUnavailable("this model was unloaded; load it again")
        (given,) = self._runner.inputs
        fed = np.ascontiguousarray(batch, given.dtype)
        try:
            found = self._runner.run({given.name: Array(fed.ctypes.data, fed.shape)})
        except (CudaError, Refused) as error:
            raise BackendUnavailable(f"TensorRT could not run the model: {error}") from error
        return [read_array(found[tensor.name], tensor.dtype) for tensor in self._runner.outputs]

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()
            self._runner = None


def read_array(array: Array, dtype: str) -> np.ndarray:
    """Return a copy of values in host memory, floating-point ones as float32."""
    size_bytes = prod(array.shape) * np.dtype(dtype).itemsize
    raw = (ctypes.c_ubyte * size_bytes).from_address(array.address)
    values = np.frombuffer(raw, dtype).reshape(array.shape)
    return values.astype(np.float32) if values.dtype.kind == "f" else values.copy()


class TensorRt:
    """The adapter. `load` takes a sealed plan in place of the ONNX file."""

    name = "tensorrt"
    rank: int | None = 5

    def probe(self) -> Availability:
        return _probe()

    def facts(self, index: int = 0) -> tuple[str, bool, Facts]:
        """Return TensorRT's release, whether it chooses the precision itself, and the GPU's facts.

        Raises:
            BackendUnavailable: TensorRT or the GPU is not there.
        """
        try:
            import tensorrt

            from appliance.engine.tensorrt.builder import weakly_typed

            return tensorrt.__version__, weakly_typed(), Device(Driver(), index).facts()
        except ImportError as error:
            raise BackendUnavailable(f"TensorRT cannot be imported: {error}") from error
        except CudaError as error:
            raise BackendUnavailable(str(error)) from error

    def load(self, path: Path, info: ModelInfo, device: str, threads: int | None = None) -> PlanSession:  # noqa: ARG002
        found = self.probe()
        if device not in found.devices:
            raise BackendUnavailable(f"TensorRT has no device {device!r} here: {found.reason}")
        plan = path.read_bytes()[offset_of(path) :]
        try:
            return PlanSession(Runner(plan, Device(Driver(), int(device.partition(":")[2] or 0))))
        except Refused as error:
            raise UnusableModel(str(error), file=path.name) from error
        except CudaError as error:
            raise BackendUnavailable(f"the GPU gave up while the model was loaded: {error}") from error


@cache
def _probe() -> Availability:
    try:
        import tensorrt
    except ImportError as error:
        return Availability(False, f"tensorrt cannot be imported: {error}")
    try:
        devices = Driver().number("cuDeviceGetCount")
    except CudaError as error:
        return Availability(False, f"TensorRT {tensorrt.__version__}, but {error}")
    if not devices:
        return Availability(False, f"TensorRT {tensorrt.__version__}, but the driver finds no GPU")
    return Availability(True, f"TensorRT {tensorrt.__version__}", tuple(f"cuda:{i}" for i in range(devices)))


BACKEND = TensorRt()
