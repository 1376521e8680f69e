"""What every decoder is: the model family's side of prediction, without any runtime."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, Protocol

import numpy as np
from msgspec import Meta

from appliance.records import ModelInfo, Prediction, Record
from appliance.registry import discover

__all__ = ["Decoder", "Graph", "Placement", "PredictOptions", "Tensor", "decoders"]

Fraction = Annotated[float, Meta(ge=0, le=1)]


class PredictOptions(Record):
    """How to predict. The defaults are those of `ultralytics` predict.

    Attributes:
        conf: Predictions need a confidence above this.
        iou: Overlapping boxes of one label above this intersection over union are one object.
        classes: Class indices to keep, or None for all.
        max_det: At most so many predictions an image.
        agnostic: Let boxes of different labels suppress each other.
        batch: Pictures in a micro-batch, or None for what suits the device.
        threads: CPU threads of the backend, or None for one per physical core.
    """

    conf: Fraction = 0.25
    iou: Fraction = 0.7
    classes: list[int] | None = None
    max_det: Annotated[int, Meta(ge=1, le=3000)] = 300
    agnostic: bool = False
    batch: Annotated[int, Meta(ge=1, le=256)] | None = None
    threads: Annotated[int, Meta(ge=1, le=256)] | None = None


class Tensor(NamedTuple):
    """A graph's input or output: name, axes (None where dynamic), numpy's name of the element type."""

    name: str
    shape: tuple[int | None, ...]
    kind: str


class Graph(NamedTuple):
    """What can be read off an ONNX file without running it."""

    inputs: list[Tensor]
    outputs: list[Tensor]
    metadata: dict[str, str]
    facts: dict[str, Any]


class Placement(NamedTuple):
    """Where a picture lies in the model's input: ``input = canonical * gain + pad``.

    `width` and `height` are those of the upright picture, `input_width` and `input_height`
    those of the tensor, all in pixels.
    """

    width: int
    height: int
    input_width: int
    input_height: int
    gain_x: float
    gain_y: float
    pad_x: int
    pad_y: int


class Decoder(Protocol):
    """A model family. Each is the constant ``DECODER`` of one module.

    Attributes:
        name: The family, as `ModelInfo.family` has it.
        expects: What its graphs look like, for the message that refuses a file.
    """

    name: str
    expects: str

    def recognize(self, graph: Graph) -> ModelInfo | str:
        """Return the model's facts, or what about the graph is not of this family.

        Raises:
            UnusableModel: It is of this family, but cannot be used; the message says why.
        """
        ...

    def prepare(self, image: np.ndarray, info: ModelInfo) -> tuple[np.ndarray, Placement]:
        """Turn a picture into the model's input.

        Args:
            image: uint8 ``[height, width, 3]``, BGR, upright.
            info: The model.

        Returns:
            float32 ``[3, height, width]``, RGB, 0..1, contiguous, and the placement in it.
        """
        ...

    def decode(
        self, outputs: list[np.ndarray], placements: list[Placement], info: ModelInfo, options: PredictOptions
    ) -> list[list[Prediction]]:
        """Turn a batch's tensors into predictions in canonical pixels, best first.

        Args:
            outputs: The graph's outputs; the first axis may be longer than `placements`.
            placements: One for each picture.
            info: The model.
            options: What to keep.

        Raises:
            UnusableModel: The tensors do not have the shapes that `info` promises.
        """
        ...


def decoders() -> dict[str, Decoder]:
    """Return all decoders by family."""
    return discover("appliance.engine.decoders", "DECODER")
