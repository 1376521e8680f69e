"""An ONNX graph becomes a plan for this GPU: TensorRT 10 and 11, standard library alone.

Source: https://docs.nvidia.com/deeplearning/tensorrt/latest/_static/python-api/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from appliance.engine.tensorrt.cuda import Device
from appliance.engine.tensorrt.runner import Refused, sizes

if TYPE_CHECKING:
    import tensorrt

__all__ = ["ANY_INPUT", "Built", "Order", "Shapes", "build", "weakly_typed"]

Shapes = dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]
"""The smallest, the usual and the largest shape of each input that varies."""

ANY_INPUT = "*"
"""Stands for the inputs that have no shapes of their own."""

Report = Callable[[str, int, int], None]
"""Gets the phase, the step and the number of steps."""


class Order(NamedTuple):
    """What to build.

    `half` lets TensorRT choose fp16; from release 11 on the graph itself must be of that type.
    `timing_cache` is what an earlier build measured, or empty.
    """

    onnx: bytes
    shapes: Shapes
    half: bool
    workspace_bytes: int
    timing_cache: bytes = b""


class Built(NamedTuple):
    """The plan, and the measurements that make the next build on this GPU faster."""

    plan: bytes
    timing_cache: bytes


def weakly_typed() -> bool:
    """Tell whether this release chooses the precision itself; from 11 on the graph says it."""
    import tensorrt as trt

    return hasattr(trt.BuilderFlag, "FP16")


def build(order: Order, device: Device, report: Report) -> Built:
    """Build a plan; takes minutes.

    Raises:
        Refused: TensorRT cannot make a plan of the graph; the message has its reason.
    """
    import tensorrt as trt

    device.enter()
    errors: list[str] = []
    logger = _logger(errors.append)
    builder = trt.Builder(logger)
    network = builder.create_network()
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(order.onnx):
        reasons = [str(parser.get_error(i)) for i in range(parser.num_errors)]
        raise Refused(f"TensorRT cannot read the model: {'; '.join(reasons)[:500] or 'it gives no reason'}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, order.workspace_bytes)
    half = getattr(trt.BuilderFlag, "FP16", None)
    if order.half and half is not None:
        config.set_flag(half)
    config.progress_monitor = _monitor(report)
    _add_profile(builder, network, config, order.shapes)
    if not config.set_timing_cache(config.create_timing_cache(order.timing_cache), False):
        config.set_timing_cache(config.create_timing_cache(b""), False)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise Refused(f"TensorRT could not build the model: {errors[-1] if errors else 'it gives no reason'}")
    return Built(bytes(plan), bytes(config.get_timing_cache().serialize()))


def _add_profile(
    builder: tensorrt.Builder, network: tensorrt.INetworkDefinition, config: tensorrt.IBuilderConfig, shapes: Shapes
) -> None:
    """Say between which sizes the inputs vary; a graph of fixed sizes has nothing to say."""
    import tensorrt as trt

    profile = builder.create_optimization_profile()
    varying = 0
    for i in range(network.num_inputs):
        tensor = network.get_input(i)
        if min(sizes(tensor.shape), default=0) >= 0:
            continue
        three = shapes.get(tensor.name) or shapes.get(ANY_INPUT)
        if three is None:
            raise Refused(f"the size of the input {tensor.name!r} varies, and nobody says between what")
        least, usual, most = (trt.Dims(list(shape)) for shape in three)
        profile.set_shape(tensor.name, least, usual, most)
        varying += 1
    if varying:
        config.add_optimization_profile(profile)


def _logger(heard: Callable[[str], None]) -> tensorrt.ILogger:
    import tensorrt as trt

    class Logger(trt.ILogger):
        """Hands errors on; the rest goes nowhere."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: tensorrt.ILogger.Severity, msg: str) -> None:
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                heard(msg.strip()[:500])

    return Logger()


def _monitor(report: Report) -> tensorrt.IProgressMonitor:
    import tensorrt as trt

    class Monitor(trt.IProgressMonitor):
        """Tells of the phases as TensorRT goes through them."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str, num_steps: int) -> None:  # noqa: ARG002
            self._steps[phase_name] = num_steps
            report(phase_name, 0, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            report(phase_name, step + 1, self._steps.get(phase_name, 0))
            return True

        def phase_finish(self, phase_name: str) -> None:
            steps = self._steps.pop(phase_name, 0)
            report(phase_name, steps, steps)

    return Monitor()
