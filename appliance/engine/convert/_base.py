"""What a converter is: a family's way from a training checkpoint to ONNX files.

Converters run in a throw-away child without a network (`worker`), under the interpreter that has
the `train` extra. Only there may torch and ultralytics be imported, and only inside functions:
the modules themselves are imported where neither is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from appliance.records import Parity
from appliance.registry import discover

__all__ = ["Checkpoint", "Converted", "Converter", "Tell", "converters"]

Tell = Callable[[str], None]
"""Says what is being done, in a few words for a person: ``exporting``."""


class Checkpoint(NamedTuple):
    """A ``.pt`` file that was read.

    Attributes:
        path: The file; a converter reads it again only where it knows it as its own.
        name: The file as its sender named it, for messages.
        contents: What it holds: plain values and tensors, and for each module a
            `_checkpoint.Shell`, which has its tensors and attributes and none of its code. With
            `trusted` the objects themselves.
        classes: Dotted names of everything but plain values and tensors that the file refers to.
        trusted: An administrator let the file's own code run.
    """

    path: Path
    name: str
    contents: Any
    classes: frozenset[str]
    trusted: bool = False


class Converted(NamedTuple):
    """What a converter made.

    Attributes:
        files: ONNX files by role in the folder it was given; ``weights`` where there is one.
        parity: How alike source and result answer on pictures.
        metrics: Figures of the training that the checkpoint tells, such as ``map50``.
        parameters: What it was trained with, as the checkpoint tells.
        facts: Further provenance, JSON-able: architecture, epoch, date.
    """

    files: Mapping[str, Path]
    parity: Parity | None
    metrics: dict[str, float]
    parameters: dict[str, Any]
    facts: dict[str, Any]


class Converter(Protocol):
    """A family of checkpoints. Each is the constant ``CONVERTER`` of one module.

    Attributes:
        name: The family, as `ModelInfo.family` has it.
        title: What the checkpoints are called by people, with their suffix.
        roles: The files it makes, sorted.
    """

    name: str
    title: str
    roles: tuple[str, ...]

    def recognize(self, checkpoint: Checkpoint) -> str | None:
        """Return None for a checkpoint of this family, or what about it is not."""
        ...

    def convert(self, checkpoint: Checkpoint, folder: Path, tell: Tell) -> Converted:
        """Write the ONNX files, compare them with the source on pictures and say how it went.

        Args:
            checkpoint: One that `recognize` knew.
            folder: Empty and the converter's own; it goes when the files have been taken.
            tell: Call it when a step begins.

        Raises:
            UnusableModel: It cannot be converted; the message says why.
        """
        ...


def converters() -> dict[str, Converter]:
    """Return all converters by family."""
    return discover("appliance.engine.convert", "CONVERTER")
