"""A child that misbehaves as asked, to show what the supervisor makes of it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from appliance.errors import InvalidInput

__all__ = ["CHILD_TASK", "handle"]

CHILD_TASK = True
"""May be run by `jobs.child`."""

Send = Callable[[dict[str, Any]], None]


def handle(request: dict[str, Any], send: Send) -> dict[str, Any]:
    """Do what ``do`` says; `_WORK` lists what there is.

    Raises:
        InvalidInput: When asked to, or for anything else.
    """
    work = _WORK.get(request.get("do", "echo"))
    if work is None:
        raise InvalidInput(f"the fake child cannot do {request.get('do')!r}", field="do")
    return work(request, send)


def _echo(request: dict[str, Any], _send: Send) -> dict[str, Any]:
    return {"echo": request.get("value")}


def _count(request: dict[str, Any], send: Send) -> dict[str, Any]:
    for number in range(request["to"]):
        send({"number": number})
        threading.Event().wait(request.get("every_s", 0.0))
    return {"counted": request["to"]}


def _refuse(request: dict[str, Any], _send: Send) -> dict[str, Any]:
    raise InvalidInput("refused as asked", field="value", file=request.get("name"))


def _connect(_request: dict[str, Any], _send: Send) -> dict[str, Any]:
    """Say which interfaces there are, and what comes of reaching out."""
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1).close()
        outcome = "connected"
    except OSError as error:
        outcome = type(error).__name__
    return {"interfaces": [name for _, name in socket.if_nameindex()], "outcome": outcome}


def _hog(_request: dict[str, Any], _send: Send) -> dict[str, Any]:
    hoard: list[bytearray] = []
    while True:
        hoard.append(bytearray(16 << 20))


def _hang(_request: dict[str, Any], _send: Send) -> dict[str, Any]:
    threading.Event().wait()
    return {}


def _spin(_request: dict[str, Any], _send: Send) -> dict[str, Any]:
    while True:
        pass


def _abort(_request: dict[str, Any], _send: Send) -> dict[str, Any]:
    os.write(2, b"about to abort\n")
    os.abort()


def _exit(request: dict[str, Any], _send: Send) -> dict[str, Any]:
    os._exit(request.get("code", 3))


def _print(_request: dict[str, Any], _send: Send) -> dict[str, Any]:
    os.write(1, b'{"id": 0, "result": {"forged": true}}\n\xff\xfe garbage\n')
    print("more garbage", flush=True)
    return {"printed": True}


def _facts(_request: dict[str, Any], _send: Send) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "group": os.getpgrp(),
        "environment": sorted(os.environ),
        "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd")),
    }


_WORK: dict[str, Callable[[dict[str, Any], Send], dict[str, Any]]] = {
    "echo": _echo,
    "connect": _connect,
    "count": _count,
    "refuse": _refuse,
    "hog": _hog,
    "hang": _hang,
    "spin": _spin,
    "abort": _abort,
    "exit": _exit,
    "print": _print,
    "facts": _facts,
}
