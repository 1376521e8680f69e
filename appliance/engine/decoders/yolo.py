"""YOLOv8, YOLO11 and YOLO26, as ultralytics exports them to ONNX: boxes, masks, keypoints, turned boxes, classes.

Two kinds of head: the dense one, ``[n, 4 + labels (+ more), anchors]`` with ``cx, cy, w, h`` and
one score per label, which needs suppression here; and the end-to-end one of YOLO26 (or an
export with NMS inside), ``[n, 300, 6 (+ more)]`` with a box, score and index. What an object has
more is `m` weights of mask prototypes (a second output ``[n, m, rows, columns]``), its keypoints,
or its angle. A classifier has one output, ``[n, labels]``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from appliance.engine.decoders import _classes, _heads, _keypoints, _masks, _metadata, _turned
from appliance.engine.decoders._base import Graph, Placement, PredictOptions
from appliance.errors import UnusableModel
from appliance.geometry.box import Box
from appliance.imaging.letterbox import letterbox
from appliance.records import ModelInfo, Prediction

__all__ = ["DECODER"]


class Yolo:
    """The decoder; it has no state."""

    name = "yolo"
    expects = _metadata.EXPECTS

    def recognize(self, graph: Graph) -> ModelInfo | str:
        return _metadata.recognize(graph)

    def prepare(self, image: np.ndarray, info: ModelInfo) -> tuple[np.ndarray, Placement]:
        if info.task == "classify":
            return _classes.prepare(image, info)
        # As ultralytics does it: the smallest rectangle where the model takes any shape, else its fixed one.
        boxed = letterbox(image, info.input_size, auto=info.dynamic, stride=info.stride)
        tensor = _heads.tensor_of(boxed.pixels)
        return tensor, Placement(*boxed.original[::-1], *boxed.pixels.shape[1::-1], *boxed.ratio, *boxed.pad)

    def decode(
        self, outputs: list[np.ndarray], placements: list[Placement], info: ModelInfo, options: PredictOptions
    ) -> list[list[Prediction]]:
        _check_shapes(outputs, len(placements), info)
        if info.task == "classify":
            return [_classes.found(outputs[0][index], options) for index in range(len(placements))]
        find = _heads.end_to_end if info.end_to_end else _heads.dense
        predictions = []
        for index, place in enumerate(placements):
            rows = find(outputs[0][index], len(info.labels), options, turned=info.task == "obb")
            if info.task == "segment":
                predictions.append(_masks.found(rows, outputs[1][index], place))
            else:
                predictions.append(_FOUND[info.task](rows, place, info))
        return predictions


def _boxes(rows: np.ndarray, place: Placement, _info: ModelInfo) -> list[Prediction]:
    corners = rows[:, :4] - np.array([place.pad_x, place.pad_y] * 2, np.float32)
    corners /= np.array([place.gain_x, place.gain_y] * 2, np.float32)
    predictions = []
    for row, xyxy in zip(rows, corners.tolist(), strict=True):
        box = Box(*xyxy).clipped(place.width, place.height)
        if box is not None:
            predictions.append(_heads.prediction(row, box))
    return predictions


_FOUND: dict[str, Callable[[np.ndarray, Placement, ModelInfo], list[Prediction]]] = {
    "detect": _boxes,
    "pose": _keypoints.found,
    "obb": _turned.found,
}


def _check_shapes(outputs: list[np.ndarray], pictures: int, info: ModelInfo) -> None:
    """Raise unless the tensors are what the file said, so that nothing is misread in silence."""
    head = outputs[0].shape
    if info.task == "classify":
        width = len(info.labels)
        fits = len(head) == 2 and head[0] >= pictures and head[1] == width
    else:
        more = _metadata.more_values(info)
        width = (6 if info.end_to_end else 4 + len(info.labels)) + more
        fits = len(head) == 3 and head[0] >= pictures and head[2 if info.end_to_end else 1] == width
    if fits and info.task == "segment":
        fits = len(outputs) > 1 and outputs[1].ndim == 4 and outputs[1].shape[:2] == (head[0], more)
    if not fits:
        seen = ", ".join(str(list(o.shape)) for o in outputs)
        raise UnusableModel(
            f"the model's output does not fit its {len(info.labels)} labels: expected {width} values for "
            f"each object of {pictures} picture(s), got {seen}; export the model again"
        )


DECODER = Yolo()
