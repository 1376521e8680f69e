"""A worker that builds and runs plans, under this interpreter or the system's own.

TensorRT on a Jetson exists only for the Python of its system, so this file runs there by its
path, with the standard library and TensorRT alone, from Python 3.10 on. It speaks the child
protocol, version 1 (`appliance.jobs.child`); in this appliance's own interpreter it is a
child's task like any other.

Tensors pass through one file in shared memory. Its layout is the request's: every tensor has
an offset, a multiple of 64, and a shape.

probe
    → ``tensorrt`` (release), ``weakly_typed``, ``devices``: ``[{name, sm, driver, total_bytes}]``
build: ``onnx``, ``plan``, ``timing_cache`` (paths), ``device``, ``shapes``, ``half``, ``workspace_bytes``
    → ``seconds``; messages ``{phase, step, steps}``
load: ``runtime``, ``plan`` (path), ``from`` (where in it the plan begins), ``device``
    → ``inputs``, ``outputs``, ``device_bytes``
map: ``memory`` (path) → nothing; the file may be unlinked then
run: ``inputs`` as ``{name: {offset, shape}}``, ``room``
    → ``outputs``, written from ``room`` on, or ``needs``: the bytes of memory they would take
fetch: ``room`` → the outputs of the last run once more

The runtime ``fake`` runs `appliance.engine.backends.fake` behind the same protocol.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # started by its path: this package is found last, what that Python has comes first
    sys.path.append(str(Path(__file__).resolve().parents[3]))

from appliance.engine.tensorrt.builder import Order, build, weakly_typed
from appliance.engine.tensorrt.cuda import CudaError, Device, Driver
from appliance.engine.tensorrt.runner import Array, Refused, Runner, Tensor

__all__ = ["ALIGNMENT", "CHILD_TASK", "handle", "main"]

CHILD_TASK = True
"""May be run by `jobs.child`."""

ALIGNMENT = 64
_PROTOCOL = 1
_PR_SET_PDEATHSIG = 1
"""Source: linux/prctl.h"""

Send = Callable[[dict[str, Any]], None]


class Worker:
    """What one worker holds: its device, the loaded model, the mapped memory."""

    def __init__(self) -> None:
        self._device: Device | None = None
        self._loaded: Any = None
        self._memory: mmap.mmap | None = None
        self._made: dict[str, Array] = {}

    def handle(self, request: dict[str, Any], send: Send) -> dict[str, Any]:
        """Answer one request; see the module's docstring.

        Raises:
            Refused: The request, the plan or a tensor does not fit.
            CudaError: The device is not there or gave up.
        """
        what = request.get("do")
        known = {
            "probe": self._probe,
            "build": self._build,
            "load": self._load,
            "map": self._map,
            "run": self._run,
            "fetch": self._fetch,
        }
        if what not in known:
            raise Refused(f"the worker cannot do {what!r}")
        return known[what](request, send)

    def _probe(self, _request: dict[str, Any], _send: Send) -> dict[str, Any]:
        import tensorrt

        driver = Driver()
        facts = []
        for index in range(driver.number("cuDeviceGetCount")):
            device = Device(driver, index)
            facts.append(device.facts()._asdict())
            device.close()
        if not facts:
            raise CudaError("the NVIDIA driver finds no GPU")
        return {"tensorrt": tensorrt.__version__, "weakly_typed": weakly_typed(), "devices": facts}

    def _build(self, request: dict[str, Any], send: Send) -> dict[str, Any]:
        started_s = time.monotonic()
        timings = Path(request["timing_cache"])
        order = Order(
            Path(request["onnx"]).read_bytes(),
            {name: tuple(tuple(shape) for shape in three) for name, three in request["shapes"].items()},
            request["half"],
            request["workspace_bytes"],
            timings.read_bytes() if timings.exists() else b"",
        )

        def report(phase: str, step: int, steps: int) -> None:
            send({"phase": phase, "step": step, "steps": steps})

        built = build(order, self._on(request["device"]), report)
        Path(request["plan"]).write_bytes(built.plan)
        _replace(timings, built.timing_cache)
        return {"seconds": round(time.monotonic() - started_s, 3)}

    def _load(self, request: dict[str, Any], _send: Send) -> dict[str, Any]:
        self._close()
        if request["runtime"] == "fake":
            self._loaded = _Fake()
        else:
            plan = Path(request["plan"]).read_bytes()[request["from"] :]
            self._loaded = Runner(plan, self._on(request["device"]))
        return {
            "inputs": [tensor._asdict() for tensor in self._loaded.inputs],
            "outputs": [tensor._asdict() for tensor in self._loaded.outputs],
            "device_bytes": self._loaded.device_bytes,
        }

    def _map(self, request: dict[str, Any], _send: Send) -> dict[str, Any]:
        with open(request["memory"], "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        return {}

    def _run(self, request: dict[str, Any], send: Send) -> dict[str, Any]:
        if self._loaded is None or self._memory is None:
            raise Refused("no model is loaded, or no memory is mapped")
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        itemsizes = {tensor.name: tensor.itemsize for tensor in self._loaded.inputs}
        inputs = {}
        for name, place in request["inputs"].items():
            shape = tuple(place["shape"])
            if place["offset"] + prod(shape) * itemsizes.get(name, 1) > len(self._memory):
                raise Refused(f"the input {name!r} lies outside the shared memory")
            inputs[name] = Array(start + place["offset"], shape)
        self._made = self._loaded.run(inputs)
        return self._fetch(request, send)

    def _fetch(self, request: dict[str, Any], _send: Send) -> dict[str, Any]:
        if self._loaded is None or self._memory is None:
            raise Refused("no model is loaded, or no memory is mapped")
        places, at = {}, request["room"]
        for tensor in self._loaded.outputs:
            array = self._made[tensor.name]
            size_bytes = prod(array.shape) * tensor.itemsize
            places[tensor.name] = (at, size_bytes, array)
            at = -(-(at + size_bytes) // ALIGNMENT) * ALIGNMENT
        if at > len(self._memory):
            return {"needs": at}
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        for offset, size_bytes, array in places.values():
            ctypes.memmove(start + offset, array.address, size_bytes)
        return {"outputs": {name: {"offset": at, "shape": list(a.shape)} for name, (at, _, a) in places.items()}}

    def _on(self, index: int) -> Device:
        if self._device is None:
            self._device = Device(Driver(), index)
        return self._device

    def _close(self) -> None:
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None


class _Fake:
    """The fake backend behind the worker's protocol; needs this appliance's own interpreter."""

    device_bytes = 0

    def __init__(self) -> None:
        from appliance.engine.backends.fake import BACKEND, fake_info

        self._session = BACKEND.load(Path(), fake_info(), "cpu")
        self.inputs = [Tensor("images", "float32", 4, (-1, 3, -1, -1))]
        self.outputs = [Tensor("output0", "float32", 4, (-1, 300, 6))]
        self._kept: Any = None

    def run(self, inputs: dict[str, Array]) -> dict[str, Array]:
        import numpy as np

        given = inputs["images"]
        values = memoryview((ctypes.c_float * prod(given.shape)).from_address(given.address))
        (self._kept,) = self._session.run(np.frombuffer(values, np.float32).reshape(given.shape))
        return {"output0": Array(self._kept.ctypes.data, self._kept.shape)}

    def close(self) -> None:
        self._session.close()


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    os.replace(partial, path)


_worker = Worker()


def handle(request: dict[str, Any], send: Send) -> dict[str, Any]:
    """Answer one request as a child's task.

    Raises:
        UnusableModel: The plan or a tensor does not fit.
        BackendUnavailable: TensorRT or the device is not there, or gave up.
    """
    from appliance.errors import error_from

    answer = _answer(request, send)
    if "error" in answer:
        raise error_from(answer["error"])
    result: dict[str, Any] = answer["result"]
    return result


def _answer(request: dict[str, Any], send: Send) -> dict[str, Any]:
    try:
        return {"result": _worker.handle(request, send)}
    except Refused as error:
        return {"error": {"code": "unusable-model", "message": str(error)}}
    except CudaError as error:
        return {"error": {"code": "backend-unavailable", "message": str(error)}}
    except ImportError as error:
        return {"error": {"code": "backend-unavailable", "message": f"TensorRT cannot be imported: {error}"}}


def main(arguments: list[str]) -> int:
    """Serve requests until standard input ends; started by path under another interpreter.

    Args:
        arguments: The task's name, which is this file's, and the parent's options as JSON.
    """
    options = json.loads(arguments[1])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != options["parent"]:  # it ended before the call above
        return 1
    os.umask(0o077)
    os.nice(options.get("nice") or 0)
    source, sink = os.fdopen(os.dup(0), "rb"), os.dup(1)
    os.dup2(2, 1)  # what a library prints goes to the log
    _write(sink, {"hello": _PROTOCOL})
    for line in source:
        asked = json.loads(line)
        number = asked["id"]
        answer = _answer(
            asked["request"], lambda message, number=number: _write(sink, {"id": number, "message": message})
        )
        _write(sink, {"id": number, **answer})
    return 0


def _write(sink: int, line: dict[str, Any]) -> None:
    data = memoryview(json.dumps(line).encode() + b"\n")
    while data:
        data = data[os.write(sink, data) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
