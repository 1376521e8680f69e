"""What the SAM families have in common: an encoder for the picture, a decoder for each prompt.

Pictures are placed and masks brought back as ultralytics does, whose answers the tests compare.
Source: Kirillov et al. 2023, "Segment anything"; Ravi et al. 2024, "SAM 2".
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from appliance.engine.backends._base import backends
from appliance.engine.backends._graph import GraphSession, Stop
from appliance.engine.segmenters._base import Embedding, Prompt, Segmented, Session, Weights
from appliance.errors import BackendUnavailable, UnusableModel

__all__ = ["SIDE", "SamSession", "check_answer", "enlarged"]

SIDE = 1024
_LOW_SIDE = 256
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
"""Of the red, green and blue of ImageNet, 0..255. Source: both papers' code."""

_GREY = 114
_SURE = 10.0
"""Logit of a pixel of the answer before, where only its mask comes back."""

_NO_MASK = np.zeros((_LOW_SIDE, _LOW_SIDE), np.float32)

_STABLE_DELTA, _STABLE_IOU = 0.05, 0.98
"""Source: SAM 2, `dynamic_multimask_stability_delta` and `…_thresh`."""


class SamSession:
    """The two graphs of a model.

    Args:
        weights: Files ``encoder`` and ``decoder``.
        second: It is SAM 2: a prompt always ends with a point that is none, and a lone mask that is
            not stable gives way to the best of the three.
    """

    def __init__(self, weights: Weights, *, second: bool) -> None:
        runtime, device = _runtime(weights.device)
        self._encoder: GraphSession = runtime.load_graph(weights.files["encoder"], device)
        self._decoder: GraphSession = runtime.load_graph(weights.files["decoder"], device)
        self._input = str(weights.info.details["image"])
        self._logits = str(weights.info.details["logits"])
        self._features: dict[str, str] = dict(weights.info.details["features"])
        self._sized = bool(weights.info.details.get("sized"))
        self._second = second

    def encode(self, picture: np.ndarray, stop: Stop | None = None) -> Embedding:
        found = self._encoder.run({self._input: _placed(picture)}, stop)
        return {asked: found[answered] for asked, answered in self._features.items()}

    def decode(self, embedding: Embedding, prompt: Prompt, width: int, height: int) -> Segmented:
        gain = SIDE / max(width, height)
        coords, labels = self._said(prompt, gain)
        before = prompt.logits
        if before is None and prompt.mask is not None:
            before = _lowered(prompt.mask)
        feeds = {
            **embedding,
            "point_coords": coords,
            "point_labels": labels,
            "mask_input": (_NO_MASK if before is None else before)[None, None],
            "has_mask_input": np.array([before is not None], np.float32),
        }
        if self._sized:
            feeds["orig_im_size"] = np.array([_LOW_SIDE, _LOW_SIDE], np.float32)
        answer = self._decoder.run(feeds)
        logits, scores = answer[self._logits][0], answer["iou_predictions"][0]
        ambiguous = len(prompt.points) == 1 and prompt.box is None and before is None
        best = self._chosen(logits, scores, ambiguous)
        mask = enlarged(logits[best], width, height) > 0
        return Segmented(mask, float(np.clip(scores[best], 0, 1)), logits[best].copy())

    def close(self) -> None:
        self._encoder.close()
        self._decoder.close()

    def _said(self, prompt: Prompt, gain: float) -> tuple[np.ndarray, np.ndarray]:
        """Return a prompt as points float32 ``[1, n, 2]`` of the input and their labels ``[1, n]``."""
        coords = [prompt.points * gain]
        labels = [prompt.positive.astype(np.float32)]
        if prompt.box is not None:
            coords.insert(0, np.array(prompt.box).reshape(2, 2) * gain)
            labels.insert(0, np.array([2, 3], np.float32))
        if prompt.box is None or self._second:
            coords.append(np.zeros((1, 2)))
            labels.append(np.array([-1], np.float32))
        return np.concatenate(coords)[None].astype(np.float32), np.concatenate(labels)[None].astype(np.float32)

    def _chosen(self, logits: np.ndarray, scores: np.ndarray, ambiguous: bool) -> int:
        """Return which mask answers: the likeliest of three where one click can mean several things."""
        if len(logits) != 4:
            return int(np.argmax(scores))
        best = 1 + int(np.argmax(scores[1:]))
        if ambiguous:
            return best
        if not self._second:
            return 0
        least, most = (logits[0] > _STABLE_DELTA).sum(), (logits[0] > -_STABLE_DELTA).sum()
        return 0 if most == 0 or least / most >= _STABLE_IOU else best


def _runtime(wanted: str) -> tuple[Any, str]:
    """Return what runs the graphs, and the device.

    Raises:
        BackendUnavailable: ONNX Runtime is not there, or has no such device.
    """
    runtime = backends()["onnxruntime"]
    found = runtime.probe()
    if not found.ok or (wanted != "auto" and wanted not in found.devices):
        raise BackendUnavailable(f"SAM models cannot run on {wanted} here: {found.reason}")
    return runtime, found.devices[0] if wanted == "auto" else wanted


def check_answer(session: Session, name: str) -> None:
    """Run both graphs on grey.

    Raises:
        UnusableModel: They do not fit each other, or answer in another shape.
    """
    try:
        seen = session.encode(np.full((48, 64, 3), _GREY, np.uint8))
        found = session.decode(seen, Prompt(np.array([[32.0, 24.0]]), np.array([True])), 64, 48)
    except (KeyError, IndexError, ValueError, BackendUnavailable) as error:
        raise UnusableModel(f"its encoder and decoder do not fit each other: {error}", file=name) from error
    if found.mask.shape != (48, 64) or not np.isfinite(found.score):
        raise UnusableModel("its decoder answers with no mask", file=name)


def _placed(picture: np.ndarray) -> np.ndarray:
    """Return a picture at the top left of the input: float32 ``[1, 3, SIDE, SIDE]``, normalised."""
    height, width = picture.shape[:2]
    gain = SIDE / max(width, height)
    size = max(1, round(width * gain)), max(1, round(height * gain))
    if (width, height) != size:
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    whole = np.full((SIDE, SIDE, 3), _GREY, np.uint8)
    whole[: size[1], : size[0]] = picture
    return np.ascontiguousarray(((whole - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None], np.float32)


def _lowered(mask: np.ndarray) -> np.ndarray:
    """Return the answer before as logits: float32 ``[256, 256]``."""
    height, width = mask.shape
    gain = _LOW_SIDE / max(width, height)
    size = max(1, round(width * gain)), max(1, round(height * gain))
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    low = np.full((_LOW_SIDE, _LOW_SIDE), -_SURE, np.float32)
    low[: size[1], : size[0]] = (share * 2 - 1) * _SURE
    return low


def enlarged(logits: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return logits ``[256, 256]`` of the input as those of the picture, ``[height, width]``.

    What lies beside the picture has no say in its edges where the picture ends between two pixels.
    """
    share = SIDE / max(width, height) * _LOW_SIDE / SIDE
    span_x, span_y = round(width * share * 4) / 4, round(height * share * 4) / 4
    if span_x.is_integer() and span_y.is_integer():
        logits = np.ascontiguousarray(logits[: max(1, int(span_y)), : max(1, int(span_x))])
    x, y = span_x / width, span_y / height
    back = np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5]])
    return cv2.warpAffine(
        logits, back, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
