"""The inside of a child process: ``python -m appliance.jobs.child TASK OPTIONS``.

TASK is a module below ``appliance`` that says ``CHILD_TASK = True`` and has a function
``handle(request, send)``; OPTIONS is JSON. The child limits itself before it imports the
task, then speaks protocol 1, one JSON object a line:

| who | line |
|---|---|
| child, once | ``{"hello": 1}`` |
| parent | ``{"id": n, "request": {…}}`` |
| child, any number | ``{"id": n, "message": {…}}``, what the task gave to `send` |
| child, once a request | ``{"id": n, "result": {…}}`` or ``{"id": n, "error": {…}}`` as `PixelQueueError.as_dict` |

Requests are answered one after the other, in order. The end of standard input ends the child.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import re
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec

from appliance.errors import ChildFailed, InvalidInput, PixelQueueError
from appliance.jobs.isolation import leave_network

__all__ = ["PROTOCOL", "Options", "main"]

PROTOCOL = 1

_PR_SET_PDEATHSIG = 1
"""Source: linux/prctl.h"""

Handle = Callable[[dict[str, Any], Callable[[dict[str, Any]], None]], dict[str, Any]]


class Options(msgspec.Struct, frozen=True):
    """What the parent decides: its own process id, address space in bytes, niceness, a network or none."""

    parent: int
    memory_bytes: int | None = None
    nice: int = 0
    network: bool = True


class _Request(msgspec.Struct):
    id: int
    request: dict[str, Any]


def main(arguments: list[str]) -> int:
    """Serve requests until standard input ends; return the exit code.

    Args:
        arguments: TASK and OPTIONS.

    Raises:
        InvalidInput: TASK is no child task.
    """
    if len(arguments) != 2:
        raise InvalidInput("a child is started by the appliance with a task and its options")
    task, options = arguments[0], msgspec.json.decode(arguments[1], type=Options)
    if not options.network:
        leave_network()  # a new namespace forgets whom to die with
    _die_with(options.parent)
    source, sink = _take_over_pipes()
    _limit(options)
    _write(sink, {"hello": PROTOCOL})
    handle = _task(task)
    for line in source:
        asked = msgspec.json.decode(line, type=_Request)
        _write(sink, _answer(handle, asked, sink, options))
    return 0


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends, kill -9 included."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the call above
        os._exit(1)


def _take_over_pipes() -> tuple[BinaryIO, int]:
    """Keep the protocol's pipes to ourselves: what a library prints goes to the log instead."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(source, "rb"), sink


def _limit(options: Options) -> None:
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (options.memory_bytes, options.memory_bytes))
    if options.nice:
        os.nice(options.nice)


def _task(name: str) -> Handle:
    if not re.fullmatch(r"[a-z]\w*(\.[a-z]\w*)+", name):
        raise InvalidInput(f"{name!r} is no child task")
    module = importlib.import_module(f"appliance.{name}")
    if getattr(module, "CHILD_TASK", False) is not True:
        raise InvalidInput(f"appliance.{name} is no child task")
    handle: Handle = module.handle
    return handle


def _answer(handle: Handle, asked: _Request, sink: int, options: Options) -> dict[str, Any]:
    def send(message: dict[str, Any]) -> None:
        _write(sink, {"id": asked.id, "message": message})

    try:
        return {"id": asked.id, "result": handle(asked.request, send)}
    except PixelQueueError as error:
        return {"id": asked.id, "error": error.as_dict()}
    except MemoryError:
        traceback.print_exc()
        gc.collect()
        allowed = "" if options.memory_bytes is None else f" of {options.memory_bytes // 2**20} MiB"
        refused = ChildFailed(f"it needs more memory than its limit{allowed}", details={"reason": "memory"})
        return {"id": asked.id, "error": refused.as_dict()}
    except Exception as error:  # the border of the process
        traceback.print_exc()
        words = f"it failed unexpectedly ({type(error).__name__}); the log has the details"
        return {"id": asked.id, "error": ChildFailed(words, details={"reason": "unexpected"}).as_dict()}


def _write(sink: int, line: dict[str, Any]) -> None:
    data = memoryview(msgspec.json.encode(line) + b"\n")
    while data:
        data = data[os.write(sink, data) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
