"""What a plan is called and how it is kept: a disposable file, never taken from outside.

A plan fits one model, one release of TensorRT, one GPU with one driver, one precision and one
range of shapes; its key is the hash of all of those. The file begins with a line of JSON that
repeats them and has the hash of what follows, so that a plan that is damaged, or was made for
something else, is known before TensorRT sees it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from appliance.engine.tensorrt.builder import ANY_INPUT, Shapes
from appliance.engine.tensorrt.cuda import Facts
from appliance.records import ModelInfo

__all__ = ["Target", "check", "key_of", "offset_of", "seal", "shapes_of"]

_MAGIC = "pixelqueue-plan-1"
_HEADER_BYTES = 4096
_MAX_BATCH = 8


class Target(NamedTuple):
    """Where a plan is to run: the release of TensorRT, the GPU, fp16 or not."""

    tensorrt: str
    device: Facts
    half: bool


def key_of(sha256: str, target: Target, shapes: Shapes) -> str:
    """Return the plan's name in the cache, 64 hex digits.

    Args:
        sha256: Of the ONNX graph.
        target: Where it runs.
        shapes: Between which sizes its inputs vary.
    """
    return hashlib.sha256(json.dumps(_facts(sha256, target, shapes), sort_keys=True).encode()).hexdigest()


def seal(plan: bytes, key: str) -> bytes:
    """Return the plan with the header that `check` looks at."""
    header = {"magic": _MAGIC, "key": key, "sha256": hashlib.sha256(plan).hexdigest()}
    return json.dumps(header).encode() + b"\n" + plan


def check(path: Path, key: str) -> int | None:
    """Return the offset at which a sealed plan begins, or None when it is damaged or of another key."""
    with path.open("rb") as file:
        head = file.readline(_HEADER_BYTES)
        found = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        header = json.loads(head)
    except ValueError:
        return None
    return len(head) if header == {"magic": _MAGIC, "key": key, "sha256": found} else None


def offset_of(path: Path) -> int:
    """Return where the plan itself begins in a sealed file."""
    with path.open("rb") as file:
        return len(file.readline(_HEADER_BYTES))


def shapes_of(info: ModelInfo) -> Shapes:
    """Return the range of sizes of a detector's pictures, or nothing when all is fixed.

    Pictures are at most `input_size` and at least one stride; up to 8 of them run at once.
    """
    if not info.dynamic and info.batch is not None:
        return {}
    height, width = info.input_size
    smallest = (info.stride, info.stride) if info.dynamic else (height, width)
    batch = info.batch or _MAX_BATCH
    usual = (batch, 3, height, width)
    return {ANY_INPUT: ((info.batch or 1, 3, *smallest), usual, usual)}


def _facts(sha256: str, target: Target, shapes: Shapes) -> dict[str, Any]:
    return {
        "model": sha256,
        "tensorrt": target.tensorrt,
        "device": target.device.name,
        "sm": target.device.sm,
        "driver": target.device.driver,
        "precision": "fp16" if target.half else "fp32",
        "shapes": {name: [list(shape) for shape in three] for name, three in sorted(shapes.items())},
    }
