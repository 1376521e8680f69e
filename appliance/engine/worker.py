"""What a limited child process does for the engine: look at a model nobody vouches for.

The supervisor starts a child with an address-space limit and a deadline, hands it one
request at a time and turns an error or a death into a `PixelQueueError`. The functions
here know nothing of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from appliance.engine.backends._base import backends
from appliance.engine.decoders._base import PredictOptions, decoders
from appliance.engine.families._base import families
from appliance.engine.inspect import MAX_MODEL_BYTES, inspect_files
from appliance.errors import BackendUnavailable, InvalidInput, UnusableModel
from appliance.records import ModelInfo

__all__ = ["CHILD_TASK", "handle", "try_out"]

CHILD_TASK = True
"""May be run by `jobs.child`."""

_GREY = 114


def handle(request: dict[str, Any], _send: object = None) -> dict[str, Any]:
    """Answer one request.

    Args:
        request: ``{"do": "inspect", "files": {role: path}, "max_bytes": int}`` inspects a model and
            runs it once; `max_bytes` may be left out.

    Returns:
        ``{"info": …}``: the `ModelInfo` as JSON-able values.

    Raises:
        InvalidInput: The request is none of these.
        UnusableModel: The model is refused.
    """
    if request.get("do") != "inspect":
        raise InvalidInput(f"the engine's worker cannot do {request.get('do')!r}", field="do")
    files = {role: Path(path) for role, path in request["files"].items()}
    return {"info": msgspec.to_builtins(try_out(files, request.get("max_bytes", MAX_MODEL_BYTES)))}


def try_out(files: Mapping[str, Path], max_bytes: int = MAX_MODEL_BYTES) -> ModelInfo:
    """Inspect a model's files and run it once.

    Raises:
        UnusableModel: The model is refused.
    """
    info = inspect_files(files, max_bytes=max_bytes)
    name = next(iter(files.values())).name
    try:
        if info.task == "prompt":
            families()[info.family].first_run(files, info)
        else:
            _first_run(files["weights"], info)
    except UnusableModel as error:
        error.file = error.file or name
        raise
    except (BackendUnavailable, MemoryError) as error:
        raise UnusableModel(f"the model's first run failed: {error}", file=name) from error
    return info


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
