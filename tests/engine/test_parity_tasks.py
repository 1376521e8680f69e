"""Keypoints, turned boxes and classes: what ultralytics' own predict finds with the same ONNX file."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.engine.backends._base import choose
from appliance.engine.decoders._base import PredictOptions
from appliance.engine.decoders._keypoints import SURE
from appliance.engine.inspect import inspect
from appliance.engine.predictor import Item, Predictor
from appliance.records import Prediction

pytestmark = pytest.mark.train

LEAST = 20


def pairs(ultralytics: Any, model: Path, pictures: list[Path], **options: Any) -> list[tuple[Any, list[Prediction]]]:
    """Return ultralytics' result and ours for each picture."""
    info = inspect(model)
    backend, device = choose("onnxruntime", "cpu")
    with Predictor(model, info, backend, device, PredictOptions(**options)) as predictor:
        outcomes = list(predictor.predict(Item(path, path, path.name) for path in pictures))
    assert all(outcome.error is None for outcome in outcomes)
    yolo = ultralytics.YOLO(os.fspath(model), task=info.task)
    size = list(info.input_size)
    theirs = [yolo.predict(os.fspath(p), imgsz=size, verbose=False, device="cpu", **options)[0] for p in pictures]
    return list(zip(theirs, (outcome.predictions for outcome in outcomes), strict=True))


@pytest.mark.parametrize(
    ("source", "options"),
    [("yolov8n-pose.yaml", {}), ("yolo11n-pose.yaml", {"dynamic": True}), ("yolo26n-pose.yaml", {"nms": False})],
    ids=str,
)
def test_keypoints(
    ultralytics: Any, export: Callable[..., Path], photos: list[Path], source: str, options: dict[str, Any]
) -> None:
    model = export(source, **options)
    assert inspect(model).details["keypoint_shape"] == [17, 3]
    compared = 0
    for theirs, ours in pairs(ultralytics, model, photos[:6], conf=0.3):
        their_points = theirs.keypoints.data.numpy()
        assert len(ours) == len(their_points)
        for points, score, index, prediction in zip(
            their_points, theirs.boxes.conf.numpy(), theirs.boxes.cls.numpy(), ours, strict=True
        ):
            got = np.array(prediction.geometry.points).reshape(-1, 3)
            assert np.abs(got[:, :2] - points[:, :2]).max() <= 0.5
            assert prediction.class_index == index
            assert prediction.confidence == pytest.approx(score, abs=0.01)
            certain = np.abs(points[:, 2] - SURE) > 0.01
            assert ((got[:, 2] == 2) == (points[:, 2] >= SURE))[certain].all()
            compared += 1
    assert compared >= LEAST


@pytest.mark.parametrize(
    ("source", "options"),
    [("yolov8n-obb.yaml", {"dynamic": True}), ("yolo11n-obb.yaml", {}), ("yolo26n-obb.yaml", {"nms": False})],
    ids=str,
)
def test_turned_boxes(
    ultralytics: Any, export: Callable[..., Path], photos: list[Path], source: str, options: dict[str, Any]
) -> None:
    # Less spread keeps the scores below 1: among equals the order, and so who is suppressed, is chance.
    model = export(source, spread=0.05, **options)
    compared = 0
    for theirs, ours in pairs(ultralytics, model, photos[:6], conf=0.05, iou=0.5, max_det=3000):
        boxes = theirs.obb.xywhr.numpy()
        height, width = theirs.orig_shape
        # Ours have an extent, and where the centre is outside the picture are cut down to what is inside.
        inside = ((boxes[:, :2] >= 0) & (boxes[:, :2] <= (width, height)) & (boxes[:, 2:4] > 0)).all(axis=1)
        rows = zip(boxes[inside], theirs.obb.conf.numpy()[inside], theirs.obb.cls.numpy()[inside], strict=True)
        mine = list(ours)
        for (cx, cy, wide, high, angle), score, index in rows:
            twin = min(
                mine, key=lambda p: abs(p.geometry.cx - cx) + abs(p.geometry.cy - cy) + 1e3 * (p.class_index != index)
            )
            mine.remove(twin)
            shape = twin.geometry
            assert (shape.cx, shape.cy, shape.width, shape.height) == pytest.approx((cx, cy, wide, high), abs=0.5)
            assert math.remainder(math.radians(shape.angle) - angle, math.tau) == pytest.approx(0, abs=0.01)
            assert twin.confidence == pytest.approx(score, abs=0.01)
            compared += 1
        assert len(mine) <= (~inside).sum()
    assert compared >= LEAST


@pytest.mark.parametrize("source", ["yolov8n-cls.yaml", "yolo26n-cls.yaml"])
def test_classes(ultralytics: Any, export: Callable[..., Path], photos: list[Path], source: str) -> None:
    model = export(source)
    info = inspect(model)
    assert (info.task, info.input_size, len(info.labels)) == ("classify", (320, 320), 1000)
    for theirs, ours in pairs(ultralytics, model, photos[:20], conf=0.0):
        (found,) = ours
        probabilities = theirs.probs.data.numpy()
        assert found.geometry.name == "tag"
        assert found.confidence == pytest.approx(probabilities.max(), abs=1e-4)
        assert probabilities[found.class_index] == pytest.approx(probabilities.max(), abs=1e-4)
