"""How alike a checkpoint and what became of it answer: the same pictures to both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from appliance.engine.backends._base import choose
from appliance.engine.decoders._base import PredictOptions, decoders
from appliance.engine.inspect import inspect
from appliance.imaging.decode import decode_bgr
from appliance.records import Parity, Prediction

__all__ = ["compare"]

_LEAST_IOU = 0.9
_CONFIDENCE_GAP = 0.02
_OUTPUT_GAP = 1e-3
_BORDER = 0.02
"""Objects so near the threshold may be found by one and not by the other."""


class _Object(NamedTuple):
    label: int
    confidence: float
    bounds: tuple[float, float, float, float]


def compare(yolo: Any, onnx: Path, pictures: Sequence[Path]) -> Parity:
    """Show pictures to ultralytics with the checkpoint, and to our engine with the ONNX file.

    Args:
        yolo: An `ultralytics.YOLO` of the checkpoint.
        onnx: What it was exported to.
        pictures: Some.
    """
    info = inspect(onnx)
    decoder, options = decoders()[info.family], PredictOptions()
    backend, device = choose("onnxruntime", "cpu")
    session = backend.load(onnx, info, device)
    expected = found = matched = 0
    ious, gaps, outputs = [], [], []
    try:
        for path in pictures:
            image = decode_bgr(path)
            tensor, place = decoder.prepare(image, info)
            raw = session.run(np.repeat(tensor[None], info.batch or 1, axis=0))
            ours = [_ours(one) for one in decoder.decode(raw, [place] * (info.batch or 1), info, options)[0]]
            seen = yolo.predict(image, imgsz=list(info.input_size), verbose=False, device="cpu")[0]
            theirs = _theirs(seen)
            pairs, strays = _pairs(theirs, ours, options.conf)
            expected, found, matched = expected + len(theirs), found + len(ours), matched + len(pairs) + strays
            ious += [_iou(a.bounds, b.bounds) for a, b in pairs]
            gaps += [abs(a.confidence - b.confidence) for a, b in pairs]
            outputs.append(_output_gap(yolo.model, tensor, raw[0]))
    finally:
        session.close()
    measured = [gap for gap in outputs if gap is not None]
    worst_gap, worst_output = max(gaps, default=None), max(measured, default=None)
    alike = matched >= max(expected, found) and (worst_gap is None or worst_gap <= _CONFIDENCE_GAP)
    silent = expected == 0 and found == 0
    if silent:
        alike = worst_output is not None and worst_output <= _OUTPUT_GAP
    return Parity(
        ok=alike,
        pictures=len(pictures),
        expected=expected,
        found=found,
        matched=matched,
        worst_iou=_rounded(min(ious, default=None)),
        worst_confidence_gap=_rounded(worst_gap),
        worst_output_gap=_rounded(worst_output),
        note="neither found anything on the sample pictures: the raw outputs were compared" if silent else "",
    )


def _ours(one: Prediction) -> _Object:
    return _Object(one.class_index, one.confidence, tuple(one.geometry.bounds()))


def _theirs(result: Any) -> list[_Object]:
    """Read boxes, turned boxes or the class off a result of ultralytics."""
    if result.probs is not None:
        height, width = result.orig_shape
        return [_Object(int(result.probs.top1), float(result.probs.top1conf), (0.0, 0.0, width, height))]
    rows = result.obb if result.obb is not None else result.boxes
    return [
        _Object(int(label), float(confidence), tuple(float(v) for v in xyxy))  # type: ignore[arg-type]
        for label, confidence, xyxy in zip(rows.cls.tolist(), rows.conf.tolist(), rows.xyxy.tolist(), strict=True)
    ]


def _pairs(theirs: list[_Object], ours: list[_Object], conf: float) -> tuple[list[tuple[_Object, _Object]], int]:
    """Pair objects of one label, best overlap first; count the rest that only the threshold tells apart."""
    left, pairs, strays = list(ours), [], 0
    for one in theirs:
        same = [other for other in left if other.label == one.label]
        best = max(same, key=lambda other: _iou(one.bounds, other.bounds), default=None)
        if best is not None and _iou(one.bounds, best.bounds) >= _LEAST_IOU:
            pairs.append((one, best))
            left.remove(best)
        else:
            strays += one.confidence - conf < _BORDER
    return pairs, strays


def _iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(wide, 0.0) * max(high, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 1.0


def _output_gap(model: Any, tensor: np.ndarray, ours: np.ndarray) -> float | None:
    """Return the largest difference of the first output, relative to its largest value; None if it cannot be told."""
    import torch

    with torch.no_grad():
        theirs = model.eval()(torch.from_numpy(tensor[None]))
    while isinstance(theirs, (list, tuple)):
        theirs = theirs[0]
    if not isinstance(theirs, torch.Tensor) or tuple(theirs.shape) != ours[:1].shape:
        return None
    expected = theirs.float().numpy()
    return float(np.abs(expected - ours[:1]).max() / max(float(np.abs(expected).max()), 1e-9))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)
