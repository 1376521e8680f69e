"""The few calls of the CUDA driver that running an engine takes, through ctypes.

The driver's library comes with every NVIDIA driver, on a Jetson too, so nothing has to be
installed beside TensorRT. This package imports the standard library alone: the worker runs it
under the system's Python, which has neither numpy nor this appliance's other packages.

Source: https://docs.nvidia.com/cuda/cuda-driver-api/
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

__all__ = ["CudaError", "Device", "Driver", "Facts"]

_LIBRARY = "libcuda.so.1"
_COMPUTE_MAJOR, _COMPUTE_MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR."""

_NON_BLOCKING = 1
"""CU_STREAM_NON_BLOCKING: does not wait for the legacy default stream."""

_NAME_BYTES = 256


class CudaError(Exception):
    """A call of the driver failed; the message names the call and the driver's reason."""


class Facts(NamedTuple):
    """What tells one device from another for a plan: `sm` is the compute capability, 87 for 8.7."""

    name: str
    sm: int
    driver: int
    total_bytes: int


class Driver:
    """The driver's library, loaded and initialised.

    Raises:
        CudaError: There is no driver, or it does not start.
    """

    def __init__(self, library: str = _LIBRARY) -> None:
        try:
            self._library = ctypes.CDLL(library)
        except OSError as error:
            raise CudaError(f"the NVIDIA driver is not installed ({error})") from error
        self.call("cuInit", ctypes.c_uint(0))

    def call(self, function: str, *arguments: Any) -> None:
        """Call a function of the driver.

        Raises:
            CudaError: It answers with anything but success.
        """
        code = getattr(self._library, function)(*arguments)
        if code:
            reason = ctypes.c_char_p()
            self._library.cuGetErrorString(code, ctypes.byref(reason))
            words = (reason.value or b"no reason given").decode("utf-8", "replace")
            raise CudaError(f"{function} failed with {code}: {words}")

    def number(self, function: str, *arguments: Any) -> int:
        """Call a function that writes one int before its other arguments, and return that."""
        value = ctypes.c_int()
        self.call(function, ctypes.byref(value), *arguments)
        return value.value


class Device:
    """One GPU with its primary context and a stream. Any thread may use it, one at a time.

    Args:
        driver: The loaded driver.
        index: The GPU, counted from 0.

    Raises:
        CudaError: There is no such GPU, or it cannot be used.
    """

    def __init__(self, driver: Driver, index: int = 0) -> None:
        self._driver = driver
        self._handle = ctypes.c_int(driver.number("cuDeviceGet", ctypes.c_int(index)))
        self._context = ctypes.c_void_p()
        driver.call("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), self._handle)
        self.enter()
        stream = ctypes.c_void_p()
        driver.call("cuStreamCreate", ctypes.byref(stream), ctypes.c_uint(_NON_BLOCKING))
        self.stream = int(stream.value or 0)

    def enter(self) -> None:
        """Make this GPU the calling thread's; contexts belong to threads."""
        self._driver.call("cuCtxSetCurrent", self._context)

    def facts(self) -> Facts:
        """Return what identifies the GPU and its driver."""
        name = ctypes.create_string_buffer(_NAME_BYTES)
        self._driver.call("cuDeviceGetName", name, ctypes.c_int(_NAME_BYTES), self._handle)
        major, minor = (
            self._driver.number("cuDeviceGetAttribute", ctypes.c_int(attribute), self._handle)
            for attribute in (_COMPUTE_MAJOR, _COMPUTE_MINOR)
        )
        driver = self._driver.number("cuDriverGetVersion")
        return Facts(name.value.decode("utf-8", "replace"), 10 * major + minor, driver, self.memory()[1])

    def memory(self) -> tuple[int, int]:
        """Return free and total memory in bytes; on a Jetson it is the machine's own."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._driver.call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return free.value, total.value

    def allocate(self, size_bytes: int) -> int:
        """Return the address of new device memory."""
        address = ctypes.c_uint64()
        self._driver.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size_bytes))
        return address.value

    def free(self, address: int) -> None:
        """Give device memory back."""
        self._driver.call("cuMemFree_v2", ctypes.c_uint64(address))

    def allocate_pinned(self, size_bytes: int) -> int:
        """Return the address of new host memory that the GPU copies from and to by itself."""
        address = ctypes.c_void_p()
        self._driver.call("cuMemHostAlloc", ctypes.byref(address), ctypes.c_size_t(size_bytes), ctypes.c_uint(0))
        return int(address.value or 0)

    def free_pinned(self, address: int) -> None:
        """Give pinned host memory back."""
        self._driver.call("cuMemFreeHost", ctypes.c_void_p(address))

    def upload(self, to: int, source: int, size_bytes: int) -> None:
        """Begin a copy from host to device memory on the stream."""
        self._driver.call(
            "cuMemcpyHtoDAsync_v2",
            ctypes.c_uint64(to),
            ctypes.c_void_p(source),
            ctypes.c_size_t(size_bytes),
            ctypes.c_void_p(self.stream),
        )

    def download(self, to: int, source: int, size_bytes: int) -> None:
        """Begin a copy from device to host memory on the stream."""
        self._driver.call(
            "cuMemcpyDtoHAsync_v2",
            ctypes.c_void_p(to),
            ctypes.c_uint64(source),
            ctypes.c_size_t(size_bytes),
            ctypes.c_void_p(self.stream),
        )

    def synchronize(self) -> None:
        """Wait until everything begun on the stream is done."""
        self._driver.call("cuStreamSynchronize", ctypes.c_void_p(self.stream))

    def close(self) -> None:
        """Give stream and context back."""
        self._driver.call("cuStreamDestroy_v2", ctypes.c_void_p(self.stream))
        self._driver.call("cuDevicePrimaryCtxRelease_v2", self._handle)
