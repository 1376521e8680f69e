"""An ONNX graph with fp16 weights and arithmetic, as TensorRT wants it from release 11 on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from appliance.errors import InvalidInput

__all__ = ["CHILD_TASK", "handle"]

CHILD_TASK = True
"""May be run by `jobs.child`."""


def handle(request: dict[str, Any], _send: object = None) -> dict[str, Any]:
    """Write the fp16 version of a graph; its inputs and outputs stay as they are.

    Args:
        request: ``{"do": "halve", "path": str, "to": str}``.

    Raises:
        InvalidInput: The request is not that.
    """
    if request.get("do") != "halve":
        raise InvalidInput(f"this task cannot do {request.get('do')!r}", field="do")
    import onnx

    from appliance.engine.backends.onnxruntime import halved

    onnx.save_model(halved(onnx.load_model(request["path"])), Path(request["to"]))
    return {}
