"""What a throw-away child does with a checkpoint nobody vouches for: say what it could, convert it.

It runs under the interpreter that has the `train` extra, without a network.
"""

from __future__ import annotations

import errno
import importlib.metadata
import importlib.util
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.engine.convert._base import Checkpoint, Converter, Tell, converters
from appliance.errors import InvalidInput, StorageFull, UnusableModel
from appliance.records import Conversion

__all__ = ["CHILD_TASK", "handle"]

CHILD_TASK = True
"""May be run by `jobs.child`."""

_NEEDED = ("torch", "torchvision", "ultralytics")
_TOLD = (*_NEEDED, "onnx", "onnxruntime")

Send = Callable[[dict[str, Any]], None]


def handle(request: dict[str, Any], send: Send) -> dict[str, Any]:
    """Answer one request.

    Args:
        request: ``{"do": "probe"}`` tells whether conversion is possible here. ``{"do": "convert",
            "path": str, "name": str, "folder": str, "trusted": bool}`` converts a checkpoint into the
            folder.
        send: Gets ``{"step": words}`` when a step begins.

    Returns:
        For ``probe`` ``ok``, ``reason``, ``versions`` and ``families``; for ``convert`` ``files`` (paths
        by role), ``conversion``, ``metrics`` and ``parameters``.

    Raises:
        InvalidInput: The request is none of these.
        UnusableModel: The checkpoint cannot be converted.
        StorageFull: The disk is full.
    """
    if request.get("do") == "probe":
        return _probe()
    if request.get("do") != "convert":
        raise InvalidInput(f"the converting child cannot do {request.get('do')!r}", field="do")
    try:
        return _convert(request, lambda step: send({"step": step}))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("the disk is full, nothing was converted: free some space and try again") from error
        raise


def _probe() -> dict[str, Any]:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    families = [{"name": one.name, "title": one.title, "roles": list(one.roles)} for one in converters().values()]
    reason = f"{sys.executable} has no {', '.join(missing)}" if missing else "torch and ultralytics are here"
    return {"ok": not missing, "reason": reason, "versions": _versions(), "families": families}


def _versions() -> dict[str, str]:
    found = {}
    for name in _TOLD:
        if importlib.util.find_spec(name) is not None:
            found[name] = importlib.metadata.version(name)
    return found


def _convert(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from appliance.engine.convert import _checkpoint

    began_s = time.monotonic()
    tell("reading the checkpoint")
    trusted = bool(request["trusted"])
    checkpoint = _checkpoint.read(Path(request["path"]), request["name"], trusted=trusted)
    converter = _of_family(checkpoint)
    made = converter.convert(checkpoint, Path(request["folder"]), tell)
    conversion = Conversion(
        converter=converter.name,
        versions=_versions(),
        reading="pickle" if trusted else "tensors",
        isolated=_isolated(),
        seconds=round(time.monotonic() - began_s, 1),
        parity=made.parity,
        facts=made.facts,
    )
    return {
        "files": {role: str(path) for role, path in made.files.items()},
        "conversion": msgspec.to_builtins(conversion),
        "metrics": made.metrics,
        "parameters": made.parameters,
    }


def _of_family(checkpoint: Checkpoint) -> Converter:
    """Return the first converter that knows the checkpoint.

    Raises:
        UnusableModel: None does; the message says why of each.
    """
    reasons = []
    for converter in converters().values():
        answer = converter.recognize(checkpoint)
        if answer is None:
            return converter
        reasons.append(f"{converter.title}: {answer}")
    raise UnusableModel(
        f"{checkpoint.name} is of no family that can be converted here. {'. '.join(reasons)}", file=checkpoint.name
    )


def _isolated() -> bool:
    """Tell whether this process sees no network but its own loopback."""
    return {name for _, name in socket.if_nameindex()} <= {"lo"}
