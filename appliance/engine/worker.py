"""What a limited child process does for the engine: look at a model nobody vouches for.

The supervisor starts a child with an address-space limit and a deadline, hands it one
request at a time and turns an error or a death into a `PixelQueueError`. The functions
here know nothing of processes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from appliance.engine.backends._base import backends
from appliance.engine.decoders._base import PredictOptions, decoders
from appliance.engine.inspect import MAX_MODEL_BYTES, inspect
from appliance.errors import BackendUnavailable, InvalidInput, UnusableModel
from appliance.records import ModelInfo

__all__ = ["CHILD_TASK", "handle"]

CHILD_TASK = True
"""May be run by `jobs.child`."""

_GREY = 114


def handle(request: dict[str, Any], _send: object = None) -> dict[str, Any]:
    """Answer one request.

    Args:
        request: ``{"do": "inspect", "path": str, "max_bytes": int}`` inspects a model and runs it
            once; `max_bytes` may be left out.

    Returns:
        ``{"info": …}``: the `ModelInfo` as JSON-able values.

    Raises:
        InvalidInput: The request is none of these.
        UnusableModel: The model is refused.
    """
    if request.get("do") != "inspect":
        raise InvalidInput(f"the engine's worker cannot do {request.get('do')!r}", field="do")
    path = Path(request["path"])
    info = inspect(path, max_bytes=request.get("max_bytes", MAX_MODEL_BYTES))
    try:
        _first_run(path, info)
    except UnusableModel as error:
        error.file = error.file or path.name
        raise
    except (BackendUnavailable, MemoryError) as error:
        raise UnusableModel(f"the model's first run failed: {error}", file=path.name) from error
    return {"info": msgspec.to_builtins(info)}


def _first_run(path: Path, info: ModelInfo) -> None:
    """Run the model on grey pictures, one upright and one square, and decode what it answers."""
    decoder = decoders()[info.family]
    session = backends()["onnxruntime"].load(path, info, "cpu", threads=1)
    try:
        height, width = info.input_size
        for shape in {(height, width), (height, width // 2)} if info.dynamic else {(height, width)}:
            image = np.full((*shape, 3), _GREY, np.uint8)
            tensor, placement = decoder.prepare(image, info)
            outputs = session.run(np.repeat(tensor[None], info.batch or 1, axis=0))
            decoder.decode(outputs, [placement] * (info.batch or 1), info, PredictOptions())
    finally:
        session.close()
