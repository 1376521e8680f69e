"""One by one, what ultralytics' own predict finds with the same ONNX file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from appliance.engine.backends._base import choose
from appliance.engine.decoders import _masks
from appliance.engine.decoders._base import PredictOptions
from appliance.engine.inspect import inspect
from appliance.engine.predictor import Item, Outcome, Predictor
from appliance.geometry.convert import to_mask
from tests._shared import shared

pytestmark = pytest.mark.train

LARGE_PX = 1920


@pytest.fixture(scope="module")
def enlarged(photos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return 30 pictures whose longer side has at least 1,920 pixels."""
    folder = tmp_path_factory.mktemp("large")
    large = []
    for number, path in enumerate(photos[:30]):
        pixels = cv2.imread(os.fspath(path))
        scale = (LARGE_PX + 37 * number) / max(pixels.shape[:2])
        large.append(folder / path.name)
        cv2.imwrite(os.fspath(large[-1]), cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
    return large


class Found(NamedTuple):
    """One picture's objects: their corners (input pixels for masks), scores, classes and perhaps masks."""

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray
    masks: np.ndarray | None


class Comparison(NamedTuple):
    """The differences over all pictures."""

    theirs: int
    ours: int
    matched: int
    box_px: float
    score: float
    mask_ious: list[float]


def ours_on(model: Path, pictures: list[Path], **options: Any) -> list[Outcome]:
    backend, device = choose("onnxruntime", "cpu")
    with Predictor(model, inspect(model), backend, device, PredictOptions(**options)) as predictor:
        return list(predictor.predict(Item(path, path, path.name) for path in pictures))


def theirs_on(ultralytics: Any, model: Path, pictures: list[Path], **options: Any) -> Iterator[Found]:
    info = inspect(model)
    yolo = ultralytics.YOLO(os.fspath(model), task=info.task)
    for path in pictures:
        (result,) = yolo.predict(os.fspath(path), imgsz=list(info.input_size), verbose=False, device="cpu", **options)
        yield _of_extent(result)


def _of_extent(result: Any) -> Found:
    """Leave out what is no annotation, as untrained heads make it: boxes without area, masks on the padding."""
    xyxy = result.boxes.xyxy.numpy()
    masks = result.masks.data.numpy() > 0 if result.masks is not None else None
    keep = (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)
    if masks is not None:
        masks &= _content(*result.orig_shape, masks.shape[1:])
        keep = masks.any(axis=(1, 2))
        masks = masks[keep]
    return Found(xyxy[keep], result.boxes.conf.numpy()[keep], result.boxes.cls.numpy().astype(int)[keep], masks)


def _content(height: int, width: int, size: tuple[int, int]) -> np.ndarray:
    """Return where a model's input shows the picture."""
    gain = min(size[0] / height, size[1] / width)
    wide, high = round(width * gain), round(height * gain)
    left, top = round((size[1] - wide) / 2 - 0.1), round((size[0] - high) / 2 - 0.1)
    inside = np.zeros(size, bool)
    inside[top : top + high, left : left + wide] = True
    return inside


def in_input(outcome: Outcome, size: tuple[int, int]) -> np.ndarray:
    """Return our polygons as masks in the pixels of the model's input."""
    gain = min(size[0] / outcome.height, size[1] / outcome.width)
    wide, high = round(outcome.width * gain), round(outcome.height * gain)
    left, top = round((size[1] - wide) / 2 - 0.1), round((size[0] - high) / 2 - 0.1)
    masks = [
        to_mask(
            p.geometry.transformed(wide / outcome.width, high / outcome.height, left, top), size[1], size[0]
        ).to_array()
        for p in outcome.predictions
    ]
    return np.array(masks, bool).reshape(-1, *size)


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the IoU of all pairs of boxes."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared_area = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(x[:, 2:] - x[:, :2]).prod(axis=1) for x in (a, b)]
    return shared_area / (areas[0][:, None] + areas[1][None] - shared_area + 1e-9)


def mask_overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the IoU of all pairs of masks."""
    flat = [x.reshape(len(x), int(np.prod(a.shape[1:]))).astype(np.float32) for x in (a, b)]
    inter = flat[0] @ flat[1].T
    return inter / (flat[0].sum(axis=1)[:, None] + flat[1].sum(axis=1)[None] - inter)


def compare(pairs: Iterator[tuple[Found, Outcome]]) -> Comparison:
    """Match each of their objects to our nearest of the same class that is not taken."""
    theirs = ours = matched = 0
    box_px, score, ious = 0.0, 0.0, []
    for found, outcome in pairs:
        assert outcome.error is None
        theirs, ours = theirs + len(found.scores), ours + len(outcome.predictions)
        size = found.masks.shape[1:] if found.masks is not None else None
        masks = in_input(outcome, size) if size else None
        boxes = np.array([p.geometry.bounds() for p in outcome.predictions]).reshape(-1, 4)
        near = overlaps(found.boxes, boxes) if masks is None else mask_overlaps(found.masks, masks)
        near[found.classes[:, None] != [p.class_index for p in outcome.predictions]] = -1
        for index in range(len(found.scores)):
            if not near.shape[1] or near[index].max() <= 0:
                continue
            twin, best = int(near[index].argmax()), near[index].max()
            near[:, twin] = -1
            matched += 1
            score = max(score, abs(found.scores[index] - outcome.predictions[twin].confidence))
            if masks is None:
                box_px = max(box_px, np.abs(found.boxes[index] - boxes[twin]).max())
            else:
                ious.append(best)
    return Comparison(theirs, ours, matched, box_px, score, ious)


def assert_equal(result: Comparison, least: int) -> None:
    assert result.theirs >= least, "too few objects to compare anything"
    assert abs(result.ours - result.theirs) <= 0.01 * result.theirs
    assert result.matched >= 0.99 * result.theirs
    assert result.box_px <= 1
    assert result.score <= 0.01
    if result.mask_ious:
        # The outline may move by 0.75 pixels, which is much of an object of a few pixels.
        assert np.mean(result.mask_ious) >= 0.97
        assert np.quantile(result.mask_ious, 0.05) >= 0.9


def check(ultralytics: Any, model: Path, pictures: list[Path], least: int, **options: Any) -> None:
    theirs = theirs_on(ultralytics, model, pictures, **options)
    assert_equal(compare(zip(theirs, ours_on(model, pictures, **options), strict=True)), least)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yolov8n.onnx", "yolov8n-seg.onnx"])
def test_on_photos(ultralytics: Any, photos: list[Path], name: str) -> None:
    check(ultralytics, shared("models") / name, photos, 400)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yolov8n.onnx", "yolov8n-seg.onnx"])
def test_on_large_photos(ultralytics: Any, enlarged: list[Path], name: str) -> None:
    check(ultralytics, shared("models") / name, enlarged, 80)


def test_with_other_options(ultralytics: Any, photos: list[Path]) -> None:
    options = {"conf": 0.01, "iou": 0.5, "classes": [0, 56, 79], "max_det": 20}
    check(ultralytics, shared("models/yolov8n.onnx"), photos[:16], 80, **options)


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("models/yolo11n.pt", {}),
        ("models/yolo11n.pt", {"dynamic": True}),
        ("models/yolo11n.pt", {"nms": True}),
        ("models/yolov8n-seg.pt", {"dynamic": True}),
        ("yolo11n-seg.yaml", {}),
        ("yolo26n.yaml", {}),
        ("yolo26n.yaml", {"nms": False}),
        ("yolo26n.yaml", {"nms": False, "dynamic": True}),
        ("yolo26n-seg.yaml", {"nms": False}),
    ],
    ids=lambda value: str(value),
)
def test_other_families_and_shapes(
    ultralytics: Any,
    export: Callable[..., Path],
    photos: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    options: dict[str, Any],
) -> None:
    if source.endswith("-seg.yaml"):  # untrained masks are nothing but specks: compare them pixel by pixel
        for limit in ("TOLERANCE_PX", "MIN_PART_PX", "MIN_PART_SHARE"):
            monkeypatch.setattr(_masks, limit, 0)
    model = export(source, **options)
    assert inspect(model).dynamic == options.get("dynamic", False)
    # `nms=True` builds suppression in, `nms=False` exports the head that needs none.
    assert inspect(model).end_to_end == ("nms" in options)
    check(ultralytics, model, photos[:6], 6)
