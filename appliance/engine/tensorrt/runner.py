"""A plan that is loaded on a GPU and run: TensorRT 10 and 11, standard library alone.

Tensors come and go as addresses in host memory; whoever calls knows what lies there. Host
copies go through pinned buffers, so that the GPU fetches them by itself.

Source: https://docs.nvidia.com/deeplearning/tensorrt/latest/_static/python-api/
"""

from __future__ import annotations

import ctypes
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from appliance.engine.tensorrt.cuda import Device

if TYPE_CHECKING:
    import tensorrt

__all__ = ["Array", "Refused", "Runner", "Tensor", "sizes"]

_TYPES = {
    "FLOAT": ("float32", 4),
    "HALF": ("float16", 2),
    "INT32": ("int32", 4),
    "INT64": ("int64", 8),
    "INT8": ("int8", 1),
    "UINT8": ("uint8", 1),
    "BOOL": ("bool", 1),
}


class Refused(Exception):
    """A plan or a tensor that does not fit; the message is safe to show."""


class Tensor(NamedTuple):
    """An input or output of an engine: `dtype` is numpy's name, -1 in `shape` a size that varies."""

    name: str
    dtype: str
    itemsize: int
    shape: tuple[int, ...]


class Array(NamedTuple):
    """Values in host memory, contiguous, at `address`."""

    address: int
    shape: tuple[int, ...]


class _Buffers:
    """Device and pinned memory of one tensor; grows, never shrinks."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._size_bytes = 0
        self.device_address = self.host_address = 0

    def fit(self, size_bytes: int) -> None:
        if size_bytes <= self._size_bytes:
            return
        self.free()
        self.device_address = self._device.allocate(size_bytes)
        self.host_address = self._device.allocate_pinned(size_bytes)
        self._size_bytes = size_bytes

    def free(self) -> None:
        if self._size_bytes:
            self._device.free(self.device_address)
            self._device.free_pinned(self.host_address)
            self._size_bytes = 0


class Runner:
    """One engine and its execution context. One thread uses it at a time.

    Args:
        plan: What `builder.build` has made for this GPU and this TensorRT.
        device: The GPU.

    Raises:
        Refused: TensorRT does not take the plan: it is damaged or made elsewhere.
    """

    def __init__(self, plan: bytes, device: Device) -> None:
        import tensorrt as trt

        self._device = device
        device.enter()
        self._logger = trt.Logger(trt.ILogger.Severity.ERROR)
        self._runtime = trt.Runtime(self._logger)
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise Refused(
                "TensorRT does not take the plan: it is damaged, or was built for another device or release"
            )
        context = engine.create_execution_context()
        if context is None:
            raise Refused("the device has no memory left for the model")
        self._engine, self._context = engine, context
        named = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        modes = {name: engine.get_tensor_mode(name) for name in named}
        self.inputs = [_tensor(engine, name) for name in named if modes[name] == trt.TensorIOMode.INPUT]
        self.outputs = [_tensor(engine, name) for name in named if modes[name] == trt.TensorIOMode.OUTPUT]
        self._buffers = {name: _Buffers(device) for name in named}
        self.device_bytes = engine.device_memory_size_v2 + len(plan)

    def limits(self, name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the smallest and the largest shape that an input may have."""
        least, _, most = self._engine.get_tensor_profile_shape(name, 0)
        return sizes(least), sizes(most)

    def run(self, inputs: dict[str, Array]) -> dict[str, Array]:
        """Run the engine once.

        Args:
            inputs: Values of every input, of its dtype; they may be overwritten afterwards.

        Returns:
            The outputs, in pinned memory that the next run overwrites.

        Raises:
            Refused: An input is missing, of a shape the plan does not take, or the run failed.
            CudaError: The device gave up.
        """
        self._device.enter()
        for tensor in self.inputs:
            self._feed(tensor, inputs)
        shapes = {tensor.name: self._place(tensor) for tensor in self.outputs}
        if not self._context.execute_async_v3(self._device.stream):
            raise Refused("TensorRT could not run the model")
        for tensor in self.outputs:
            kept = self._buffers[tensor.name]
            size_bytes = prod(shapes[tensor.name]) * tensor.itemsize
            self._device.download(kept.host_address, kept.device_address, size_bytes)
        self._device.synchronize()
        return {name: Array(self._buffers[name].host_address, shape) for name, shape in shapes.items()}

    def close(self) -> None:
        """Free the engine's memory."""
        self._device.enter()
        for kept in self._buffers.values():
            kept.free()
        self._buffers.clear()
        del self._context, self._engine, self._runtime

    def _feed(self, tensor: Tensor, inputs: dict[str, Array]) -> None:
        given = inputs.get(tensor.name)
        if given is None:
            raise Refused(f"the model's input {tensor.name!r} is missing")
        if not self._context.set_input_shape(tensor.name, given.shape):
            least, most = self.limits(tensor.name)
            raise Refused(f"the input {tensor.name!r} has shape {given.shape}, the plan takes {least} to {most}")
        size_bytes = prod(given.shape) * tensor.itemsize
        kept = self._buffers[tensor.name]
        kept.fit(size_bytes)
        ctypes.memmove(kept.host_address, given.address, size_bytes)
        self._device.upload(kept.device_address, kept.host_address, size_bytes)
        self._context.set_tensor_address(tensor.name, kept.device_address)

    def _place(self, tensor: Tensor) -> tuple[int, ...]:
        shape = sizes(self._context.get_tensor_shape(tensor.name))
        if min(shape, default=0) < 0:
            raise Refused(f"the size of the output {tensor.name!r} depends on the picture, which is not supported")
        kept = self._buffers[tensor.name]
        kept.fit(prod(shape) * tensor.itemsize)
        self._context.set_tensor_address(tensor.name, kept.device_address)
        return shape


def _tensor(engine: tensorrt.ICudaEngine, name: str) -> Tensor:
    kind = str(engine.get_tensor_dtype(name)).rpartition(".")[2]
    if kind not in _TYPES:
        raise Refused(f"the tensor {name!r} is of the type {kind}, which is not supported")
    dtype, itemsize = _TYPES[kind]
    return Tensor(name, dtype, itemsize, sizes(engine.get_tensor_shape(name)))


def sizes(dims: tensorrt.Dims) -> tuple[int, ...]:
    """Return TensorRT's dimensions as numbers; -1 is one that varies."""
    return tuple(int(dims[i]) for i in range(len(dims)))
