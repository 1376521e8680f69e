"""YOLOv8, YOLO11 and YOLO26, as ultralytics exports them to ONNX, for boxes and masks.

Two kinds of head: the dense one, ``[n, 4 + labels (+ m), anchors]`` with ``cx, cy, w, h`` and
one score per label, which needs suppression here; and the end-to-end one of YOLO26 (or an
export with NMS inside), ``[n, 300, 6 (+ m)]`` with ``x1, y1, x2, y2, score, index``. With masks
there are `m` weights per object and a second output ``[n, m, rows, columns]`` of prototypes.
"""

from __future__ import annotations

import numpy as np

from appliance.engine.decoders import _masks, _metadata
from appliance.engine.decoders._base import Graph, Placement, PredictOptions
from appliance.engine.decoders._nms import suppress
from appliance.errors import UnusableModel
from appliance.geometry.box import Box
from appliance.geometry.polygon import Polygon
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
        # As ultralytics does it: the smallest rectangle where the model takes any shape, else its fixed one.
        boxed = letterbox(image, info.input_size, auto=info.dynamic, stride=info.stride)
        pixels = boxed.pixels
        tensor = np.empty((3, *pixels.shape[:2]), np.float32)
        for channel in range(3):
            np.divide(pixels[..., 2 - channel], np.float32(255), out=tensor[channel])
        return tensor, Placement(*boxed.original[::-1], *pixels.shape[1::-1], *boxed.ratio, *boxed.pad)

    def decode(
        self, outputs: list[np.ndarray], placements: list[Placement], info: ModelInfo, options: PredictOptions
    ) -> list[list[Prediction]]:
        _check_shapes(outputs, len(placements), info)
        find = _end_to_end if info.end_to_end else _dense
        predictions = []
        for index, place in enumerate(placements):
            rows = find(outputs[0][index], len(info.labels), options)
            if info.task == "segment":
                predictions.append(_segments(rows, outputs[1][index], place))
            else:
                predictions.append(_boxes(rows, place))
        return predictions


def _check_shapes(outputs: list[np.ndarray], pictures: int, info: ModelInfo) -> None:
    """Raise unless the tensors are what the file said, so that nothing is misread in silence."""
    masks = info.details.get("mask_weights", 3) if info.task == "segment" else 0
    head = outputs[0].shape
    width = 6 + masks if info.end_to_end else 4 + len(info.labels) + masks
    axis = 2 if info.end_to_end else 1
    fits = len(head) == 3 and head[0] >= pictures and head[axis] == width
    if fits and masks:
        fits = len(outputs) > 1 and outputs[1].ndim == 4 and outputs[1].shape[:2] == (head[0], masks)
    if not fits:
        seen = ", ".join(str(list(o.shape)) for o in outputs)
        raise UnusableModel(
            f"the model's output does not fit its {len(info.labels)} labels: expected {width} values for "
            f"each object of {pictures} picture(s), got {seen}; export the model again"
        )


def _dense(head: np.ndarray, labels: int, options: PredictOptions) -> np.ndarray:
    """Return rows of the objects found.

    Args:
        head: float32 ``[4 + labels + m, anchors]``, boxes as centre and size in input pixels.
        labels: How many labels.
        options: What to keep.

    Returns:
        float32 ``[n, 6 + m]``: ``x1, y1, x2, y2`` in input pixels, score, class index, weights.
    """
    best = head[4 : 4 + labels].max(axis=0)
    found = head[:, np.flatnonzero(best > options.conf)]
    classes = found[4 : 4 + labels].argmax(axis=0)
    scores = found[4 : 4 + labels].max(axis=0)
    centre, half = found[0:2], found[2:4] / 2
    rows = np.concatenate((centre - half, centre + half, scores[None], classes[None], found[4 + labels :])).T
    rows = _wanted(rows.astype(np.float32, copy=False), options)
    kept = suppress(
        rows[:, :4], rows[:, 4], rows[:, 5], iou=options.iou, limit=options.max_det, agnostic=options.agnostic
    )
    return rows[kept]


def _end_to_end(head: np.ndarray, labels: int, options: PredictOptions) -> np.ndarray:
    """Return the rows above the threshold of ``[300, 6 + m]``; they come best first and suppressed."""
    sure = head[head[:, 4] > options.conf]
    known = (sure[:, 5] >= 0) & (sure[:, 5] < labels)
    return _wanted(sure[known], options)[: options.max_det]


def _wanted(rows: np.ndarray, options: PredictOptions) -> np.ndarray:
    """Return the rows whose box is finite and whose class is asked for."""
    keep = np.isfinite(rows[:, :4]).all(axis=1)
    if options.classes is not None:
        keep &= np.isin(rows[:, 5], options.classes)
    return rows[keep]


def _boxes(rows: np.ndarray, place: Placement) -> list[Prediction]:
    corners = rows[:, :4] - np.array([place.pad_x, place.pad_y] * 2, np.float32)
    corners /= np.array([place.gain_x, place.gain_y] * 2, np.float32)
    predictions = []
    for row, xyxy in zip(rows, corners.tolist(), strict=True):
        box = Box(*xyxy).clipped(place.width, place.height)
        if box is not None:
            predictions.append(_prediction(row, box))
    return predictions


def _segments(rows: np.ndarray, prototypes: np.ndarray, place: Placement) -> list[Prediction]:
    crops = [_masks.crop_of(row[:4], place) for row in rows]
    found = [(row, crop) for row, crop in zip(rows, crops, strict=True) if crop[0] < crop[2] and crop[1] < crop[3]]
    size = place.input_height, place.input_width
    masks = ((_masks.instance_mask(prototypes, row[6:], crop, size), crop) for row, crop in found)
    polygons = _masks.outlines(masks, place)
    return [
        _prediction(row, polygon) for (row, _), polygon in zip(found, polygons, strict=True) if polygon is not None
    ]


def _prediction(row: np.ndarray, geometry: Box | Polygon) -> Prediction:
    confidence = min(max(float(row[4]), 0.0), 1.0)
    return Prediction(class_index=int(row[5]), confidence=confidence, geometry=geometry)


DECODER = Yolo()
